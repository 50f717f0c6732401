"""How a cache was used over time: by the minute for a day, by the hour for more than a week."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeAlias

import msgspec

from ...stores.commands import AddFields, Command, GetFields

MINUTE, HOUR, DAY = 60, 3_600, 86_400  # seconds
KEPT = 9.0 * DAY
MOST = 90  # points
Steps: TypeAlias = Generator[Any, Any, "CacheHistory"]


class CachePoint(msgspec.Struct):
    """What was asked and kept in one step."""

    at: int  # its beginning, seconds since the epoch
    hits: int = 0
    misses: int = 0
    sets: int = 0


class CacheHistory(msgspec.Struct):
    """Points of `step` seconds, oldest first, one for each step of the window; the last is not over."""

    step: int
    points: list[CachePoint]


def noted(prefix: str, now: float, counts: dict[str, int]) -> list[Command[Any]]:
    """Return what adds `counts` (hits, misses, sets) to the minute and the hour of `now`."""
    added = {name: count for name, count in counts.items() if count}
    if not added:
        return []
    minute, hour = int(now) // MINUTE, int(now) // HOUR
    by_minute = {f"{minute}:{name}": count for name, count in added.items()}
    by_hour = {f"{hour}:{name}": count for name, count in added.items()}
    return [
        AddFields(f"stats:{prefix}hour:{hour}", by_minute, 1.0 * DAY + 2 * HOUR),
        AddFields(f"stats:{prefix}day:{int(now) // DAY}", by_hour, KEPT),
    ]


def over(prefix: str, window: int, now: float) -> Steps:
    """Read the last `window` seconds, in no more than 90 points."""
    per, span, name = (MINUTE, HOUR, "hour") if window <= DAY else (HOUR, DAY, "day")
    step = -(-window // (MOST * per)) * per
    last = int(now) // step * step
    starts = range(last - (window // step - 1) * step, last + 1, step)
    hashes = yield [GetFields(f"stats:{prefix}{name}:{n}") for n in range(starts[0] // span, int(now) // span + 1)]
    points = {at: CachePoint(at) for at in starts}
    for fields in hashes:
        for field, count in fields.items():
            number, _, what = field.partition(":")
            point = points.get(int(number) * per // step * step)
            if point is not None:
                setattr(point, what, getattr(point, what) + int(count))
    return CacheHistory(step, [*points.values()])
