"""Timings by name over the last minutes, in a bounded space."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from ...rules.buckets import bucket, merged, percentile

STEP = 10  # seconds of a slot
SLOTS = 30  # so the window is 5 minutes
WINDOW = STEP * SLOTS  # seconds
OTHER = "(other)"


class Slot(msgspec.Struct):
    """What happened in one step of time."""

    at: int = -1  # the number of the step
    count: int = 0
    errors: int = 0
    seconds: float = 0.0
    slow: int = 0
    buckets: dict[int, int] = {}


class Summary(msgspec.Struct, frozen=True):
    """What happened in a window; durations in milliseconds, None where nothing was measured."""

    count: int
    errors: int
    slow: int
    mean: float | None
    p50: float | None
    p95: float | None
    p99: float | None


class Timings:
    """Counts and durations of one kind of thing.

    Args:
        slow: Seconds from which on one counts as slow.
        labels: How many names are kept apart; what comes after them goes under "(other)".
        clock: Seconds that never go backwards.
    """

    def __init__(self, *, slow: float, labels: int = 500, clock: Callable[[], float] = time.monotonic) -> None:
        self._slow, self._labels, self._clock = slow, labels, clock
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget all."""
        with self._lock:
            self.total = 0
            self._slots = [Slot() for _ in range(SLOTS)]
            self._by_label: dict[str, list[float]] = {}  # count, errors, seconds, longest, slow

    def add(self, label: str, seconds: float, *, failed: bool) -> None:
        """Note one, of `seconds`."""
        step = int(self._clock() / STEP)
        number, slow = bucket(seconds), seconds >= self._slow
        with self._lock:
            self.total += 1
            slot = self._slots[step % SLOTS]
            if slot.at != step:
                slot = self._slots[step % SLOTS] = Slot(step, buckets={})
            slot.count += 1
            slot.errors += failed
            slot.slow += slow
            slot.seconds += seconds
            slot.buckets[number] = slot.buckets.get(number, 0) + 1
            row = self._by_label.get(label)
            if row is None:
                row = self._by_label.setdefault(label if len(self._by_label) < self._labels else OTHER, [0, 0, 0, 0, 0])
            row[0] += 1
            row[1] += failed
            row[2] += seconds
            row[3] = max(row[3], seconds)
            row[4] += slow

    def recent(self) -> Slot:
        """Return the sum of the last 5 minutes."""
        step = int(self._clock() / STEP)
        with self._lock:
            return added([slot for slot in self._slots if slot.at > step - SLOTS])

    def rows(self) -> dict[str, dict[str, Any]]:
        """Return what each label had since the start: count, errors, slow; mean and longest in milliseconds."""
        with self._lock:
            items = [(label, [*row]) for label, row in self._by_label.items()]
        return {
            label: {
                "count": int(count),
                "errors": int(errors),
                "slow": int(slow),
                "avg": round(seconds / count * 1000, 2),
                "max": round(longest * 1000, 2),
            }
            for label, (count, errors, seconds, longest, slow) in items
        }


def summary(slot: Slot) -> Summary:
    """Return the percentiles and the mean of `slot`, in milliseconds."""
    p50, p95, p99 = [_ms(percentile(slot.buckets, share)) for share in (0.5, 0.95, 0.99)]
    mean = slot.seconds / slot.count if slot.count else None
    return Summary(slot.count, slot.errors, slot.slow, _ms(mean), p50, p95, p99)


def added(slots: list[Slot]) -> Slot:
    """Add slots up, of several steps or processes."""
    return Slot(
        0,
        sum(slot.count for slot in slots),
        sum(slot.errors for slot in slots),
        sum(slot.seconds for slot in slots),
        sum(slot.slow for slot in slots),
        merged(slot.buckets for slot in slots),
    )


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
