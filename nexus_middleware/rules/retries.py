"""How long a failed job waits before it is tried again."""

from __future__ import annotations

import random
from collections.abc import Callable

DELAYS = (2.0, 4.0, 8.0)  # seconds before each retry
JITTER = 0.1  # at most this share is added, so that jobs that failed together do not come back together
RETRIES = len(DELAYS)


def delay(left: int, *, chance: Callable[[], float] = random.random) -> float | None:
    """Return the seconds before the next retry when `left` of them are left; None when there are none.

    >>> [delay(left, chance=lambda: 0.0) for left in (3, 2, 1, 0)]
    [2.0, 4.0, 8.0, None]
    >>> round(delay(3, chance=lambda: 1.0), 3)
    2.2
    """
    if left <= 0:
        return None
    return DELAYS[max(0, RETRIES - left)] * (1 + JITTER * chance())
