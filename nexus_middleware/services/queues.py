"""Jobs for later: five queues of our own and the user's, kept in Redis and run by `nexus worker`."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from ..errors import NexusError, SettingsError
from ..settings import Settings
from ..stores import REDIS, open_store
from ..stores.base import Store
from .jobs.email import compose
from .jobs.known import known_jobs
from .jobs.registry import Known, call
from .jobs.stats import QueueStats, read

if TYPE_CHECKING:
    from .jobs.ledger import Ledger

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])
NOBODY = "nobody@example.invalid"  # stands in for the sender while the rest is checked


def twin(method: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]:
    """Return `method` for the event loop: a thread does it, and the loop goes on."""

    @functools.wraps(method)
    async def run(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.to_thread(method, self, *args, **kwargs)

    run.__doc__ = f"`{method.__name__}`, for the event loop."
    return run


class Queues:
    """Puts jobs into queues, and tells of and steers the queues; every method has a twin for the event loop.

    What `queue_…` and `enqueue` return is the job's id. A job is run at least once: after a crash it may be run again.
    One that fails is tried again after 2, 4 and 8 seconds. Payloads are JSON, and jobs are known by name alone.

    Args:
        store: Where the jobs are: a Redis. On memory:// there are no queues, and every method says so.
        settings: None to read them from the environment.

    Raises:
        SettingsError: the store's URL or a setting does not fit.
    """

    def __init__(self, store: Store | str, *, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.from_env()
        self.store = open_store(store, namespace=self.settings.namespace) if isinstance(store, str) else store
        self.jobs = known_jobs()

    @property
    def enabled(self) -> bool:
        """Whether there are queues: not on memory://."""
        return self.store.url.partition("://")[0] in REDIS

    @functools.cached_property
    def ledger(self) -> Ledger:
        """What is written in Redis.

        Raises:
            SettingsError: the store is not a Redis.
        """
        if not self.enabled:
            raise SettingsError(
                f"queues need Redis, not {self.store.url}: set NEXUS_STORE (or NEXUS_QUEUE_STORE) to redis://host:port/db"
            )
        from .jobs.ledger import Ledger  # and rq with it, for those alone who have jobs

        return Ledger(cast("Any", self.store), namespace=self.settings.namespace)

    def close(self) -> None:
        """Drop the connections; used again, it opens new ones."""
        if "ledger" in self.__dict__:
            self.ledger.close()

    def queue_email(
        self,
        *,
        to: str | Sequence[str],
        subject: str,
        html: str = "",
        text: str | None = None,
        sender: str | None = None,
        key: str | None = None,
    ) -> str:
        """Send an e-mail; with a `key`, only the first of all that have it is sent, within 7 days.

        Raises:
            ValueError: an address is none, a header has a line break, or there is neither html nor text.
            StoreError: the job could not be queued.
        """
        mail = {"to": to, "subject": subject, "html": html, "text": text, "sender": sender, "key": key}
        return self.queue_bulk_emails([mail])[0]

    def queue_bulk_emails(self, emails: Sequence[Mapping[str, Any]]) -> list[str]:
        """Send many e-mails, each given by the arguments of `queue_email`; none is queued if one of them is wrong."""
        fields = {"to", "subject", "html", "text", "sender", "key"}
        for mail in emails:
            if not {"to", "subject"} <= mail.keys() <= fields:
                raise ValueError(
                    f"an e-mail has to, subject and html or text, and may have sender and key: not {[*mail]}"
                )
            compose(mail, sender=mail.get("sender") or self.settings.smtp_from or NOBODY, key=mail.get("key") or "")
        kept = [{name: value for name, value in mail.items() if value is not None} for mail in emails]
        return self._add("email.send", kept)

    def queue_analytics_aggregation(self, *, type: str, date: str, metrics: Sequence[str] = ()) -> str:  # noqa: A002
        """Aggregate `metrics` of one `date`."""
        return self.enqueue("analytics.aggregate", type=type, date=date, metrics=[*metrics])

    def queue_metric_calculation(self, metric: str, period: str) -> str:
        """Calculate one metric."""
        return self.enqueue("analytics.metric", metric=metric, period=period)

    def queue_notification(
        self,
        *,
        user_id: str,
        type: str,  # noqa: A002  # the name that callers know
        title: str,
        message: str,
        action_url: str | None = None,
        channels: Sequence[str] = ("in-app",),
    ) -> str:
        """Notify one user."""
        note = {"user_id": user_id, "type": type, "title": title, "message": message, "action_url": action_url}
        return self.queue_bulk_notifications([{**note, "channels": channels}])[0]

    def queue_bulk_notifications(self, notifications: Sequence[Mapping[str, Any]]) -> list[str]:
        """Notify many users, each by the arguments of `queue_notification`."""
        needed = {"user_id", "type", "title", "message"}
        for note in notifications:
            if not needed <= note.keys() <= needed | {"action_url", "channels"}:
                raise ValueError(
                    f"a notification has {sorted(needed)}, and may have action_url and channels: not {[*note]}"
                )
        return self._add("notifications.send", [{"channels": ["in-app"], **note} for note in notifications])

    def queue_content_processing(self, *, type: str, content_id: str, operations: Sequence[str]) -> str:  # noqa: A002
        """Process one piece of content."""
        return self.enqueue("content.process", type=type, content_id=content_id, operations=[*operations])

    def queue_revenue_calculation(
        self,
        *,
        type: str,  # noqa: A002  # the name that callers know
        user_id: str | None = None,
        batch_size: int | None = None,
    ) -> str:
        """Calculate the revenue of one user or of all."""
        return self.enqueue("revenue.calculate", type=type, user_id=user_id, batch_size=batch_size)

    def enqueue(self, name: str, /, **payload: Any) -> str:
        """Queue the job registered as `name`, with `payload` as its arguments.

        Raises:
            SettingsError: no job has that name.
            TypeError: the payload cannot be JSON.
            StoreError: the job could not be queued.
        """
        return self._add(name, [payload])[0]

    def _add(self, name: str, payloads: Sequence[Mapping[str, Any]]) -> list[str]:
        ledger = self.ledger
        return ledger.add(self.jobs.find(name), payloads)

    def job(self, name: str, *, queue: str, timeout: float = 180.0) -> Callable[[F], F]:
        """Register the decorated function, plain or async, as the job `name`; `enqueue` gives it its arguments.

        Args:
            name: How `enqueue` and the worker call it.
            queue: One of ours, or a new one.
            timeout: Seconds that one run may take.

        Raises:
            SettingsError: the name is taken, or something does not fit.
        """

        def register(function: F) -> F:
            self.jobs.add(Known(name=name, queue=queue, run=call(function), timeout=timeout))
            return function

        return register

    def stats(self, queue: str) -> QueueStats:
        """Count one queue."""
        return self._stats([self._known(queue)])[queue]

    def all_stats(self) -> dict[str, QueueStats]:
        """Count all queues, in one trip whose cost does not grow with the number of jobs."""
        return self._stats(self.jobs.queues)

    def pause(self, queue: str) -> None:
        """Let workers take no more jobs of `queue`; those that run go on."""
        self.ledger.pause(self._known(queue), paused=True)

    def resume(self, queue: str) -> None:
        """Let workers take jobs of `queue` again."""
        self.ledger.pause(self._known(queue), paused=False)

    def clear(self, queue: str) -> int:
        """Delete the jobs that wait in `queue` or are delayed, and no others; how many there were."""
        return self.ledger.clear(self._known(queue))

    def retry_failed(self, queue: str) -> int:
        """Queue the failed jobs of `queue` again, each with all of its retries; how many there were."""
        return self.ledger.retry_failed(self._known(queue))

    def schedule_recurring_jobs(self) -> None:
        """Say that recurring jobs are not built.

        Raises:
            NexusError: always.
        """
        raise NexusError("recurring jobs are not built yet: let cron or a timer call enqueue")

    def _known(self, queue: str) -> str:
        if queue not in self.jobs.queues:
            raise SettingsError(f"there is no queue {queue!r}: there are {', '.join(self.jobs.queues)}")
        return queue

    def _stats(self, queues: Sequence[str]) -> dict[str, QueueStats]:
        now, workers, rows = self.ledger.stats(queues)
        return {queue: read(row, now, workers) for queue, row in zip(queues, rows, strict=True)}

    aqueue_email = twin(queue_email)
    aqueue_bulk_emails = twin(queue_bulk_emails)
    aqueue_analytics_aggregation = twin(queue_analytics_aggregation)
    aqueue_metric_calculation = twin(queue_metric_calculation)
    aqueue_notification = twin(queue_notification)
    aqueue_bulk_notifications = twin(queue_bulk_notifications)
    aqueue_content_processing = twin(queue_content_processing)
    aqueue_revenue_calculation = twin(queue_revenue_calculation)
    aenqueue = twin(enqueue)
    astats = twin(stats)
    aall_stats = twin(all_stats)
    apause = twin(pause)
    aresume = twin(resume)
    aclear = twin(clear)
    aretry_failed = twin(retry_failed)
    aschedule_recurring_jobs = twin(schedule_recurring_jobs)
