"""How a cache was used over time, as all processes count it."""

from __future__ import annotations

import pytest

from nexus_middleware.services.cache import Cache

NOON = 1_700_006_400.0  # seconds since the epoch; the beginning of an hour


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


def test_what_was_asked_and_set_stands_in_its_minute_and_in_its_hour(store):
    clock = Clock()
    one, two = (Cache(store, clock=clock) for _ in range(2))
    one.set("a", 1)
    one.get("a")
    two.get("none")
    one.tick(clock.now)
    two.tick(clock.now)
    clock.now += 120
    two.get("a")

    hour, week = two.history(3_600), two.history(7 * 86_400)

    assert (hour.step, len(hour.points)) == (60, 60)
    assert [(p.at, p.hits, p.misses, p.sets) for p in hour.points if p.hits or p.misses] == [
        (NOON, 1, 1, 1),
        (NOON + 120, 1, 0, 0),
    ]
    assert (week.step, len(week.points)) == (7_200, 84)
    assert sum(point.hits for point in week.points) == 2


@pytest.mark.parametrize(("window", "step"), [(900, 60), (3_600, 60), (21_600, 240), (86_400, 960), (604_800, 7_200)])
def test_no_window_is_told_in_more_than_ninety_points(window, step):
    told = Cache().history(window)

    assert told.step == step
    assert len(told.points) == window // step <= 90


def test_a_flush_of_the_cache_leaves_its_history(store):
    cache = Cache(store, clock=Clock())
    cache.get("none")
    cache.tick(NOON)

    cache.flush()

    assert sum(point.misses for point in cache.history(3_600).points) == 1
