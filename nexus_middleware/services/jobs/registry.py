"""The jobs a worker knows by name; nothing that stands in Redis is ever imported or unpickled."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from ...errors import NexusError, SettingsError

if TYPE_CHECKING:
    from ...settings import Settings
    from .once import Once

EMAIL, NOTIFICATIONS = "email-queue", "notifications-queue"
REVENUE, ANALYTICS, CONTENT = "revenue-calculation-queue", "analytics-queue", "content-processing-queue"
QUEUES = (EMAIL, NOTIFICATIONS, REVENUE, ANALYTICS, CONTENT)  # in the order in which a free worker looks
NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")


class Permanent(NexusError):
    """Raised by a job that need not be tried again: it fails at once."""


class Later(NexusError):
    """Raised by a job that cannot run yet; it is put off, and no retry is used up.

    Args:
        seconds: How long.
    """

    def __init__(self, seconds: float, why: str) -> None:
        super().__init__(why)
        self.seconds = seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One run of a job, as its handler sees it."""

    id: str
    attempt: int  # 1 for the first run
    payload: dict[str, Any]
    settings: Settings
    once: Once


Handler: TypeAlias = Callable[[Work], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A job that may be queued and run."""

    name: str
    queue: str
    run: Handler
    timeout: float = 180.0  # seconds


@dataclass(slots=True)
class Registry:
    """Jobs by name."""

    jobs: dict[str, Known] = field(default_factory=dict)

    def add(self, known: Known) -> None:
        """Make a job known.

        Raises:
            SettingsError: its name is taken, or a name or the timeout does not fit.
        """
        for name in (known.name, known.queue):
            if not NAME.fullmatch(name):
                raise SettingsError(f"{name!r} must be 1 to 100 letters, digits, dots, dashes or underscores")
        if known.timeout <= 0:
            raise SettingsError(f"timeout={known.timeout} is in seconds and must be above 0")
        if known.name in self.jobs:
            raise SettingsError(f"there is a job named {known.name!r} already")
        self.jobs[known.name] = known

    def find(self, name: str) -> Known:
        """Return the job of that name.

        Raises:
            SettingsError: there is none.
        """
        if name not in self.jobs:
            raise SettingsError(
                f"no job is named {name!r}: register it with @queues.job(…); known: {sorted(self.jobs)}"
            )
        return self.jobs[name]

    @property
    def queues(self) -> tuple[str, ...]:
        """Every queue: ours, then those of other jobs."""
        return tuple(dict.fromkeys([*QUEUES, *(known.queue for known in self.jobs.values())]))


def call(function: Callable[..., Any]) -> Handler:
    """Return the handler that calls a user's function, plain or async, with the payload as its arguments."""
    if inspect.iscoroutinefunction(function):
        return lambda work: asyncio.run(function(**work.payload))
    return lambda work: function(**work.payload)


def not_built(_: Work) -> None:
    """Fail at once: the queue is there, its handler is not."""
    raise Permanent("no handler yet: this version of nexus_middleware queues these jobs, but cannot run them")
