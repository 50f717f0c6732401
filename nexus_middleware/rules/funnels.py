"""How many go through the steps of a funnel, in their order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

Times = Sequence[float]  # sorted


def funnel(steps: Sequence[Mapping[str, Times]]) -> list[int]:
    """Count the users who did the first step, then the second not before the first, and so on.

    Each user's earliest way through is taken, so nobody is missed who has one. Time between two steps does not matter.

    >>> funnel([{"ann": [1.0], "bob": [2.0]}, {"ann": [0.5, 3.0], "bob": [1.0]}])
    [2, 1]

    Args:
        steps: For each step, when each user did it: seconds, sorted.
    """
    reached: dict[str, float] = {}
    counts: list[int] = []
    for number, step in enumerate(steps):
        reached = {user: times[0] for user, times in step.items() if times} if not number else _further(reached, step)
        counts.append(len(reached))
    return counts


def _further(reached: Mapping[str, float], step: Mapping[str, Times]) -> dict[str, float]:
    further: dict[str, float] = {}
    for user, since in reached.items():
        times = step.get(user, ())
        at = bisect_left(times, since)
        if at < len(times):
            further[user] = times[at]
    return further
