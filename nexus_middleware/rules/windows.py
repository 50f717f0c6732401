"""How calls are counted, without a clock: never more than a limit in any window of that length."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

Strategy: TypeAlias = Literal["sliding-window", "gcra", "fixed-window", "moving-window", "sliding-window-counter"]
BORROWED: tuple[Strategy, ...] = ("fixed-window", "moving-window", "sliding-window-counter")  # those of `limits`
SLOTS = 128  # a limit up to this is kept exactly; a greater one takes ceil(limit / SLOTS) calls to a slot


class Allowance(msgspec.Struct, frozen=True, gc=False):
    """What one limit says to one call."""

    allowed: bool
    remaining: int
    reset_after: float  # seconds: until the call would be admitted if refused, else until `remaining` grows
    at: int = 0  # when the call was counted, in microseconds of the store's clock; 0 if it was not


class Limit(msgspec.Struct, frozen=True, gc=False):
    """At most `amount` calls in any `window` seconds; this call counts `cost`."""

    amount: int
    window: float
    cost: int = 1
    strategy: Strategy = "sliding-window"

    @property
    def micros(self) -> int:
        """The window in whole microseconds, so that Python and Lua agree to the last digit."""
        return round(self.window * 1e6)

    @property
    def grain(self) -> int:
        """How many calls one slot takes."""
        return -(-self.amount // SLOTS)


class Ring:
    """One caller's admitted calls, in at most `SLOTS` slots of (time of its newest call, calls).

    Times are whole microseconds. A slot takes as many calls in a row as the grain says, and leaves when its newest is
    one window old. That can only over-count, so no window `(t - window, t]` ever holds more than the limit; where the
    grain is 1 the count is exact.
    """

    __slots__ = ("counts", "grain", "start", "times", "total", "window")

    def __init__(self, window: int, grain: int) -> None:
        self.window = window  # microseconds
        self.grain = grain  # calls that a slot takes
        self.times: list[int] = []
        self.counts: list[int] = []
        self.start = 0  # the slots before it have left
        self.total = 0

    @property
    def newest(self) -> int:
        """When the last call was admitted; 0 if none is left."""
        return self.times[-1] if self.times else 0

    def take(self, limit: Limit, now: int) -> Allowance:
        """Note a call at `now` if it may be admitted, and say what is left; else say when it may."""
        times, oldest = self.times, now - self.window
        if not times or times[self.start] <= oldest:
            self.forget(now)
        total, amount = self.total + limit.cost, limit.amount
        if total > amount:
            return self.judge(limit, now)
        if self.grain > 1:
            return self.add(limit, now)
        self.total = total  # as `add` does it, where every call has its own slot
        times.append(now)
        self.counts.append(limit.cost)
        return Allowance(True, amount - total, (times[self.start] - oldest) / 1e6, now)

    def forget(self, now: int) -> None:
        """Drop the slots that have left the window which ends at `now`."""
        times, start, until = self.times, self.start, now - self.window
        while start < len(times) and times[start] <= until:
            self.total -= self.counts[start]
            start += 1
        if start > SLOTS or start == len(times):  # shifting what is left once in a while keeps each call cheap
            del times[:start], self.counts[:start]
            start = 0
        self.start = start

    def judge(self, limit: Limit, now: int) -> Allowance:
        """Say whether a call may be admitted at `now`, after `forget`; nothing is noted."""
        over = self.total + limit.cost - limit.amount
        times, at = self.times, self.start
        if over <= 0:
            reset = times[at] + self.window - now if at < len(times) else 0
            return Allowance(True, limit.amount - self.total, reset / 1e6)
        while over > self.counts[at]:
            over -= self.counts[at]
            at += 1
        return Allowance(False, max(0, limit.amount - self.total), (times[at] + self.window - now) / 1e6)

    def add(self, limit: Limit, now: int) -> Allowance:
        """Note an admitted call, and say what is left after it."""
        times, cost, grain = self.times, limit.cost, self.grain
        total = self.total = self.total + cost
        if grain > 1 and len(times) > self.start and self.counts[-1] < grain:
            times[-1] = now
            self.counts[-1] += cost
        else:
            times.append(now)
            self.counts.append(cost)
        return Allowance(True, limit.amount - total, (times[self.start] + self.window - now) / 1e6, now)

    def tell(self, calls: Sequence[tuple[int, int]], now: int) -> None:
        """Add (time, calls), oldest first, that were counted elsewhere, after `forget`; the total may pass the limit.

        Where there are too many slots the oldest are joined, which can only over-count.
        """
        times, counts = self.times[self.start :], self.counts[self.start :]
        for at, count in calls:
            if at > now - self.window:
                place = bisect_right(times, at)
                times.insert(place, at)
                counts.insert(place, count)
        while len(times) > SLOTS:
            counts[1] += counts[0]
            del times[0], counts[0]
        self.times, self.counts, self.start, self.total = times, counts, 0, sum(counts)

    def give_back(self, cost: int, at: int, now: int) -> None:
        """Forget a call that was noted at `at`, after `forget`; its slot stays as long as others are in it."""
        slot = bisect_left(self.times, at, self.start)
        if at <= now - self.window or slot == len(self.times) or (self.grain == 1 and self.times[slot] != at):
            return  # it has left the window, or the ring that it was in is gone
        given = min(cost, self.counts[slot])
        self.total -= given
        self.counts[slot] -= given
        if not self.counts[slot]:
            del self.times[slot], self.counts[slot]
        if self.start == len(self.times):
            self.times, self.counts, self.start = [], [], 0


def gcra(due: float, limit: Limit, now: int, *, at: int = 0) -> tuple[Allowance, float]:
    """Decide one call by the generic cell rate algorithm.

    The caller's whole history is one number: `due`, the time at which all that it has used is earned back. A call adds
    its cost times `window / amount`, and is refused if that would put it more than one window ahead. Traffic is smooth,
    but up to twice the limit may be admitted within one window.

    Args:
        due: When the caller's use is earned back, in microseconds on `now`'s clock; 0 for a new caller.
        limit: What is allowed.
        now: The present, in microseconds.
        at: What an `Allowance` of an admitted call says of when it was counted.

    Returns:
        The decision, and the `due` to keep; unchanged if the call was refused.

    See Also:
        ITU-T I.371 (2004), annex A.1, the virtual scheduling algorithm.
    """
    window, step = limit.micros, limit.micros / limit.amount
    base = max(due, float(now))
    new = base + step * limit.cost
    if new - now > window:
        return Allowance(False, max(0, int((window - (base - now)) / step)), int(new - now - window) / 1e6), due
    return Allowance(True, int((window - (new - now)) / step), int(new - now) / 1e6, at), new


def unspent(due: float, limit: Limit, taken: Allowance, now: int) -> float:
    """Return the `due` of a caller who is given a call back: less what of it has not been earned back anyway.

    What has been earned back since is not given twice, so that no smooth rate is exceeded.
    """
    left = float(taken.at + round(taken.reset_after * 1e6) - now)
    return due - max(0.0, min(limit.micros / limit.amount * limit.cost, left))


def told(due: float, limit: Limit, calls: Sequence[tuple[int, int]], now: int) -> float:
    """Return the `due` of a caller with (time, calls), oldest first, that were counted elsewhere."""
    late = 0.0
    for at, count in calls:
        late = max(late, float(at)) + limit.micros / limit.amount * count
    return max(due, float(now)) + max(0.0, late - now)
