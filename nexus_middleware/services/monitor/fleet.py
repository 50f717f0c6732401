"""What each process tells the others of itself, and what all of them come to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from .machine import duration, mebi
from .stats import Stat, total

PROCESSES = "monitor:processes"
GONE_AFTER = 10.0  # seconds without a sign of life, after which a process no longer counts
FORGOTTEN_AFTER = 600.0  # seconds after which it is not even listed
WINDOW = 300  # seconds that "now" is
ENOUGH = 20  # requests, below which a share of errors says nothing


class Snapshot(msgspec.Struct):
    """One process, as it was at `at`."""

    at: float  # seconds since the epoch
    started: float
    host: str
    pid: int
    rss: int  # bytes
    private: int
    limit: int
    cpu: float | None  # percent of its usable cores
    cores: float
    load: float
    api: Stat  # of the last 5 minutes, as the next two
    first: Stat
    database: Stat
    lag: Stat  # of the last 30 s
    queries: int  # since it started
    running: int  # requests under way
    dropped: int  # measurements and log lines, in the last 5 minutes
    release: str = ""

    def row(self, name: str, now: float) -> dict[str, Any]:
        """Return what people see of this process."""
        return {
            "name": name,
            "host": self.host,
            "pid": self.pid,
            "release": self.release,
            "uptimeSeconds": round(now - self.started),
            "rssMB": mebi(self.rss),
            "heapUsedMB": mebi(self.private),
            "cpu": self.cpu,
            "running": self.running,
            "lagP95": self.lag.ms(0.95),
        }


class Fleet:
    """The live processes, this one first."""

    def __init__(self, own: Snapshot, others: Iterable[Snapshot] = ()) -> None:
        self.own = own
        self.live = [own, *others]

    def stat(self, of: Callable[[Snapshot], Stat]) -> Stat:
        """Add one of the stats up over all processes."""
        return total([of(each) for each in self.live])

    def memory(self) -> dict[str, float]:
        """Return what all use, in MiB, and the share of their machines' limits together."""
        limits = {each.host: each.limit for each in self.live}
        rss = sum([each.rss for each in self.live])
        return {
            "rssMB": mebi(rss),
            "heapUsedMB": mebi(sum([each.private for each in self.live])),
            "limitMB": mebi(sum(limits.values())),
            "percent": round(rss / sum(limits.values()) * 100, 1),
        }

    def fullest(self) -> float:
        """Return the percent of its limit that the fullest machine has in use by these processes."""
        hosts = {each.host: each.limit for each in self.live}
        used = [sum([each.rss for each in self.live if each.host == host]) / limit for host, limit in hosts.items()]
        return round(max(used) * 100, 1)

    def busiest(self) -> float | None:
        """Return the percent of the usable cores that the busiest machine spends on these processes; None if unknown."""
        hosts: dict[str, float] = {}
        for each in self.live:
            if each.cpu is not None:
                hosts[each.host] = hosts.get(each.host, 0.0) + each.cpu
        return round(min(100.0, max(hosts.values())), 1) if hosts else None

    def latest(self) -> float | None:
        """Return the 95th percentile of the latest event loop, in milliseconds; None if there is none."""
        lags = [each.lag.ms(0.95) for each in self.live]
        return max([lag for lag in lags if lag is not None], default=None)

    def errors(self) -> float | None:
        """Return the percent of requests that failed; None while too few were made."""
        api = self.stat(lambda each: each.api)
        return round(api.errors / api.count * 100, 2) if api.count >= ENOUGH else None

    def shape(self, requests: int, now: float, iso: Callable[[float], str]) -> dict[str, Any]:
        """Return the figures as `GET …/health` shows them."""
        api, database = self.stat(lambda each: each.api), self.stat(lambda each: each.database)
        own = self.own
        return {
            "memory": self.memory(),
            "cpu": {"percent": self.busiest() or 0, "cores": own.cores, "load1": round(own.load, 2)},
            "uptime": {
                "processFormatted": duration(now - own.started),
                "processSeconds": round(now - own.started),
                "startedAt": iso(own.started),
                "youngestSeconds": round(now - max([each.started for each in self.live])),
            },
            "api": {
                "avgResponseTime": round(api.mean or 0),
                "requestCount": requests,
                "p50": api.ms(0.5),
                "p95": api.ms(0.95),
                "p99": api.ms(0.99),
                "firstByteP95": self.stat(lambda each: each.first).ms(0.95),
                "errorRate": self.errors(),
                "requestsPerSecond": round(api.count / WINDOW, 2),
                "inFlight": sum([each.running for each in self.live]),
                "windowSeconds": WINDOW,
            },
            "database": {
                "avgQueryTime": round(database.mean or 0),
                "queryCount": sum([each.queries for each in self.live]),
                "p95": database.ms(0.95),
                "slowCount": database.slow,
            },
            "eventLoop": {"lagP95": self.latest()},
            "processes": len(self.live),
        }


def read(told: dict[str, bytes], own: str, now: float) -> tuple[list[Snapshot], tuple[str, ...]]:
    """Return the others that live, and the names of those that have been gone for so long that nobody need know."""
    snapshots = {name: _snapshot(text) for name, text in told.items() if name != own}
    live = [each for each in snapshots.values() if each is not None and now - each.at < GONE_AFTER]
    gone = [name for name, each in snapshots.items() if each is None or now - each.at > FORGOTTEN_AFTER]
    return live, tuple(gone)


def _snapshot(text: bytes) -> Snapshot | None:
    try:
        return msgspec.json.decode(text, type=Snapshot)
    except msgspec.DecodeError:  # another version wrote it
        return None
