"""The jobs a worker knows by name; nothing that stands in Redis is ever imported or unpickled."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from ...errors import NexusError, SettingsError

if TYPE_CHECKING:
    from ...settings import Settings
    from .once import Once
    from .revenue import Source

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
        why: What it waits for, for the log and the dashboard.
    """

    def __init__(self, seconds: float, why: str) -> None:
        super().__init__(why)
        self.seconds = seconds


Report: TypeAlias = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One run of a job, as its function sees it: it is given to the parameter that is annotated `Work`."""

    id: str
    attempt: int  # 1 for the first run
    payload: dict[str, Any]
    settings: Settings
    once: Once  # to act once, however often the job runs
    queue: str = ""
    key: str = ""  # by which repeats are known: the job's idempotency key, or else its id
    request_id: str = ""  # of the request that queued it; "" if none did
    traceparent: str = ""  # the trace of that request (W3C Trace Context)
    slot: datetime | None = None  # for a recurring job: the time it was due, in its schedule's zone
    client: Any = None  # a redis.Redis on the server of the queues; keys of your own begin with `prefix`
    prefix: str = ""
    report: Report = field(default=lambda _: None, repr=False)

    def progress(self, done: float, total: float, note: str = "") -> None:
        """Say how far it is, for the dashboard; at most ten times a second is sensible.

        Raises:
            StoreError: Redis did not answer.
        """
        self.report({"done": done, "total": total, "note": note[:200]})


Handler: TypeAlias = Callable[[Work], Any]
Check: TypeAlias = Callable[[Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A job that may be queued and run."""

    name: str
    queue: str
    run: Handler
    check: Check = dict  # the payload as JSON, or a PayloadError that names the field
    timeout: float = 180.0  # seconds
    isolated: bool = False  # each run in a forked process of its own, which may leak, crash or hang


@dataclass(slots=True)
class Registry:
    """Jobs by name."""

    jobs: dict[str, Known] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)  # queues of jobs that only another process knows
    revenue: Source | None = None  # gives the subscriptions and payments of `revenue.calculate`

    def add(self, known: Known) -> None:
        """Make a job known.

        Raises:
            SettingsError: its name is taken, or a name or the timeout does not fit.
        """
        for name in (known.name, known.queue):
            check_name(name)
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
        theirs = [known.queue for known in self.jobs.values()]
        return tuple(dict.fromkeys([*QUEUES, *theirs, *sorted(self.others)]))


def check_name(name: str) -> None:
    """See that `name` will do for a job, a queue or a schedule.

    Raises:
        SettingsError: it does not.
    """
    if not NAME.fullmatch(name):
        raise SettingsError(f"{name!r} must be 1 to 100 letters, digits, dots, dashes or underscores")
