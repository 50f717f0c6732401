"""What is asked of other services for health, by the one process that does so for all."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from .fleet import ENOUGH

WINDOW = 900.0  # seconds over which the share of failed jobs is counted
HIT_WINDOW = 300.0


class Value(NamedTuple):
    """A value for a check, and what else is to be said of it."""

    value: float | None
    detail: str = ""


Probe: TypeAlias = Callable[[float], Mapping[str, Value]]  # told the time in seconds; values by the names of checks


class Rate:
    """How two counters have grown over a window.

    Args:
        seconds: The window.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._past: deque[tuple[float, int, int]] = deque()

    def grown(self, now: float, part: int, rest: int) -> tuple[int, int]:
        """Note the counters, and return how much each has grown; one that was set back begins anew."""
        past = self._past
        if past and (part < past[-1][1] or rest < past[-1][2]):
            past.clear()
        past.append((now, part, rest))
        while len(past) > 1 and past[1][0] <= now - self._seconds:
            past.popleft()
        return part - past[0][1], rest - past[0][2]


class QueueProbe:
    """Looks at all queues.

    Args:
        stats: `Queues.all_stats`.
    """

    def __init__(self, stats: Callable[[], Mapping[str, Any]]) -> None:
        self._stats = stats
        self._rates: dict[str, Rate] = {}

    def __call__(self, now: float) -> dict[str, Value]:
        """Return the age of the oldest job, the queues that nobody serves, and the worst share of failed jobs."""
        stats = self._stats()
        live = {name: each for name, each in stats.items() if not each.paused}
        oldest = max(live, key=lambda name: live[name].oldest_wait_seconds, default="")
        stuck = [name for name, each in live.items() if each.waiting and not each.workers]
        shares = {name: share for name, each in stats.items() if (share := self._failed(name, each, now)) is not None}
        worst = max(shares, key=lambda name: shares[name], default="")
        return {
            "queue_age": Value(live[oldest].oldest_wait_seconds if oldest else 0.0, oldest),
            "workers": Value(float(len(stuck)), ", ".join(stuck)),
            "failed_jobs": Value(shares.get(worst), worst),
        }

    def _failed(self, name: str, stats: Any, now: float) -> float | None:
        rate = self._rates.setdefault(name, Rate(WINDOW))
        failed, done = rate.grown(now, stats.failed_total, stats.completed)
        return round(failed / (failed + done) * 100, 1) if failed + done >= ENOUGH else None


class HitProbe:
    """Looks at a cache's hit rate over the last 5 minutes.

    Args:
        counts: Returns its hits and misses since ever.
    """

    def __init__(self, counts: Callable[[], tuple[int, int]]) -> None:
        self._counts, self._rate = counts, Rate(HIT_WINDOW)

    def __call__(self, now: float) -> dict[str, Value]:
        """Return the percent of hits; None while too little was asked."""
        hits, misses = self._rate.grown(now, *self._counts())
        return {"cache": Value(round(hits / (hits + misses) * 100, 1) if hits + misses >= ENOUGH else None)}


class CountProbe:
    """Looks at how often something happens in a minute.

    Args:
        name: Of the check.
        count: Returns how often it happened in the last 60 s.
    """

    def __init__(self, name: str, count: Callable[[], float]) -> None:
        self._name, self._count = name, count

    def __call__(self, now: float) -> dict[str, Value]:
        """Return the count."""
        return {self._name: Value(float(self._count()))}
