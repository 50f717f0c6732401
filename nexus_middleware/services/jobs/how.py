"""When a job is run, and after what."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from ...errors import SettingsError
from ...http import CURRENT, ORIGIN
from .registry import Known

KEY_LASTS = 7 * 86_400  # seconds that a key is known


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What `Queues.options` takes: see there.

    Raises:
        SettingsError: they do not fit, or not together.
    """

    EXTRA: ClassVar[tuple[str, ...]] = ("given_key", "request_id", "traceparent", "schedule", "slot")

    key: str = ""
    delay: float = 0.0  # seconds
    at: datetime | None = None
    after: tuple[str, ...] = ()
    schedule: str = ""
    slot: str = ""

    def __post_init__(self) -> None:
        if self.delay < 0:
            raise SettingsError(f"delay={self.delay} is in seconds and must not be below 0")
        if self.at is not None and self.at.tzinfo is None:
            raise SettingsError(f"at={self.at!r} must have a time zone, as datetime.now(UTC) has")
        if self.at is not None and self.delay:
            raise SettingsError("at= and delay= both say when: give one of them")

    def words(self, known: Known) -> Sequence[object]:
        """Return this as `queue_add.lua` takes it."""
        key = hashlib.sha256(f"{known.name}\0{self.key}".encode()).hexdigest() if self.key else ""
        at = "" if self.at is None else self.at.timestamp()
        return [self.delay or "", at, key, KEY_LASTS, len(self.after), *self.after]

    def fields(self) -> dict[str, str]:
        """Return what is written beside RQ's fields: where the job comes from."""
        request = ORIGIN.get() or CURRENT.get()
        trace = request.header(b"traceparent") if request else None
        told = {
            "given_key": self.key,
            "request_id": request.request_id if request else "",
            "traceparent": trace.decode("latin-1")[:200] if trace else "",
            "schedule": self.schedule,
            "slot": self.slot,
        }
        return {name: value for name, value in told.items() if value}
