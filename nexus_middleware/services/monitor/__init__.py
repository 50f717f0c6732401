"""What is measured: the time of requests and queries, memory, processor, and whether all that is healthy."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from ...errors import StoreError
from ...http import Request
from ...rules.health import Check, Judge, Status, worst
from ...rules.queries import shape
from ...stores.base import Store, adrive, drive
from ...stores.commands import Add, Command, DropFields, GetFields, SetFields
from .machine import Machine, duration
from .timer import PerformanceTimer, Timing
from .timings import WINDOW, Slot, Timings, added, summary

__all__ = ["Monitor", "PerformanceTimer", "Timing"]

R = TypeVar("R")
LOG = logging.getLogger("nexus_middleware")
SAMPLE_EVERY = 10.0  # seconds
FLUSH_EVERY = 2.0  # seconds
GONE_AFTER = 10.0  # seconds without a sign of life, after which a process no longer counts
PROCESSES = "monitor:processes"
REQUESTS = "monitor:requests"
INBOX = 5_000  # requests noted and not yet counted
SOCKETS = ("ws", "wss")
ENOUGH = 20  # requests, below which a share of errors says nothing


class Snapshot(msgspec.Struct):
    """What a process tells the others of itself."""

    at: float  # seconds since the epoch
    started: float
    rss: float  # MiB
    heap: float  # MiB
    cpu: float | None  # percent of its usable cores
    api: Slot
    database: Slot
    queries: int


class Monitor:
    """Measurements of this process and, with a store that others share, of all.

    No method waits but `ahealth` and `sync`.

    >>> monitor = Monitor()
    >>> monitor.track_api("GET /courses", 12.5, 200)
    >>> monitor.api_stats()["GET /courses"]["avg"]
    12.5

    Args:
        store: Where processes tell one another of themselves; None for this process alone.
        clock: Seconds since the epoch.
    """

    def __init__(self, store: Store | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store if store is not None and store.waits else None
        self._clock = clock
        self._lock = threading.Lock()
        self._judge = Judge()
        self._machine: Machine | None = None
        self._api, self._database = Timings(slow=1.0), Timings(slow=0.5)
        self._inbox: deque[tuple[str, str, float, bool]] = deque()
        self._unsent = 0  # requests not yet added to the store's count
        self._fleet: int | None = None  # requests of all processes, as the store last said
        self._others: dict[str, Snapshot] = {}
        self._sampled = self._flushed = 0.0
        self._down_since: float | None = None

    def record(self, request: Request, status: int, seconds: float, first: float | None) -> None:
        """Note a finished request, for `RequestTiming`; a websocket is none."""
        if request.scheme not in SOCKETS:
            self._inbox.append((request.method, request.route, seconds, status >= 500))
            if len(self._inbox) > INBOX:
                self._fold()

    def _fold(self) -> None:
        """Count what was noted: here and not in a request's path."""
        inbox = self._inbox
        for _ in range(len(inbox)):
            try:
                method, route, seconds, failed = inbox.popleft()
            except IndexError:  # another thread folds too
                return
            self._count(f"{method} {route or '(no route)'}", seconds, failed=failed)

    def _count(self, label: str, seconds: float, *, failed: bool) -> None:
        self._api.add(label, seconds, failed=failed)
        with self._lock:
            self._unsent += 1

    def track_api(self, endpoint: str, ms: float, status: int) -> None:
        """Note a request that no layer sees: "GET /items/{id}", milliseconds and its HTTP status."""
        self._count(endpoint, ms / 1000, failed=status >= 500)

    def track_db(self, query: str, ms: float) -> None:
        """Note a query and its milliseconds; only its shape is kept, never what was asked for."""
        self._database.add(shape(query), ms / 1000, failed=False)

    def measure(self, name: str, fn: Callable[[], R]) -> R:
        """Call `fn` and note its time under `name` as that of a request."""
        began, status = time.perf_counter(), 500
        try:
            outcome = fn()
            status = 200
            return outcome
        finally:
            self.track_api(name, (time.perf_counter() - began) * 1000, status)

    def api_stats(self) -> dict[str, dict[str, Any]]:
        """Return what each endpoint had in this process: count, errors, slow; avg and max in milliseconds."""
        self._fold()
        return self._api.rows()

    def db_stats(self) -> dict[str, dict[str, Any]]:
        """Return the same for each shape of query."""
        return self._database.rows()

    def memory(self) -> dict[str, float]:
        """Return this process's memory in MiB, and its limit."""
        return self._sampled_machine().memory()

    def cpu(self) -> float | None:
        """Return the percent of the usable cores that this process used over the last 10 s; None before that."""
        return self._sampled_machine().percent

    def uptime(self) -> float:
        """Return the seconds since this process started."""
        return self._clock() - self._sampled_machine().started

    def reset(self) -> None:
        """Forget this process's timings; the count of all requests stays."""
        self._fold()
        self._api.reset()
        self._database.reset()

    def tick(self, now: float) -> None:
        """Do what is due at `now`; for the background thread, which may wait.

        Raises:
            StoreError: the others could not be told; what was to be told is kept.
        """
        self._fold()
        if now - self._sampled >= SAMPLE_EVERY:
            self._sampled = now
            self._sampled_machine().sample()
        if self._store is not None and now - self._flushed >= FLUSH_EVERY:
            self._flushed = now
            drive(self._exchange(), self._store.run)

    def leave(self) -> None:
        """Tell the rest of what was counted, and that this process is no more."""
        self._fold()
        if self._store is not None:
            drive(self._exchange(), self._store.run)
            self._store.run([DropFields(PROCESSES, (_name(),))])

    def _exchange(self) -> Generator[list[Command[Any]], list[Any], None]:
        """Add to the count of all, say how this process is, and hear of the others: one trip."""
        with self._lock:
            unsent, self._unsent = self._unsent, 0
        mine = {_name(): msgspec.json.encode(self._snapshot())}
        try:
            total, _, told = yield [Add(REQUESTS, unsent), SetFields(PROCESSES, mine, ttl=3600), GetFields(PROCESSES)]
        except StoreError:
            with self._lock:
                self._unsent += unsent
            self._down_since = self._down_since or self._clock()
            raise
        now = self._clock()
        self._down_since, self._fleet = None, total
        snapshots = {name: msgspec.json.decode(text, type=Snapshot) for name, text in told.items() if name != _name()}
        self._others = {name: each for name, each in snapshots.items() if now - each.at < GONE_AFTER}

    def _snapshot(self) -> Snapshot:
        memory = self.memory()
        machine = self._sampled_machine()
        api, database = self._api.recent(), self._database.recent()
        queries = self._database.total
        return Snapshot(
            self._clock(),
            machine.started,
            memory["rssMB"],
            memory["heapUsedMB"],
            machine.percent,
            api,
            database,
            queries,
        )

    async def ahealth(self) -> dict[str, Any]:
        """`health`, with what the other processes say this moment; with what they last said if the store is down."""
        self._fold()
        if self._store is not None:
            try:
                await adrive(self._exchange(), self._store.arun)
            except StoreError as error:
                LOG.debug("health goes on with what was last known: %s", error)
        return self.health()

    def health(self) -> dict[str, Any]:
        """Return the health of this process, and the counts of all, as `GET …/health` shows it."""
        self._fold()
        live = [self._snapshot(), *self._others.values()]
        api, database = summary(added([x.api for x in live])), summary(added([x.database for x in live]))
        errors = round(api.errors / api.count * 100, 2) if api.count >= ENOUGH else None
        memory = self.memory()
        memory |= {"rssMB": round(sum(x.rss for x in live), 1), "heapUsedMB": round(sum(x.heap for x in live), 1)}
        memory["percent"] = round(memory["rssMB"] / memory["limitMB"] * 100, 1)
        percent = self.cpu()
        checks = self._checks({"memory": memory["percent"], "cpu": percent, "errors": errors, "response": api.p95})
        return {
            "status": worst([check.status for check in checks]),
            "memory": memory,
            "cpu": {
                "percent": percent or 0,
                "cores": self._sampled_machine().cores,
                "load1": round(os.getloadavg()[0], 2),
            },
            "uptime": self._uptime(live),
            "api": {
                "avgResponseTime": round(api.mean or 0),
                "requestCount": self._requests(),
                "p50": api.p50,
                "p95": api.p95,
                "p99": api.p99,
                "errorRate": errors,
                "requestsPerSecond": round(api.count / WINDOW, 2),
                "windowSeconds": WINDOW,
            },
            "database": {
                "avgQueryTime": round(database.mean or 0),
                "queryCount": sum(x.queries for x in live),
                "p95": database.p95,
                "slowCount": database.slow,
            },
            "processes": len(live),
            "checks": [msgspec.to_builtins(check) for check in checks],
            "reasons": [check.text for check in checks if check.status != "healthy"],
        }

    def _checks(self, values: dict[str, float | None]) -> list[Check]:
        checks = self._judge.checks(values, self._clock())
        if self._store is None:
            return checks
        status: Status = "healthy" if self._down_since is None else "degraded"  # every layer goes on without it
        since = "" if self._down_since is None else f" since {_iso(self._down_since)}"
        said = "answers" if self._down_since is None else f"does not answer{since}"
        return [*checks, Check("redis", status, None, "", f"Redis {said}")]

    def _requests(self) -> int:
        """Count the finished requests of all processes that the store knows of, and of this one."""
        if self._fleet is None:
            return self._api.total
        return self._fleet + self._unsent

    def _uptime(self, live: list[Snapshot]) -> dict[str, Any]:
        seconds = self.uptime()
        return {
            "processFormatted": duration(seconds),
            "processSeconds": round(seconds),
            "startedAt": _iso(self._sampled_machine().started),
            "youngestSeconds": round(self._clock() - max(x.started for x in live)),
        }

    def _sampled_machine(self) -> Machine:
        if self._machine is None:
            self._machine = Machine()
        return self._machine


def _name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
