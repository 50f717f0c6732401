"""How each group of keys is used, and what its fetches cost: counted here, added up over all processes in the store."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from ...rules.buckets import bucket, percentile
from ...stores.commands import Add, AddFields, Command
from .history import noted

MOST = 200  # groups of one process; what comes later is counted as "other"
OTHER = "other"


class GroupStats(msgspec.Struct, frozen=True):
    """How the keys of one group were used, in all processes since the counters began."""

    group: str  # such as "course:*"
    hits: int
    misses: int
    sets: int
    average_ttl: float | None  # seconds, of what was set for a time; None if nothing was

    @property
    def hit_rate(self) -> float:
        """The share of hits, from 0 to 1; 0 if nothing was asked."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else 0.0


class LoaderStats(msgspec.Struct, frozen=True):
    """What the fetches of one group cost; times in milliseconds."""

    group: str
    count: int
    p50: float
    p95: float
    total: float
    avoided: int  # stampedes: callers that waited for another's fetch instead of making their own
    failed: int


def group_of(key: str) -> str:
    """Return the group of a key: its first segment, and the second one if it is a word with more behind it.

    >>> [group_of(key) for key in ("course:42", "user:profile:7", "user:7:orders", "total")]
    ['course:*', 'user:profile:*', 'user:*', 'total']
    """
    first, colon, rest = key.partition(":")
    if not colon:
        return first[:60]
    second, colon, _ = rest.partition(":")
    return f"{first[:40]}:{second}:*" if colon and second.isidentifier() and len(second) <= 40 else f"{first[:40]}:*"


class Groups:
    """Counts of one process that the store does not know of yet.

    Args:
        prefix: Of the cache's keys.
    """

    def __init__(self, prefix: str) -> None:
        self.field = f"stats:{prefix}groups"
        self._prefix = prefix
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._counts: Counter[str] = Counter()
        self.hits = self.misses = 0

    @property
    def counted(self) -> bool:
        """Whether there is something that the store does not know of."""
        return bool(self.hits or self.misses or self._counts)

    def note(self, *, hits: int, misses: int) -> None:
        """Count hits and misses of no group."""
        with self._lock:
            self.hits += hits
            self.misses += misses

    def asked(self, key: str, *, hit: bool) -> None:
        """Count one question for `key`."""
        with self._lock:
            self.hits += hit
            self.misses += not hit
            self._counts[f"{'h' if hit else 'm'}:{self._group(key)}"] += 1

    def kept(self, key: str, ttl: float | None) -> None:
        """Count a value that was set, for `ttl` seconds."""
        with self._lock:
            group = self._group(key)
            self._counts[f"s:{group}"] += 1
            if ttl is not None:
                self._counts[f"n:{group}"] += 1
                self._counts[f"t:{group}"] += round(ttl)

    def fetched(self, key: str, seconds: float, *, failed: bool = False) -> None:
        """Count a fetch that took so long."""
        with self._lock:
            group = self._group(key)
            self._counts[f"b{bucket(seconds)}:{group}"] += 1
            self._counts[f"u:{group}"] += round(seconds * 1e6)
            if failed:
                self._counts[f"f:{group}"] += 1

    def avoided(self, key: str) -> None:
        """Count a caller that waited for another's fetch."""
        with self._lock:
            self._counts[f"a:{self._group(key)}"] += 1

    def _group(self, key: str) -> str:
        group = group_of(key)
        if group in self._known:
            return group
        if len(self._known) >= MOST:
            return OTHER
        self._known.add(group)
        return group

    def take(self, now: float) -> tuple[list[Command[Any]], tuple[int, int, Counter[str]]]:
        """Return what adds the counts to the store's, as of `now`, and what `back` wants if that fails."""
        with self._lock:
            taken = self.hits, self.misses, self._counts
            self.hits, self.misses, self._counts = 0, 0, Counter()
        hits, misses, counts = taken
        also: list[Command[Any]] = [AddFields(self.field, dict(counts))] if counts else []
        sets = sum(count for name, count in counts.items() if name.startswith("s:"))
        also += noted(self._prefix, now, {"hits": hits, "misses": misses, "sets": sets})
        return [Add(f"stats:{self._prefix}hits", hits), Add(f"stats:{self._prefix}misses", misses), *also], taken

    def back(self, taken: tuple[int, int, Counter[str]]) -> None:
        """Count again what the store could not be told of."""
        with self._lock:
            self.hits += taken[0]
            self.misses += taken[1]
            self._counts.update(taken[2])


def _by_group(fields: Mapping[str, bytes]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for name, value in fields.items():
        kind, _, group = name.partition(":")
        found.setdefault(group, {})[kind] = int(value)
    return found


def usage(fields: Mapping[str, bytes]) -> list[GroupStats]:
    """Read the store's counters; the most used group first."""
    stats = [
        GroupStats(
            group,
            counts.get("h", 0),
            counts.get("m", 0),
            counts.get("s", 0),
            counts["t"] / counts["n"] if counts.get("n") else None,
        )
        for group, counts in _by_group(fields).items()
    ]
    return sorted(stats, key=lambda x: (-(x.hits + x.misses + x.sets), x.group))


def loaders(fields: Mapping[str, bytes]) -> list[LoaderStats]:
    """Read the store's counters of fetches; the slowest group first."""
    stats: list[LoaderStats] = []
    for group, counts in _by_group(fields).items():
        times = {int(kind[1:]): count for kind, count in counts.items() if kind[0] == "b"}
        p50, p95 = percentile(times, 0.5), percentile(times, 0.95)
        if p50 is not None and p95 is not None:
            ms = round(p50 * 1000, 2), round(p95 * 1000, 2), counts.get("u", 0) / 1000
            stats.append(LoaderStats(group, sum(times.values()), *ms, counts.get("a", 0), counts.get("f", 0)))
    return sorted(stats, key=lambda x: (-x.p95, x.group))
