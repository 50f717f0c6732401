"""From measurements to a verdict: healthy, degraded or unhealthy, and why."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Status: TypeAlias = Literal["healthy", "degraded", "unhealthy"]
ORDER: tuple[Status, ...] = ("healthy", "degraded", "unhealthy")


class Threshold(msgspec.Struct, frozen=True):
    """From which value on something is degraded or unhealthy, and how long it must have been so, in seconds."""

    name: str
    label: str
    unit: str
    degraded: float
    unhealthy: float
    hold: float = 0.0


class Check(msgspec.Struct, frozen=True):
    """What one threshold says of a value."""

    name: str
    status: Status
    value: float | None  # None: not measured yet
    unit: str
    text: str


THRESHOLDS = (
    Threshold("memory", "Memory", "%", 80, 95, 30),
    Threshold("cpu", "CPU", "%", 80, 95, 60),
    Threshold("errors", "Error rate", "%", 1, 5),
    Threshold("response", "p95 response", "ms", 1_000, 5_000),
)


class Judge:
    """Remembers since when each value has been bad, so that a moment's peak is no verdict."""

    def __init__(self, thresholds: tuple[Threshold, ...] = THRESHOLDS) -> None:
        self._thresholds = thresholds
        self._since: dict[tuple[str, Status], float] = {}

    def checks(self, values: dict[str, float | None], now: float) -> list[Check]:
        """Judge one value for each threshold.

        Args:
            values: By the thresholds' names; None for what is not known.
            now: Seconds, on a clock that never goes backwards.
        """
        return [self._check(threshold, values.get(threshold.name), now) for threshold in self._thresholds]

    def _check(self, threshold: Threshold, value: float | None, now: float) -> Check:
        status: Status = "healthy"
        bars: tuple[tuple[Status, float], ...] = (("degraded", threshold.degraded), ("unhealthy", threshold.unhealthy))
        for worse, bar in bars:
            key = (threshold.name, worse)
            if value is None or value < bar:
                self._since.pop(key, None)
            elif now - self._since.setdefault(key, now) >= threshold.hold:
                status = worse
        said = "not measured yet" if value is None else f"{value:g} {threshold.unit}"
        return Check(threshold.name, status, value, threshold.unit, f"{threshold.label}: {said}")


def worst(statuses: list[Status]) -> Status:
    """Return the worst of all; healthy if there is none.

    >>> worst(["healthy", "unhealthy", "degraded"])
    'unhealthy'
    """
    return ORDER[max(map(ORDER.index, statuses), default=0)]
