"""Put jobs into queues: the methods of `Queues` that add something."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import msgspec

from ...errors import SettingsError
from ...settings import Settings
from ...stores import CLUSTER, REDIS, open_store
from ...stores.base import Store
from ..jobs.email import Mail, compose
from ..jobs.how import How
from ..jobs.known import known_jobs
from ..jobs.payloads import known
from ..jobs.revenue import Source
from .twins import twin

if TYPE_CHECKING:
    from ..jobs.ledger import Ledger

F = TypeVar("F", bound=Callable[..., Any])
S = TypeVar("S", bound=Source)
NOBODY = "nobody@example.invalid"  # stands in for the sender while the rest is checked


class Producer:
    """What `Queues` adds jobs with."""

    def __init__(self, store: Store | str, *, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.from_env()
        self.store = open_store(store, namespace=self.settings.namespace) if isinstance(store, str) else store
        self.jobs = known_jobs()
        self.how = How()

    @property
    def enabled(self) -> bool:
        """Whether there are queues: not on memory://, and not in a cluster, where RQ's keys have no place in common."""
        scheme = self.store.url.partition("://")[0]
        return scheme in REDIS and scheme not in CLUSTER

    @functools.cached_property
    def ledger(self) -> Ledger:
        """What is written in Redis.

        Raises:
            SettingsError: the store is not a Redis, or is a cluster.
        """
        if not self.enabled:
            where = getattr(self.store, "where", self.store.url)
            raise SettingsError(
                f"queues need one Redis, or one named by Sentinels, not {where}: set NEXUS_QUEUE_STORE (or NEXUS_STORE)"
                " to redis://host:port/db"
            )
        from ..jobs.ledger import Ledger  # and rq with it, for those alone who have jobs

        return Ledger(cast("Any", self.store), namespace=self.settings.namespace)

    def close(self) -> None:
        """Drop the connections; used again, it opens new ones."""
        if "ledger" in self.__dict__:
            self.ledger.close()

    def options(
        self, *, key: str = "", delay: float = 0.0, at: datetime | None = None, after: Sequence[str] = ()
    ) -> Self:
        """Return the same queues, whose jobs are put in with these options.

        `queues.options(delay=60).queue_email(…)` sends a mail in a minute.

        Args:
            key: Of all jobs of one name and key only the first is queued, within 7 days; the id of that one is
                returned for the others. One that failed, or was deleted before it ran, may be queued again.
            delay: Seconds to wait.
            at: When to run, with a time zone.
            after: Ids of jobs that must be done first. While one of them is failed the job waits for its retry; it
                fails if one is deleted.

        Raises:
            SettingsError: they do not fit, or not together, or there are no queues.
        """
        how, _ = How(key=key, delay=delay, at=at, after=tuple(after)), self.ledger  # made now, so that all share it
        view = copy.copy(self)
        view.how = how
        return view

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

    def queue_bulk_emails(self, emails: Sequence[Mapping[str, Any]], *, unsubscribe: str = "") -> list[str]:
        """Send many e-mails, each given by the arguments of `queue_email`; none is queued if one of them is wrong.

        Args:
            emails: Each may have an `unsubscribe` of its own.
            unsubscribe: An https:// or mailto: URL for `List-Unsubscribe`, which mail to many must have. An https one
                is said to take one click (RFC 8058): it must unsubscribe on POST, without a question.
        """
        common = {"unsubscribe": unsubscribe} if unsubscribe else {}
        given = [{**common, **{name: part for name, part in mail.items() if part is not None}} for mail in emails]
        check = self.jobs.find("email.send").check
        for payload in given:
            mail = msgspec.convert(check(payload), Mail)
            compose(mail, sender=mail.sender or self.settings.smtp_from or NOBODY, key=mail.key or "")
        return self.enqueue_many("email.send", given)

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
        return self.queue_bulk_notifications([{**note, "channels": [*channels]}])[0]

    def queue_bulk_notifications(self, notifications: Sequence[Mapping[str, Any]]) -> list[str]:
        """Notify many users, each by the arguments of `queue_notification`."""
        return self.enqueue_many("notifications.send", notifications)

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
        """Queue the job registered as `name`, with `payload` as its arguments; return the job's id.

        Raises:
            SettingsError: no job has that name.
            PayloadError: the job does not take that; the message names the field.
            StoreError: the job could not be queued.
        """
        return self.enqueue_many(name, [payload])[0]

    def enqueue_many(self, name: str, payloads: Sequence[Mapping[str, Any]]) -> list[str]:
        """Queue a job for each of `payloads`, 500 in one trip; none if one of them is wrong.

        Raises:
            SettingsError: no job has that name, or one `key` is given for many.
            PayloadError: as for `enqueue`.
            StoreError: the jobs could not be queued, or not all of them.
        """
        ledger = self.ledger
        job = self.jobs.find(name)
        if self.how.key and len(payloads) != 1:
            raise SettingsError(f"key={self.how.key!r} is for one job, not for {len(payloads)}")
        return ledger.add(job, [job.check(payload) for payload in payloads], self.how)

    def job(self, name: str, *, queue: str, timeout: float = 180.0, isolated: bool = False) -> Callable[[F], F]:
        """Register the decorated function, plain or async, as the job `name`; `enqueue` gives it its arguments.

        What is annotated is checked, when the job is queued and when it is run. A parameter annotated `Work` is given
        the run: its id, attempt, progress and more.

        Args:
            name: How `enqueue` and the worker call it.
            queue: One of ours, or a new one.
            timeout: Seconds that one run may take.
            isolated: Each run in a forked process of its own, which may leak, crash or hang, and takes some 20 ms more.

        Raises:
            SettingsError: the name is taken, or something does not fit.
        """

        def register(function: F) -> F:
            self.jobs.add(known(function, name=name, queue=queue, timeout=timeout, isolated=isolated))
            return function

        return register

    def revenue_source(self, function: S) -> S:
        """Have the decorated function give all `Subscription`s and `Payment`s to the jobs that calculate revenue.

        The worker calls it, without arguments; it may be a generator.
        """
        self.jobs.revenue = function
        return function

    aqueue_email = twin(queue_email)
    aqueue_bulk_emails = twin(queue_bulk_emails)
    aqueue_analytics_aggregation = twin(queue_analytics_aggregation)
    aqueue_metric_calculation = twin(queue_metric_calculation)
    aqueue_notification = twin(queue_notification)
    aqueue_bulk_notifications = twin(queue_bulk_notifications)
    aqueue_content_processing = twin(queue_content_processing)
    aqueue_revenue_calculation = twin(queue_revenue_calculation)
    aenqueue = twin(enqueue)
    aenqueue_many = twin(enqueue_many)
