"""The rules of limits where no store hides what they do: what is told late, and what is kept."""

import pytest

from nexus_middleware.rules.windows import Limit, Ring, told

NOW = 1_000_000_000  # microseconds
LIMIT = Limit(5, 60)


def second(n):
    return NOW + n * 1_000_000


def test_calls_that_are_told_late_count_for_what_is_left_of_their_window():
    ring = Ring(LIMIT.micros, LIMIT.grain)

    ring.tell([(second(-61), 3), (second(-60), 1), (second(-59), 2)], NOW)

    assert (ring.total, ring.times) == (2, [second(-59)])


def test_what_has_left_the_window_takes_no_room():
    ring = Ring(LIMIT.micros, LIMIT.grain)
    for n in range(5):
        ring.take(LIMIT, second(n))

    ring.forget(second(60))
    assert (ring.total, ring.start) == (4, 1), "one has left, and is cut off with the next"
    ring.forget(second(100))

    assert (ring.total, ring.times, ring.start) == (0, [], 0)


@pytest.mark.parametrize(
    ("due", "calls", "expected"),
    [
        (0.0, [], NOW),
        (0.0, [(second(-61), 5)], NOW),  # earned back meanwhile
        (0.0, [(NOW, 1)], second(12)),  # a call is earned back in 12 s
        (0.0, [(second(-6), 1)], second(6)),
        (second(30), [(NOW, 2)], second(54)),
    ],
)
def test_by_gcra_what_is_told_late_is_owed_after_what_was_owed_already(due, calls, expected):
    assert told(due, Limit(5, 60, strategy="gcra"), calls, NOW) == expected
