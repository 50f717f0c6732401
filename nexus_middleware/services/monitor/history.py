"""What was measured over hours and days: the dashboard's reads, from Redis or from this process's own memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeAlias

import msgspec

from ...errors import SettingsError, StoreError
from ...stores.base import adrive, drive
from ...stores.commands import Command, Get, GetFields, Latest, Push, Put, SumFields
from .fleet import GONE_AFTER, PROCESSES, Snapshot
from .rings import KINDS_BY_LABEL, SHARDS, TOP, label_key, labelled, slot_key, total_key, window
from .stats import Stat, told, total
from .tables import ROWS, Stats, by_endpoint, chosen, heaviest, named, point, repeated

if TYPE_CHECKING:
    from . import Monitor

P = ParamSpec("P")
WINDOWS = {"15m": 900, "1h": 3_600, "6h": 21_600, "24h": 86_400, "7d": 604_800}  # seconds
AT_ONCE = 24  # steps that Redis sums up in one go
SLOTS_AT_ONCE = 60
DEPLOYS_KEPT = 90 * 86_400.0  # seconds
SLOW, REPEATS, DEPLOYS = "monitor:slow", "monitor:repeats", "monitor:deploys"
ERRORS, ERROR_COUNTS = "monitor:errors", "monitor:errors:counts"
Steps: TypeAlias = Generator[list[Command[Any]], list[Any], dict[str, Any]]
Read: TypeAlias = "Callable[Concatenate[History, P], dict[str, Any]]"
ARead: TypeAlias = "Callable[Concatenate[History, P], Awaitable[dict[str, Any]]]"


def both(steps: Callable[Concatenate[History, P], Steps]) -> tuple[Read[P], ARead[P]]:
    """Return a read for threads and one for the event loop; while Redis is away they read this process's own memory."""

    def run(self: History, /, *args: P.args, **kwargs: P.kwargs) -> dict[str, Any]:
        monitor = self.monitor
        monitor.keep()
        if monitor.store is not None:
            try:
                return {**drive(steps(self, *args, **kwargs), monitor.store.run), "scope": "cluster"}
            except StoreError:
                self.failed += 1
        return {**drive(steps(self, *args, **kwargs), monitor.own.run), "scope": "process"}

    async def arun(self: History, /, *args: P.args, **kwargs: P.kwargs) -> dict[str, Any]:
        monitor = self.monitor
        monitor.keep()
        if monitor.store is not None:
            try:
                return {**await adrive(steps(self, *args, **kwargs), monitor.store.arun), "scope": "cluster"}
            except StoreError:
                self.failed += 1
        return {**drive(steps(self, *args, **kwargs), monitor.own.run), "scope": "process"}

    run.__doc__ = arun.__doc__ = steps.__doc__
    return run, arun


