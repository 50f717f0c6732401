"""The smallest limit that would have refused nobody of good standing."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence

import msgspec

from ...middleware.limits import Quota
from ...rules.windows import Limit
from ...stores.commands import Hit
from ...stores.memory import MemoryStore

RING = 128  # a sliding window's slots: above it, that many calls share one


class Proposal(msgspec.Struct, frozen=True):
    """What a limit might be."""

    name: str
    window: float  # seconds
    now: int  # its amount in the rules that were tried
    least: int  # the smallest amount that refuses none of the callers looked at
    busiest: str  # the caller who needs it
    callers: int  # how many were looked at


def propose(quota: Quota, times: Mapping[str, Sequence[float]], bad: Collection[str]) -> Proposal | None:
    """Return the smallest amount for `quota` that refuses no caller but the bad ones; None if nobody else called.

    Args:
        quota: The limit.
        times: When each caller called, by the key in the store.
        bad: Keys that are not looked at.
    """
    good = {key: calls for key, calls in times.items() if key not in bad}
    if not good:
        return None
    window, cost = quota.limit.window, quota.limit.cost
    needed = {key: cost * busiest(calls, window) for key, calls in good.items()}
    top = max(needed, key=lambda key: needed[key])
    amount = max(needed[top], cost)
    if quota.limit.strategy == "gcra":  # more lenient than a window: less may do
        amount = bisect_left(range(amount + 1), 1, cost, key=lambda x: not _refuses_any(quota, x, good, needed))
    while _refuses_any(quota, amount, good, needed):
        amount += max(1, amount // RING)
    return Proposal(quota.name, window, quota.limit.amount, amount, top.removeprefix(quota.prefix), len(good))


def busiest(calls: Sequence[float], window: float) -> int:
    """Return the most calls in any window.

    >>> busiest([0.0, 1.0, 9.0, 10.0, 10.5], 10.0)
    4
    """
    most = first = 0
    for last, at in enumerate(calls):
        while at - calls[first] >= window:
            first += 1
        most = max(most, last - first + 1)
    return most


def _refuses_any(quota: Quota, amount: int, good: Mapping[str, Sequence[float]], needed: Mapping[str, int]) -> bool:
    limit = msgspec.structs.replace(quota.limit, amount=amount)
    slot = limit.cost * -(-amount // RING)  # who calls less than the limit by more than a slot cannot be refused
    return any(_refuses(limit, calls) for key, calls in good.items() if needed[key] >= amount - slot)


def _refuses(limit: Limit, calls: Sequence[float]) -> bool:
    moments = iter(calls)
    store = MemoryStore(clock=lambda: next(moments), max_callers=1)
    return any(not store.run([Hit((("k", limit),))])[0][0].allowed for _ in calls)
