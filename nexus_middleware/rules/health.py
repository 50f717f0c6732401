"""From measurements to a verdict: healthy, degraded or unhealthy, since when, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf
from typing import Literal, TypeAlias

import msgspec

from ..errors import SettingsError

Status: TypeAlias = Literal["healthy", "degraded", "unhealthy"]
ORDER: tuple[Status, ...] = ("healthy", "degraded", "unhealthy")
GOOD = 2  # good samples after which a verdict improves


class Threshold(msgspec.Struct, frozen=True):
    """From which value on something is degraded or unhealthy: infinity for never.

    It must have been so for `hold` seconds, and in `samples` samples in a row. `low`: what is below the value is bad.
    """

    name: str  # stable: an alert's code, and a heading of docs/alerts.md
    label: str
    unit: str
    degraded: float
    unhealthy: float
    hold: float = 0.0
    samples: int = 1
    low: bool = False
    on: bool = True

    def level(self, value: float | None) -> int:
        """Return 0, 1 or 2: how bad a value is; what was not measured is not bad."""
        if value is None:
            return 0
        if self.low:
            return 2 if value < self.unhealthy else int(value < self.degraded)
        return 2 if value >= self.unhealthy else int(value >= self.degraded)


class Check(msgspec.Struct, frozen=True):
    """What one threshold says of a value."""

    name: str
    status: Status
    value: float | None  # None: not measured yet
    unit: str
    text: str
    since: float | None = None  # when the status changed last, in seconds since the epoch


REDIS = Threshold("redis", "Redis", "ms", 50, inf, samples=2)
THRESHOLDS = (
    Threshold("memory", "Memory", "%", 80, 95, 30),
    Threshold("cpu", "CPU", "%", 80, 95, 60),
    Threshold("errors", "Error rate", "%", 1, 5),
    Threshold("response", "p95 response", "ms", 1_000, 5_000),
    Threshold("lag", "Event-loop lag", "ms", 100, 1_000, 30),
    Threshold("queue_age", "Oldest job waits", "s", 300, 900),
    Threshold("workers", "Queues without a worker", "", 1, 1, 60),
    Threshold("failed_jobs", "Failed jobs", "%", 5, 20),
    Threshold("dropped", "Dropped records", "", 1, inf),
    Threshold("security", "Security events", "a minute", 100, 1_000),
    Threshold("cache", "Cache hit rate", "%", 50, -inf, 60, low=True, on=False),
)
KNOWN = (*THRESHOLDS, REDIS)


def thresholds(words: Iterable[str]) -> tuple[Threshold, ...]:
    """Return all thresholds, changed as `words` say: "memory=70/90", "cpu=off", "cache=60/30" (degraded/unhealthy).

    >>> [t.degraded for t in thresholds(["memory=70/90"]) if t.name == "memory"]
    [70.0]

    Raises:
        SettingsError: a name or a value does not fit.
    """
    changed = dict([_read(word) for word in words])
    return tuple([changed.get(threshold.name, threshold) for threshold in KNOWN])


def _read(word: str) -> tuple[str, Threshold]:
    name, _, value = word.partition("=")
    known = {threshold.name: threshold for threshold in KNOWN}
    threshold = known.get(name.strip())
    if threshold is None:
        raise SettingsError(f"health={word!r}: there is no check {name!r}: there are {', '.join(known)}")
    if value.strip() == "off":
        return threshold.name, msgspec.structs.replace(threshold, on=False)
    try:
        degraded, unhealthy = [float(part) for part in value.split("/")]
    except ValueError:
        raise SettingsError(
            f"health={word!r} must be {name}=DEGRADED/UNHEALTHY, such as memory=70/90, or {name}=off"
        ) from None
    if (degraded < unhealthy) if threshold.low else (degraded > unhealthy):
        raise SettingsError(f"health={word!r}: it would be unhealthy before it is degraded")
    return threshold.name, msgspec.structs.replace(threshold, degraded=degraded, unhealthy=unhealthy, on=True)


class State:
    """What is remembered of one threshold."""

    def __init__(self) -> None:
        self.level = 0
        self.since: float | None = None  # of the level
        self.bad: dict[
            int, tuple[float, int]
        ] = {}  # by level: since when it was at least that bad, in how many samples
        self.good = 0

    def sample(self, threshold: Threshold, value: float | None, now: float) -> None:
        """Take a value: worse at once if it has lasted, better after two good ones."""
        raw, reached = threshold.level(value), 0
        for level in (1, 2):
            if raw < level:
                self.bad.pop(level, None)
                continue
            since, count = self.bad.get(level, (now, 0))
            self.bad[level] = since, count + 1
            if now - since >= threshold.hold and count + 1 >= threshold.samples:
                reached = level
        self.good = self.good + 1 if raw < self.level else 0
        if reached > self.level or (self.good >= GOOD and reached < self.level):
            self.level, self.since, self.good = reached, now, 0


class Judge:
    """Remembers since when each value has been bad, so that a moment's peak is no verdict, nor a moment's rest."""

    def __init__(self, which: tuple[Threshold, ...] = THRESHOLDS) -> None:
        self._thresholds = tuple([threshold for threshold in which if threshold.on])
        self._states = {threshold.name: State() for threshold in self._thresholds}
        self._values: dict[str, float | None] = {}

    def sample(self, values: Mapping[str, float | None], now: float) -> None:
        """Take one value for each threshold.

        Args:
            values: By the thresholds' names; None for what is not known.
            now: Seconds since the epoch.
        """
        self._values = dict(values)
        for threshold in self._thresholds:
            self._states[threshold.name].sample(threshold, values.get(threshold.name), now)

    def checks(self, details: Mapping[str, str] | None = None) -> list[Check]:
        """Return the verdicts; `details` may say more of some, by name."""
        return [self._check(threshold, (details or {}).get(threshold.name, "")) for threshold in self._thresholds]

    def _check(self, threshold: Threshold, detail: str) -> Check:
        state, value = self._states[threshold.name], self._values.get(threshold.name)
        said = "not measured yet" if value is None else f"{value:g} {threshold.unit}".strip()
        text = f"{threshold.label}: {said}{f' ({detail})' if detail else ''}"
        known = None if value is None or value == inf else value
        return Check(threshold.name, ORDER[state.level], known, threshold.unit, text, state.since)


def worst(statuses: Iterable[Status]) -> Status:
    """Return the worst of all; healthy if there is none.

    >>> worst(["healthy", "unhealthy", "degraded"])
    'unhealthy'
    """
    return ORDER[max(map(ORDER.index, statuses), default=0)]
