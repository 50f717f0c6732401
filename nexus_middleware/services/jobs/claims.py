"""What the ledger hands out: a job to run, and what is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rq.job import Job

from .how import How


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that this worker, and no other, is running."""

    queue: str  # by its name in Redis
    member: str  # job and execution
    job: Job
    waited: float = 0.0  # seconds
    fields: Mapping[str, bytes] = field(default_factory=dict)  # all that is written of it

    @property
    def extra(self) -> dict[str, str]:
        """What RQ knows nothing of, such as the key and the request id."""
        return {name: self.fields[name].decode() for name in How.EXTRA if name in self.fields}


@dataclass(frozen=True, slots=True)
class Due:
    """What the keeper of the queues is told."""

    moved: int  # jobs that were put into their queues
    soonest: float  # seconds until the next
    now: float  # the server's time, in seconds since the epoch
    schedules: tuple[str, ...] = ()  # names of those that are due
