"""The rule of the sliding window, without a clock: never more than a limit in any window of that length."""

from __future__ import annotations

import msgspec


class Allowance(msgspec.Struct, frozen=True, gc=False):
    """What one limit says to one call."""

    allowed: bool
    remaining: int
    reset_after: float  # seconds: until the call would be admitted if refused, else until `remaining` grows


class Limit(msgspec.Struct, frozen=True, gc=False):
    """At most `amount` calls in any `window` seconds; this call counts `cost`."""

    amount: int
    window: float
    cost: int = 1
