"""Whether all processes together are healthy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from math import inf

import msgspec

from ...rules.health import Check, Judge, Status, Threshold
from .fleet import Fleet
from .probes import Value

EVERY = 2.0  # seconds between two samples, however often somebody asks


class Verdict:
    """Judges the fleet by samples.

    Args:
        thresholds: All of them.
        shared: Whether there is a Redis to be judged.
    """

    def __init__(self, thresholds: tuple[Threshold, ...], *, shared: bool) -> None:
        self._judge = Judge(tuple([x for x in thresholds if x.name != "redis"]))
        self._redis = Judge(tuple([x for x in thresholds if x.name == "redis" and shared]))
        self._next = 0.0
        self.down_since: float | None = None
        self._on = frozenset([threshold.name for threshold in thresholds if threshold.on])

    def judges(self, name: str) -> bool:
        """Whether the check of that name is on."""
        return name in self._on

    def trip(self, ms: float | None, now: float) -> None:
        """Note a trip to Redis and the milliseconds it took; None: it failed."""
        self.down_since = None if ms is not None else self.down_since or now
        self._redis.sample({"redis": inf if ms is None else round(ms, 1)}, now)

    def sample(self, fleet: Fleet, probed: Mapping[str, Value], now: float) -> None:
        """Take a sample, unless the last one is younger than 2 s."""
        if self._next - EVERY <= now < self._next:
            return
        self._next = now + EVERY
        values = {name: value.value for name, value in probed.items()}
        values |= {
            "memory": fleet.fullest(),
            "cpu": fleet.busiest(),
            "errors": fleet.errors(),
            "response": fleet.stat(lambda each: each.api).ms(0.95),
            "lag": fleet.latest(),
            "dropped": float(sum([each.dropped for each in fleet.live])),
        }
        self._judge.sample(values, now)

    def checks(self, probed: Mapping[str, Value]) -> list[Check]:
        """Return the verdicts. Redis is never worse than degraded: every layer goes on without it."""
        checks = self._judge.checks({name: value.detail for name, value in probed.items()})
        return [*checks, *[self._of_redis(check) for check in self._redis.checks()]]

    def _of_redis(self, check: Check) -> Check:
        status: Status = "healthy" if check.status == "healthy" else "degraded"
        if self.down_since is None:
            return msgspec.structs.replace(check, status=status)
        since = datetime.fromtimestamp(self.down_since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return msgspec.structs.replace(check, status=status, text=f"Redis does not answer since {since}")
