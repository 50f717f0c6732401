"""What notes measurements, without ever waiting."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from ...http import CURRENT, Request
from ...rules.queries import shape
from ...stores.memory import MemoryStore
from .counts import SLOW, Counts
from .incidents import Work
from .intake import FULL, Row
from .stats import Stat, told
from .timer import PerformanceTimer

R = TypeVar("R")
MEMORY = 16 * 2**20  # bytes for this process's own history
SOCKETS = ("ws", "wss")


class Measures:
    """Takes what is measured in this process.

    Args:
        shared: Whether others are told.
        clock: Seconds since the epoch.
    """

    def __init__(self, *, shared: bool, clock: Callable[[], float]) -> None:
        self.own = MemoryStore(max_bytes=MEMORY)  # the history of this process alone, for when the store is away
        self.clock = clock
        self.running: dict[Any, float] = {}  # requests under way: `RequestTiming` keeps them here
        self.count_anew(shared=shared)

    def count_anew(self, *, shared: bool) -> None:
        """Forget what was counted, as a forked process must what its parent has."""
        self.counts = Counts(self.own, shared=shared)
        self.rows = self.counts.intake.requests

    def record(self, request: Request, status: int, seconds: float, first: float | None) -> None:
        """Note a finished request, for `RequestTiming`; a websocket or a stream is counted apart."""
        row = self.rows.get((request.method, request.route, status))
        if row is None or "noted" in request.notes:
            row = self._looked_at(request, status, seconds)
            if row is None:
                return
        row.add(seconds)
        if first is not None:
            row.add_first(first)
        if seconds >= 1.0 or status >= 500:
            self._keep(request, status, seconds, row.name.label)
        if len(row.seconds) >= FULL:
            self.fold()

    def _looked_at(self, request: Request, status: int, seconds: float) -> Row | None:
        """Return the row of a request that is new or has more to it; None if it is no plain request."""
        noted = request.notes.get("noted")
        if noted == "stream" or request.scheme in SOCKETS:
            self.note("socket" if request.scheme in SOCKETS else "stream", request.route or "(no route)", seconds)
            return None
        row = self.counts.intake.request_row(request.method, request.route, status)
        if noted is not None:
            self.counts.incidents.worked(noted, row.name.label)
        return row

    def _keep(self, request: Request, status: int, seconds: float, label: str) -> None:
        """Keep what is worth a look about one request."""
        if seconds >= SLOW["api"]:
            work = request.notes.get("noted") or Work()
            method, _, route = label.partition(" ")
            self.counts.incidents.slow(
                at=self.clock(),
                method=method,
                route=route,
                status=status,
                ms=round(seconds * 1000, 1),
                dbMs=round(work.ms, 1),
                dbCount=work.count,
                client=request.client,
                requestId=request.request_id,
            )
        error = sys.exc_info()[1] if status >= 500 else None  # `record` runs while it is on its way out
        if isinstance(error, Exception):
            self.track_error(error, endpoint=label, request_id=request.request_id)

    def note(self, kind: str, label: str, seconds: float, *, failed: bool = False, status: str = "") -> None:
        """Note a duration of a kind that `intake.Name` knows."""
        if self.counts.note(kind, label, seconds, failed=failed, status=status):
            self.fold()

    def track_api(self, endpoint: str, ms: float, status: int) -> None:
        """Note a request that no layer sees: "GET /items/{id}", milliseconds and its HTTP status."""
        self.note("api", endpoint, ms / 1000, failed=status >= 500, status=f"{status // 100}xx")

    def track_db(self, query: str, ms: float, *, failed: bool = False) -> None:
        """Note a query and its milliseconds; only its shape is kept, never what was asked for."""
        query = shape(query)
        self.note("db", query, ms / 1000, failed=failed)
        request = CURRENT.get()
        if request is not None:
            work = request.notes.setdefault("noted", Work())
            if isinstance(work, Work):  # a stream's are not counted
                work.add(query, ms)

    def track_api_call(self, endpoint: str, ms: float, status: int) -> None:
        """Note a call to another service: "GET api.example.org", milliseconds, and its HTTP status; 0 for no answer."""
        self.note("call", endpoint, ms / 1000, failed=status >= 500 or status == 0)

    def track_timer(self, name: str, ms: float, failed: bool = False) -> None:  # noqa: FBT001, FBT002  # as PerformanceTimer says it
        """Note how long something of the app's own took, in milliseconds."""
        self.note("timer", name, ms / 1000, failed=failed)

    def track_error(self, error: BaseException, *, endpoint: str = "", request_id: str = "") -> None:
        """Note an exception, grouped by its type and the line that raised it."""
        self.counts.incidents.failed(error, self.clock(), endpoint, request_id)

    def timer(self, name: str) -> PerformanceTimer:
        """Return a `PerformanceTimer` whose times are kept here."""
        return PerformanceTimer(name, note=self.track_timer)

    def measure(self, name: str, fn: Callable[[], R]) -> R:
        """Call `fn`, and note its time among the timers under `name`."""
        with self.timer(name):
            return fn()

    def api_stats(self) -> dict[str, dict[str, Any]]:
        """Return what each endpoint had in this process since it started: counts, and times in milliseconds."""
        return self._told("api")

    def db_stats(self) -> dict[str, dict[str, Any]]:
        """Return the same for each shape of query."""
        return self._told("db")

    def timer_stats(self) -> dict[str, dict[str, Any]]:
        """Return the same for what `measure` and the timers have timed."""
        return self._told("timer")

    def _told(self, kind: str) -> dict[str, dict[str, Any]]:
        self.fold()
        stats: dict[str, Stat] = {}
        for name, stat in [*self.counts.since_start.items()]:
            if name.kind == kind:
                stats.setdefault(name.label, Stat(buckets={})).add(stat)
        return {label: told(stat) for label, stat in stats.items()}

    def reset(self) -> None:
        """Forget this process's timings since its start; the count of all requests and the history stay."""
        self.fold()
        self.counts.forget()

    def fold(self) -> None:
        """Count what was noted."""
        self.counts.fold(self.clock(), self.gauges())

    def gauges(self) -> dict[str, float]:
        """Return what is measured as it is, and not counted."""
        return {"running": len(self.running)}
