"""What is counted of one kind of thing, in a shape that adds up over time, processes and hosts."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping

import msgspec

from ...rules.buckets import BOUNDS, bound, bucket, merged, percentile


class Stat(msgspec.Struct, array_like=True):
    """Counts, and a histogram of durations."""

    count: int = 0
    errors: int = 0
    slow: int = 0
    micros: int = 0  # of all together
    longest: int = 0  # microseconds
    buckets: dict[int, int] = {}

    def take(self, seconds: list[float], *, failed: bool, slow: float) -> None:
        """Count durations; those from `slow` seconds on are slow."""
        ordered = sorted(seconds)  # then a bucket is found once, and not for each duration
        self.count += len(ordered)
        self.errors += len(ordered) if failed else 0
        self.micros += round(sum(ordered) * 1e6)
        self.longest = max(self.longest, round(ordered[-1] * 1e6))
        self.slow += len(ordered) - bisect_left(ordered, slow)
        start, buckets = 0, self.buckets
        for number in range(bucket(ordered[0]), bucket(ordered[-1]) + 1):
            end = bisect_right(ordered, BOUNDS[number]) if number < len(BOUNDS) else len(ordered)
            if end > start:
                buckets[number] = buckets.get(number, 0) + end - start
            start = end

    def add(self, other: Stat) -> None:
        """Count what `other` has counted."""
        self.count += other.count
        self.errors += other.errors
        self.slow += other.slow
        self.micros += other.micros
        self.longest = max(self.longest, other.longest)
        for number, count in other.buckets.items():
            self.buckets[number] = self.buckets.get(number, 0) + count

    def ms(self, share: float) -> float | None:
        """Return the milliseconds that `share` of all did not exceed; None if there was none."""
        seconds = percentile(self.buckets, share)
        return None if seconds is None else round(seconds * 1000, 1 if seconds >= 0.01 else 3)

    @property
    def mean(self) -> float | None:
        """Milliseconds; None if nothing was counted."""
        return round(self.micros / self.count / 1000, 2) if self.count else None


def total(stats: Iterable[Stat]) -> Stat:
    """Add stats up."""
    each = [*stats]
    return Stat(
        sum([x.count for x in each]),
        sum([x.errors for x in each]),
        sum([x.slow for x in each]),
        sum([x.micros for x in each]),
        max([x.longest for x in each], default=0),
        merged([x.buckets for x in each]),
    )


def told(stat: Stat) -> dict[str, float | int | None]:
    """Return what people see of a stat: counts; times in milliseconds, the percentiles at most 9 % off."""
    return {
        "count": stat.count,
        "errors": stat.errors,
        "slow": stat.slow,
        "avg": stat.mean,
        "max": round(stat.longest / 1000, 2),
        "p50": stat.ms(0.5),
        "p95": stat.ms(0.95),
        "p99": stat.ms(0.99),
        "totalMs": round(stat.micros / 1000, 1),
    }


def fields(stat: Stat, prefix: str) -> tuple[dict[str, int], dict[str, int]]:
    """Return the fields of a hash under which a stat is added up, and those that hold a greatest value."""
    adds = {"n": stat.count, "e": stat.errors, "s": stat.slow, "u": stat.micros}
    adds |= {f"b{number}": count for number, count in stat.buckets.items()}
    return {prefix + what: amount for what, amount in adds.items() if amount}, {prefix + "m": stat.longest}


def gathered(hashes: Iterable[Mapping[str, bytes]], separator: str) -> dict[str, Stat]:
    """Read the stats, by their prefix without the separator at its end, that `fields` has put into hashes."""
    stats: dict[str, Stat] = {}
    for hash_ in hashes:
        for field, amount in hash_.items():
            prefix, _, what = field.rpartition(separator)
            stat = stats.get(prefix)
            if stat is None:
                stat = stats[prefix] = Stat(buckets={})
            _put(stat, what, int(amount))
    return stats


def _put(stat: Stat, what: str, amount: int) -> None:
    if what[0] == "b":
        number = int(what[1:])
        stat.buckets[number] = stat.buckets.get(number, 0) + amount
    elif what == "n":
        stat.count += amount
    elif what == "e":
        stat.errors += amount
    elif what == "s":
        stat.slow += amount
    elif what == "u":
        stat.micros += amount
    else:
        stat.longest = max(stat.longest, amount)


def cumulative(stat: Stat, bounds: Iterable[int]) -> list[tuple[float, int]]:
    """Return how many took at most the bound of each bucket of `bounds`, in seconds, as Prometheus counts.

    >>> cumulative(Stat(3, buckets={0: 1, 40: 2}), (0, 40))
    [(0.0001, 1), (0.1024, 3)]
    """
    ordered = sorted(stat.buckets.items())
    return [(round(bound(at), 7), sum([count for number, count in ordered if number <= at])) for at in bounds]
