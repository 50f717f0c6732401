"""Jobs for later: five queues of our own and the user's, kept in Redis and run by `nexus worker`."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...errors import SettingsError
from ..jobs.registry import check_name
from ..jobs.stats import QueueStats, read
from ..jobs.suppressed import Suppressed
from .producer import Producer
from .schedules import Schedules
from .twins import twin

if TYPE_CHECKING:
    from .board import Board


class Queues(Producer):
    """Puts jobs into queues, and tells of and steers the queues; every method has a twin for the event loop.

    What `queue_…` and `enqueue` return is the job's id. A job is run at least once: after a crash it may be run again.
    One that fails is tried again after 2, 4 and 8 seconds. Payloads are JSON, and jobs are known by name alone.

    Args:
        store: Where the jobs are: a Redis. On memory:// there are no queues, and every method says so.
        settings: None to read them from the environment.

    Raises:
        SettingsError: the store's URL or a setting does not fit.
    """

    def stats(self, queue: str) -> QueueStats:
        """Count one queue."""
        return self._stats([self.known(queue)])[queue]

    def all_stats(self) -> dict[str, QueueStats]:
        """Count all queues, in one trip whose cost does not grow with the number of jobs."""
        return self._stats(self.jobs.queues)

    def pause(self, queue: str) -> None:
        """Let workers take no more jobs of `queue`; those that run go on."""
        self.ledger.pause(self.known(queue), paused=True)

    def resume(self, queue: str) -> None:
        """Let workers take jobs of `queue` again."""
        self.ledger.pause(self.known(queue), paused=False)

    def set_rate(self, queue: str, rate: str | None) -> None:
        """Let jobs of `queue` begin no more often than `rate`, evenly spaced over all workers; it holds at once.

        Args:
            queue: Which.
            rate: In the notation of `limits`, as "100/minute"; None lifts it.

        Raises:
            SettingsError: the rate cannot be read.
        """
        self.ledger.rate(self.known(queue), _gap(rate) if rate else 0.0)

    def clear(self, queue: str) -> int:
        """Delete the jobs that wait in `queue` or are delayed, and no others; how many there were."""
        return self.ledger.clear(self.known(queue))

    def retry_failed(self, queue: str) -> int:
        """Queue the failed jobs of `queue` again, each with all of its retries; how many there were."""
        return self.ledger.retry_failed(self.known(queue))

    def schedule_recurring_jobs(self, *, zone: str = "UTC") -> None:
        """Let our own three jobs recur; said again, it changes nothing. `schedules` takes yours.

        They are `daily-aggregation` at 0:00, `weekly-report` on Mondays at 6:00, and `hourly-revenue-calc`.

        Raises:
            SettingsError: there is no such time zone.
            StoreError: Redis did not answer.
        """
        self.schedules.add_standard(zone=zone)

    @functools.cached_property
    def board(self) -> Board:
        """Single jobs, workers, and how the queues went."""
        from .board import Board  # and rq with it

        return Board(self.ledger)

    @functools.cached_property
    def schedules(self) -> Schedules:
        """The recurring jobs."""
        return Schedules(self.ledger, self.jobs)

    def discover(self) -> tuple[str, ...]:
        """Learn of the queues whose jobs only other processes register, to count and steer them; return all queues."""
        self.jobs.others |= self.ledger.names()
        return self.jobs.queues

    @property
    def suppressed(self) -> Suppressed:
        """The addresses that get no more mail."""
        return Suppressed(self.ledger.client, self.ledger.prefix)

    def known(self, queue: str) -> str:
        """Return `queue`.

        Raises:
            SettingsError: there is none of that name.
        """
        if queue not in self.jobs.queues:
            check_name(queue)
            raise SettingsError(f"there is no queue {queue!r}: there are {', '.join(self.jobs.queues)}")
        return queue

    def _stats(self, queues: Sequence[str]) -> dict[str, QueueStats]:
        told, rows = self.ledger.stats(queues)
        served = [names.split() for names in told]
        # Who does not say serves all.
        workers = [sum(not names or queue in names for names in served) for queue in queues]
        return {queue: read(row, n) for queue, row, n in zip(queues, rows, workers, strict=True)}

    astats = twin(stats)
    aall_stats = twin(all_stats)
    apause = twin(pause)
    aresume = twin(resume)
    aset_rate = twin(set_rate)
    aclear = twin(clear)
    aretry_failed = twin(retry_failed)
    adiscover = twin(discover)
    aschedule_recurring_jobs = twin(schedule_recurring_jobs)


def _gap(rate: str) -> float:
    """Return the seconds between two jobs."""
    from limits import parse_many

    try:
        items = parse_many(rate)
    except ValueError as error:
        raise SettingsError(f"rate={rate!r} must be like '100/minute': {error}") from error
    if len(items) != 1 or not items[0].amount:
        raise SettingsError(f"rate={rate!r} must be one rate above 0, like '100/minute'")
    return items[0].get_expiry() / items[0].amount
