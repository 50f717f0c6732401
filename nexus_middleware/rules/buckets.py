"""Histograms of durations that can be added up over time, processes and hosts."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping

FIRST = 0.0001  # seconds: what the lowest bucket holds at most
STEPS = 4  # buckets to a doubling, so a percentile is at most 9 % off
BUCKETS = 81  # the last one, number 80, holds all that took longer than 88 s
BOUNDS = tuple([FIRST * math.pow(2.0, number / STEPS) for number in range(BUCKETS - 1)])  # seconds


def bucket(seconds: float) -> int:
    """Return the number of the bucket that holds `seconds`.

    >>> bucket(0.00005), bucket(0.1), bucket(3600)
    (0, 40, 80)
    """
    return bisect_left(BOUNDS, seconds)


def bound(number: int) -> float:
    """Return the longest duration that bucket `number` holds, in seconds; the last has none, and goes on as the others.

    >>> round(bound(40), 4), round(bound(80))
    (0.1024, 105)
    """
    return FIRST * math.pow(2.0, number / STEPS)


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """Return the duration in seconds that `share` of all do not exceed; None if nothing was counted.

    >>> counts = {bucket(0.010): 90, bucket(0.100): 9, bucket(1.0): 1}
    >>> [round(percentile(counts, share), 3) for share in (0.5, 0.95, 0.999)]
    [0.01, 0.094, 1.062]
    """
    left = share * sum(counts.values())
    for number in sorted(counts):
        left -= counts[number]
        if left <= 1e-9:
            return bound(number) * math.pow(2.0, -0.5 / STEPS)  # the middle of the bucket
    return None


def merged(histograms: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """Add histograms up.

    >>> merged([{1: 2}, {1: 3, 4: 1}])
    {1: 5, 4: 1}
    """
    total: dict[int, int] = {}
    for histogram in histograms:
        for number, count in histogram.items():
            total[number] = total.get(number, 0) + count
    return total