class History:
    """Reads over a window, "15m", "1h", "6h", "24h" or "7d"; each has a twin for the event loop, `series`/`aseries`.

    Each answer is a dict, with `scope`: "cluster", or "process" where it is this process's own memory: on memory://, or
    while Redis is away. Times are milliseconds, moments seconds since the epoch.

    >>> from nexus_middleware.services.monitor import Monitor
    >>> monitor = Monitor()
    >>> monitor.track_api("GET /courses", 12.5, 200)
    >>> [(row["endpoint"], row["count"]) for row in monitor.history.endpoints("15m")["items"]]
    [('GET /courses', 1)]
    """

    def __init__(self, monitor: Monitor) -> None:
        self.monitor = monitor
        self.failed = 0  # reads that Redis did not answer

    def _series(self, window_: str = "1h", process: str = "") -> Steps:
        """Return `step` in seconds and `points`, oldest first, of all processes or of one, as `processes` names them.

        A point has `at`, `requests`, `statuses` by class, `avg`, `p50`, `p95`, `p99`, `firstP95`, `rssMB`, `cpu`, `lagP95`, `dbCount`,
        `dbAvg`, `dbP95`, `calls`, `running`, `streams` and `sockets`; null where nothing was measured. The last one has
        `partial`: true, since its step is not over.
        """
        ring, steps = window(_seconds(window_), self.monitor.clock())
        hashes: list[dict[str, bytes]] = []
        for start in range(0, len(steps), SLOTS_AT_ONCE):
            hashes += yield [GetFields(slot_key(ring, at)) for at in steps[start : start + SLOTS_AT_ONCE]]
        points = [point(at, ring, chosen(hash_, process)) for at, hash_ in zip(steps, hashes, strict=True)]
        points[-1]["partial"] = True
        (deploys,) = yield [Latest(DEPLOYS, 20)]
        marks = [mark for mark in map(msgspec.json.decode, deploys) if mark["at"] >= steps[0]]
        return {"window": window_, "step": ring.step, "points": points, "deploys": marks}

    def _endpoints(self, window_: str = "1h") -> Steps:
        """Return `items`: endpoints by the time they took in all, each with counts, times, `statuses` and its `share`."""
        stats = yield from self._stats("api", window_)
        rows = [{"endpoint": label, **row} for label, row in by_endpoint(stats).items()]
        return {"window": window_, "items": heaviest(rows)}

    def _endpoint(self, label: str, window_: str = "1h") -> Steps:
        """Return one endpoint: its row, its times to the first byte, and histograms of both, `[bucket, count]` in pairs."""
        stats = yield from self._stats("api", window_)
        stats |= yield from self._stats("first", window_)
        own = {key: stat for key, stat in stats.items() if key[0] == "api" and key[1] == label}
        last, first = total(own.values()), stats.get(("first", label, ""), Stat())
        row = by_endpoint(own).get(label, {"count": 0})
        (slow,) = yield [Latest(SLOW, ROWS * 2)]
        samples = [each for each in map(msgspec.json.decode, slow) if f"{each['method']} {each['route']}" == label]
        return {
            "window": window_,
            "endpoint": label,
            **row,
            "firstByte": told(first),
            "histogram": sorted(last.buckets.items()),
            "firstHistogram": sorted(first.buckets.items()),
            "slowest": samples,
        }

    def _queries(self, window_: str = "1h") -> Steps:
        """Return `items`: queries without their values, by the time they took in all.

        `repeated` says where one request sent the same query ten times or more: `[{"endpoint", "requests", "most"}]`.
        """
        stats = yield from self._stats("db", window_)
        (repeats,) = yield [GetFields(REPEATS)]
        where = repeated(repeats)
        rows = [
            {"query": key[1], **told(stat), "repeated": where.get(key[1], [])}
            for key, stat in stats.items()
            if key[0] == "db"
        ]
        return {"window": window_, "items": heaviest(rows)}

    def _timers(self, window_: str = "1h") -> Steps:
        """Return `items`: what `measure` and `PerformanceTimer` timed, by name."""
        return (yield from self._of_kind("timer", window_))

    def _calls(self, window_: str = "1h") -> Steps:
        """Return `items`: calls to other services, by host and method."""
        return (yield from self._of_kind("call", window_))

    def _connections(self, window_: str = "1h") -> Steps:
        """Return `items`: websockets and streams, which have no response time: how many, and how long they lasted."""
        stats = yield from self._stats("socket", window_)
        stats |= yield from self._stats("stream", window_)
        kinds = {"socket": "websocket", "stream": "stream"}
        rows = [{"name": k[1], "kind": kinds[k[0]], **told(s)} for k, s in stats.items() if k[0] in kinds]
        return {"window": window_, "items": heaviest(rows)}

    def _slow(self, count: int = ROWS) -> Steps:
        """Return `items`: the latest requests of a second or more, newest first.

        Each has `at`, `method`, `route`, `status`, `ms`, `dbMs`, `dbCount`, `client` and `requestId`.
        """
        (texts,) = yield [Latest(SLOW, count)]
        return {"items": [msgspec.json.decode(text) for text in texts]}

    def _errors(self) -> Steps:
        """Return `items`: exceptions by type and raising line, the latest first.

        Each has `id`, `type`, `where`, `count`, `first`, `last`, and of the first one `message` and `traceback` without any
        value, `endpoint` and `requestId`.
        """
        lasts, counts = yield [GetFields(ERRORS), GetFields(ERROR_COUNTS)]
        idents = sorted(lasts, key=lambda ident: -float(lasts[ident]))
        texts = yield [Get(error_key(ident)) for ident in idents]
        return {
            "items": [
                {**msgspec.json.decode(text), "count": int(counts.get(ident, 0)), "last": float(lasts[ident])}
                for ident, text in zip(idents, texts, strict=True)
                if text is not None
            ]
        }

    def _totals(self) -> Steps:
        """Return `stats`: what was counted since ever, by kind, label and status class; for exports."""
        hashes = []
        for kind in sorted(KINDS_BY_LABEL):
            hashes += yield [GetFields(total_key(kind, shard)) for shard in range(SHARDS)]
        return {"stats": named(hashes)}

    def _alerts(self) -> Steps:
        """Return `items`: alerts that are on, then those that are over, each with code, severity, text, since and count."""
        listed: dict[str, Any] = yield from self.monitor.alerts.listed()
        return listed

    def _processes(self) -> Steps:
        """Return `items`: the live processes, each with its `name` for `series`, and its memory and processor use."""
        (told_,) = yield [GetFields(PROCESSES)]
        now = self.monitor.clock()
        live = {name: msgspec.json.decode(text, type=Snapshot) for name, text in told_.items()}
        rows = [each.row(name, now) for name, each in live.items() if now - each.at < GONE_AFTER]
        return {"items": rows or [self.monitor.fleet().own.row(self.monitor.counts.name, now)]}

    def _of_kind(self, kind: str, window_: str) -> Steps:
        stats = yield from self._stats(kind, window_)
        return {
            "window": window_,
            "items": heaviest([{"name": k[1], **told(s)} for k, s in stats.items() if k[0] == kind]),
        }

    def _stats(self, kind: str, window_: str) -> Generator[list[Command[Any]], list[Any], Stats]:
        """Return what was measured of one kind, summed up by Redis, in trips that are short for whoever comes between."""
        ring, steps = labelled(_seconds(window_), self.monitor.clock())
        hashes: list[dict[str, bytes]] = []
        for shard in range(SHARDS):
            keys = [label_key(ring, at, kind, shard) for at in steps]
            for start in range(0, len(keys), AT_ONCE):
                hashes += yield [SumFields(tuple(keys[start : start + AT_ONCE]), TOP)]
        return named(hashes)

    series, aseries = both(_series)
    endpoints, aendpoints = both(_endpoints)
    endpoint, aendpoint = both(_endpoint)
    queries, aqueries = both(_queries)
    timers, atimers = both(_timers)
    calls, acalls = both(_calls)
    connections, aconnections = both(_connections)
    slow, aslow = both(_slow)
    errors, aerrors = both(_errors)
    alerts, aalerts = both(_alerts)
    totals, atotals = both(_totals)
    processes, aprocesses = both(_processes)


def marked(release: str, host: str, now: float) -> Generator[list[Command[Any]], list[Any], None]:
    """Note that a process of `release` has started, if it is the first of its release."""
    (first,) = yield [Put(f"monitor:release:{release[:100]}", host.encode(), DEPLOYS_KEPT, absent=True)]
    if first:
        mark = msgspec.json.encode({"at": now, "release": release[:100], "host": host})
        yield [Push(DEPLOYS, (mark,), 20, DEPLOYS_KEPT)]


def error_key(ident: str) -> str:
    """Return where the first of a group of errors is."""
    return f"monitor:error:{ident}"


def _seconds(window_: str) -> int:
    if window_ not in WINDOWS:
        raise SettingsError(f"window={window_!r} must be one of {', '.join(WINDOWS)}")
    return WINDOWS[window_]
