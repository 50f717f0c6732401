"""What is measured: the time of requests and queries, memory, processor, and whether all that is healthy."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from typing import Any

import msgspec

from ...errors import StoreError
from ...rules.health import KNOWN, Check, Threshold, worst
from ...stores.base import Store, adrive, drive
from ...stores.commands import Command, DropFields, GetFields, SetFields
from .alerts import Alerts
from .duty import Duty
from .fleet import GONE_AFTER, PROCESSES, WINDOW, Fleet, Snapshot, read
from .history import History, marked
from .lag import LoopWatch
from .machine import Machine, mebi
from .measures import Measures
from .timer import PerformanceTimer, Timing
from .verdict import Verdict

__all__ = ["Monitor", "PerformanceTimer", "Timing"]

LOG = logging.getLogger("nexus_middleware")
SAMPLE_EVERY = 10.0  # seconds
FLUSH_EVERY = 2.0  # seconds
TRIPS = 8  # that one flush may take, when much has gathered


class Monitor(Measures):
    """Measurements of this process and, with a store that others share, of all.

    What notes a measurement never waits. `tick`, which the background calls every second, counts what was noted and tells
    the store every 2 s; that is what a process which is killed can lose. `history` has the reads over hours and days.

    >>> monitor = Monitor()
    >>> monitor.track_api("GET /courses", 12.5, 200)
    >>> monitor.api_stats()["GET /courses"]["avg"]
    12.5

    Args:
        store: Where processes tell one another of themselves; None for this process alone.
        release: The app's version; a new one is marked on the charts.
        thresholds: What is healthy, as `rules.health.thresholds` reads it from settings.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        release: str = "",
        thresholds: tuple[Threshold, ...] = KNOWN,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = store if store is not None and store.waits else None
        super().__init__(shared=self.store is not None, clock=clock)
        self.release = release
        self.history = History(self)
        self.drops: Callable[[], int] = int  # how many log lines were dropped, since ever; for who writes logs to say
        self.lag = LoopWatch(lambda seconds: self.note("lag", "", seconds))
        self.alerts = Alerts(clock)
        self.duty = Duty(self.alerts)
        self.verdict = Verdict(thresholds, shared=self.store is not None)
        self._telling = threading.Lock()
        self.begin()

    def begin(self) -> None:
        """Begin to count; in a forked process again, without what its parent has counted."""
        self.count_anew(shared=self.store is not None)
        self._machine: Machine | None = None
        self._fleet: int | None = None  # requests of all processes, as the store last said
        self._others: list[Snapshot] = []
        self._sampled = self._flushed = 0.0
        self._drops = 0
        self._cached: tuple[float, dict[str, Any]] | None = None
        self._marked = False

    def memory(self) -> dict[str, float]:
        """Return this process's memory in MiB, as last sampled, and its limit."""
        return self._sampled_machine().memory()

    def cpu(self) -> float | None:
        """Return the percent of the usable cores that this process used over the last 10 s; None before that."""
        return self._sampled_machine().percent

    def uptime(self) -> float:
        """Return the seconds since this process started."""
        return self.clock() - self._sampled_machine().started

    def gauges(self) -> dict[str, float]:
        """Return what is measured as it is, and not counted."""
        machine = self._machine
        gauges: dict[str, float] = {"running": len(self.running)}
        if machine is not None:
            gauges["rssMB"] = mebi(machine.rss)
            gauges |= {} if machine.percent is None else {"cpu": machine.percent}
        return gauges

    def keep(self) -> None:
        """Count what was noted, so that this process's own history has it."""
        self.fold()
        if self.store is None:
            drive(self.counts.exchange([]), self.own.run)

    def tick(self, now: float) -> None:
        """Do what is due at `now`; for the background thread, which may wait.

        Raises:
            StoreError: the others could not be told; what was to be told is kept.
        """
        if self.counts.pid != os.getpid():
            self.begin()
        self.lag.knock()
        self._count_drops(now)
        if not 0 <= now - self._sampled < SAMPLE_EVERY:  # the clock may have been set back
            self._sampled = now
            self._sampled_machine().sample()
        self.fold()
        if not 0 <= now - self._flushed < FLUSH_EVERY and self._telling.acquire(blocking=False):
            self._flushed = now
            self._sampled_machine().weigh()
            try:
                self._tell()
            finally:
                self._telling.release()
                self.duty.tick(self.counts.name, self.store.run if self.store else self.own.run, now, self.checks)

    def _count_drops(self, now: float) -> None:
        dropped = self.drops()
        if dropped > self._drops:
            self.counts.dropped.append((now, dropped - self._drops))
        self._drops = dropped

    def _tell(self) -> None:
        for _ in range(TRIPS):
            drive(self._exchange(), self.store.run if self.store else self.own.run)
            if not self.counts.outbox.waits:
                return

    def leave(self) -> None:
        """Tell the rest of what was counted, and that this process is no more."""
        self.fold()
        with self._telling:
            self._tell()
        if self.store is not None:
            self.store.run([DropFields(PROCESSES, (self.counts.name,))])

    def _exchange(self) -> Generator[list[Command[Any]], list[Any], None]:
        """Tell what was counted and how this process is, and hear of the others: one trip."""
        mine = {self.counts.name: msgspec.json.encode(self._snapshot())}
        began = time.perf_counter()
        try:
            said = yield from self.counts.exchange([SetFields(PROCESSES, mine, ttl=3600), GetFields(PROCESSES)])
        except StoreError:
            self.verdict.trip(None, self.clock())
            raise
        if said:
            self.verdict.trip((time.perf_counter() - began) * 1000, self.clock())
            self._fleet = int(said[2].get("n", 0))
            self._others, gone = read(said[1], self.counts.name, self.clock())
            if gone:
                yield [DropFields(PROCESSES, gone)]
            if self.release and not self._marked:
                self._marked = True
                yield from marked(self.release, socket.gethostname(), self.clock())

    def _snapshot(self) -> Snapshot:
        machine, counts, now = self._sampled_machine(), self.counts, self.clock()
        queries = sum([stat.count for name, stat in [*counts.since_start.items()] if name.kind == "db"])
        return Snapshot(
            at=now,
            started=machine.started,
            host=socket.gethostname(),
            pid=counts.pid,
            rss=machine.rss,
            private=machine.private,
            limit=machine.memory_limit,
            cpu=machine.percent,
            cores=machine.cores,
            load=os.getloadavg()[0],
            api=counts.recent("api", now),
            first=counts.recent("first", now),
            database=counts.recent("db", now),
            lag=counts.recent("lag", now, 30),
            queries=queries,
            running=len(self.running),
            dropped=sum([n for at, n in [*counts.dropped] if at > now - WINDOW]),
            release=self.release,
        )

    async def ahealth(self) -> dict[str, Any]:
        """`health`, with what the other processes say this moment; with what they last said if the store is down."""
        self.fold()
        if self.store is not None:
            for _ in range(20):  # one telling at a time, or a later one could overtake an earlier one
                if self._telling.acquire(blocking=False):
                    break
                await asyncio.sleep(0.005)
            else:
                return self.health()
            try:
                await adrive(self._exchange(), self.store.arun)
            except StoreError as error:
                LOG.debug("health goes on with what was last known: %s", error)
            finally:
                self._telling.release()
        return self.health()

    def health(self) -> dict[str, Any]:
        """Return the health of this process, and the counts of all, as `GET …/health` shows it."""
        self.fold()
        fleet = self.fleet()
        checks = self.checks()
        return {
            "status": worst([check.status for check in checks]),
            **fleet.shape(self._requests(), self.clock(), _iso),
            "checks": [{**msgspec.to_builtins(x), "since": x.since and _iso(x.since)} for x in checks],
            "reasons": [check.text for check in checks if check.status != "healthy"],
        }

    def cached_health(self, seconds: float = 10.0) -> dict[str, Any]:
        """Return what `health` last returned here, if that is not older than `seconds`; for who asks often."""
        now = self.clock()
        if self._cached is None or not 0 <= now - self._cached[0] < seconds:
            self._cached = now, self.health()
        return self._cached[1]

    def mute(self, code: str, seconds: float = 3600.0) -> bool:
        """Tell nobody of the alert `code` for so many seconds; 0 to tell again. Whether there is one.

        Raises:
            StoreError: the store did not answer.
        """
        return bool(drive(self.alerts.muting(code, seconds), self.store.run if self.store else self.own.run))

    async def amute(self, code: str, seconds: float = 3600.0) -> bool:
        """`mute`, for the event loop."""
        return bool(await adrive(self.alerts.muting(code, seconds), self.store.arun if self.store else self.own.arun))

    def fleet(self) -> Fleet:
        """Return the live processes, as they last said they were."""
        now = self.clock()
        return Fleet(self._snapshot(), [each for each in self._others if now - each.at < GONE_AFTER])

    def checks(self) -> list[Check]:
        """Return the verdicts, of a sample taken now if the last one is 2 s old."""
        self.verdict.sample(self.fleet(), self.duty.values, self.clock())
        return self.verdict.checks(self.duty.values)

    def _requests(self) -> int:
        """Count the finished requests of all processes that the store knows of, and of this one."""
        return self.counts.total if self._fleet is None else self._fleet + self.counts.outbox.unsent

    def _sampled_machine(self) -> Machine:
        if self._machine is None:
            self._machine = Machine()
        return self._machine


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
