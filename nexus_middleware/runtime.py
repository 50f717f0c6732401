"""Everything that the stack, the dashboard and the worker share: made from settings, opened late, closed once."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .background import Background
from .drain import drain
from .errors import SettingsError, StoreError
from .settings import Settings
from .stores import open_store

if TYPE_CHECKING:
    from .middleware.ip_filter import Filters
    from .services.analytics import Analytics
    from .services.cache import Cache
    from .services.cache.pages import PageCache
    from .services.decisions import Decisions
    from .services.limits import Limits
    from .services.logs import Log, SharedLevel
    from .services.monitor import Monitor
    from .services.monitor.alerts import Sender
    from .services.monitor.otel import Telemetry
    from .services.notifications import Inbox
    from .services.policies import Policies
    from .services.queues import Queues
    from .services.security import Security
    from .stores.base import Store

LOG = logging.getLogger("nexus_middleware")


class Runtime:
    """The store and the services of one process.

    Args:
        settings: What they are made from.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.front: object = None  # the `Nexus` that is served, for those who show how it is protected
        self.ready = False  # requests are welcome: after the start and before the end
        self._background: Background | None = None
        self._lock = threading.Lock()

    @cached_property
    def store(self) -> Store:
        """Where everything shared is kept."""
        return open_store(self.settings.store, namespace=self.settings.namespace)

    @cached_property
    def cache(self) -> Cache:
        """The cache for the app's own values."""
        from .services.cache import Cache  # only what is used is imported

        return Cache(self.store)

    @cached_property
    def pages(self) -> PageCache:
        """The stored responses, in this process and in the store."""
        from .services.cache.pages import PageCache

        return PageCache(self.store)

    @cached_property
    def monitor(self) -> Monitor:
        """What is measured."""
        from .rules.health import thresholds
        from .services.monitor import Monitor

        settings = self.settings
        monitor = Monitor(self.store, release=settings.release, thresholds=thresholds(settings.health))
        monitor.drops = lambda: self.log.writer.dropped if "log" in self.__dict__ else 0
        monitor.alerts.senders += self._senders()
        return monitor

    def _senders(self) -> list[Sender]:
        """Return what sends alerts, as the settings say."""
        from .services.monitor.senders import by_mail, by_post

        settings = self.settings
        made: list[Sender] = []
        if settings.alert_webhooks:
            queue = self._queue_alert if self.queues.enabled else None
            made.append(by_post(settings.alert_webhooks, settings.alert_secret, self._post, queue=queue))
        if settings.alert_email:
            if not self.queues.enabled:
                raise SettingsError(
                    "alert_email goes through the queues: set NEXUS_QUEUE_STORE (or NEXUS_STORE) to a Redis"
                )
            made.append(by_mail(settings.alert_email, self.queues.queue_email))
        return made

    def _queue_alert(self, message: dict[str, Any], message_id: str) -> None:
        self.queues.options(key=message_id).enqueue("alerts.send", message=message, message_id=message_id)

    def _post(self, url: str, payload: dict[str, Any], secret: str, message_id: str) -> None:
        from .services.webhooks import post

        post(url, payload, secret=secret, message_id=message_id, private=True)  # an administrator named the address

    def _probe(self) -> None:
        """Have the monitor ask the other services how they are."""
        from .services.monitor.probes import CountProbe, HitProbe, QueueProbe

        probes = self.monitor.duty.probes
        if self.queues.enabled:
            probes.append(QueueProbe(self._queue_stats))
        probes.append(CountProbe("security", self._attacks))
        if self.monitor.verdict.judges("cache"):
            probes.append(HitProbe(self._hits))

    def _queue_stats(self) -> dict[str, Any]:
        self.queues.ledger.sample(self.queues.jobs.queues)  # rq is loaded by the one process that asks
        return {**self.queues.all_stats()}

    def _attacks(self) -> int:
        """Count the security events of the busier of this minute and the last, without what administrators did."""
        minutes = [step["counts"] for step in self.security.history(120)]
        own = ("block", "unblock", "admin")
        return max([sum([n for kind, n in counts.items() if kind not in own]) for counts in minutes], default=0)

    def _hits(self) -> tuple[int, int]:
        from .stores.commands import Add

        counts = self.store.run(
            [Add(f"stats:{of}:{what}", 0) for what in ("hits", "misses") for of in ("cache", "page")]
        )
        return counts[0] + counts[1], counts[2] + counts[3]

    @cached_property
    def telemetry(self) -> Telemetry | None:
        """What sends traces and metrics by OpenTelemetry; None unless the settings say so.

        Raises:
            SettingsError: the extra `otel` is not installed.
        """
        if not self.settings.otel:
            return None
        try:
            from .services.monitor.otel import Telemetry
        except ImportError as error:
            raise SettingsError("otel needs the extra: pip install 'nexus-middleware[otel]'") from error

        return Telemetry(self.monitor, environment=self.settings.environment, release=self.settings.release)

    @cached_property
    def security(self) -> Security:
        """Who is blocked."""
        from .services.security import Ban, Security

        settings = self.settings
        proxies = [name for name in settings.trusted_proxies if name not in ("*", "unix")]
        ban = replace(Ban.read(settings.ban), ipv6_prefix=settings.ipv6_prefix) if settings.ban else None
        return Security(self.store, ban=ban, spare=proxies)

    @cached_property
    def filters(self) -> Filters:
        """The address filters of live rules, which every `IPFilter` of the stack asks."""
        from .middleware.ip_filter import Filters

        return Filters()

    @cached_property
    def policies(self) -> Policies:
        """The rules that are changed while the app runs."""
        from .middleware.policy import read_policy
        from .services.policies import Policies

        def check(enforced: str, staged: str) -> Callable[[], None]:
            """Read them: there is no stack here on which they could be put in force."""
            for text in (enforced, staged):
                read_policy(text)
            return lambda: None

        return Policies(self.store, check, path=self.settings.rules)

    @cached_property
    def decisions(self) -> Decisions:
        """What layers decided about requests."""
        from .services.decisions import Decisions

        return Decisions(self.store)

    @cached_property
    def limits(self) -> Limits:
        """How far callers have used their limits."""
        from .services.limits import Limits

        return Limits(self.store)

    @cached_property
    def queues(self) -> Queues:
        """Jobs for the worker."""
        from .services.queues import Queues

        return Queues(self.settings.queue_store or self.settings.store, settings=self.settings)

    @cached_property
    def analytics(self) -> Analytics:
        """What users did, counted; needs Redis."""
        from .services.jobs.analytics import books_of

        return books_of(self.settings)

    @cached_property
    def inbox(self) -> Inbox:
        """The users' messages; needs Redis."""
        from .services.notifications import Inbox

        return Inbox(self.store)

    @cached_property
    def log(self) -> Log:
        """Where events and requests are written."""
        from .services.logs import Log, adopt

        log = Log(self.settings)
        adopt(log)
        return log

    @cached_property
    def log_level(self) -> SharedLevel:
        """The level of the logs of all processes."""
        from .services.logs import SharedLevel

        return SharedLevel(self.store, self.log)

    def check(self) -> None:
        """See that the store answers.

        Raises:
            SettingsError: its URL names none.
            StoreError: it does not answer.
        """
        self.store.check()

    def start(self) -> None:
        """Start the thread that does what no request shall wait for; once a process, and again after a fork."""
        with self._lock:
            if self._background is None or self._background.pid != os.getpid():
                shared = (self.store, self.monitor, self.security, self.policies, self.decisions)
                services = (*shared, self.limits, self.pages, self.cache, self.log_level)
                self._background = Background([service.tick for service in services])
                self._background.start()
                self.policies.listen()
                self._probe()
                if self.telemetry is not None:
                    self.telemetry.start()
                drain(self)
                self.pages.start()
            self.ready = True

    def close(self) -> None:
        """Stop the thread, which writes what it still has, and drop the threads' connections."""
        self.ready = False
        with self._lock:
            background, self._background = self._background, None
        if background is not None and background.pid == os.getpid():
            background.stop()
            self._last(self.monitor.leave)
            if self.telemetry is not None:
                self.telemetry.close()
        if "log" in self.__dict__:
            self.log.writer.flush()
        if "queues" in self.__dict__:
            self.queues.close()
        if "store" in self.__dict__:
            self.store.close()

    def _last(self, step: Callable[[], None]) -> None:
        try:
            step()
        except StoreError as error:
            LOG.warning("at the end, the store could not be told of the last seconds: %s", error)

    async def aclose(self) -> None:
        """`close`, and drop this event loop's connections."""
        self.close()
        if "store" in self.__dict__:
            await self.store.aclose()
