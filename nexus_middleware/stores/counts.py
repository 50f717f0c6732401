"""Who has called how often, in this process: one ring or number a caller, within a bound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from ..rules.windows import Allowance, Limit, Ring, gcra, told, unspent
from .commands import GiveBack, Hit, Tell


class Counts:
    """What `MemoryStore` counts by, behind its lock. Times are in microseconds.

    Args:
        most: Callers that are kept; beyond it the one that was not looked at for longest is forgotten.
    """

    def __init__(self, most: int) -> None:
        self._max_callers = most
        self.kept: OrderedDict[str, Ring | float] = OrderedDict()  # a ring, or what `gcra` keeps

    def hit(self, hit: Hit, now: int, *, counted: bool) -> tuple[Allowance, ...]:
        """Answer a `Hit`; count it only if it is `counted`."""
        if not hit.shadows:
            if counted and len(hit.limits) == 1:  # nearly always
                ((key, limit),) = hit.limits
                ring = self.kept.get(key)
                if type(ring) is Ring and limit.strategy == "sliding-window":
                    return (ring.take(limit, now),)
            return self._group(hit.limits, now, counted=counted)
        answer = self._group(hit.limits, now, counted=counted)
        counted = counted and not stops(hit, answer)
        return answer + tuple([x for group in hit.shadows for x in self._group(group, now, counted=counted)])

    def _group(self, limits: Sequence[tuple[str, Limit]], now: int, *, counted: bool) -> tuple[Allowance, ...]:
        judged = [self._judge(key, limit, now) for key, limit in limits]
        if not counted or not all(x.allowed for x in judged):
            return tuple(judged)
        return tuple([self._note(key, limit, now) for key, limit in limits])

    def give_back(self, command: GiveBack, now: float) -> None:
        """Forget calls; `now` is in seconds."""
        micros = int(now * 1e6)
        for key, limit, taken in command.taken:
            if limit.strategy == "gcra":
                if key in self.kept:
                    self.kept[key] = unspent(self._due(key), limit, taken, micros)
            elif type(ring := self.kept.get(key)) is Ring:
                ring.forget(micros)
                ring.give_back(limit.cost, taken.at, micros)

    def tell(self, command: Tell, now: float) -> None:
        """Add calls that were counted elsewhere; `now` is in seconds."""
        micros = int(now * 1e6)
        for key, limit, late in command.late:
            calls = [(micros - age, count) for age, count in late]
            if limit.strategy == "gcra":
                self.kept[key] = told(self._due(key), limit, calls, micros)
            else:
                self._ring(key, limit, micros).tell(calls, micros)

    def _judge(self, key: str, limit: Limit, now: int) -> Allowance:
        if limit.strategy == "gcra":
            allowance, _ = gcra(self._due(key), limit, now)
            return allowance
        return self._ring(key, limit, now).judge(limit, now)

    def _note(self, key: str, limit: Limit, now: int) -> Allowance:
        if limit.strategy == "gcra":
            if key not in self.kept:
                self._sweep(now)
            allowance, self.kept[key] = gcra(self._due(key), limit, now, at=now)
            return allowance
        return self._ring(key, limit, now).add(limit, now)

    def _due(self, key: str) -> float:
        kept = self.kept.get(key, 0.0)
        return kept if isinstance(kept, float) else 0.0

    def _ring(self, key: str, limit: Limit, now: int) -> Ring:
        ring = self.kept.get(key)
        if type(ring) is not Ring:
            self._sweep(now)
            ring = self.kept[key] = Ring(limit.micros, limit.grain)
        ring.forget(now)
        return ring

    def _sweep(self, now: int) -> None:
        """Look at the two that were not looked at for longest: dead ones go, and the oldest where there is no room."""
        counts = self.kept
        for _ in range(min(2, len(counts))):
            key, kept = counts.popitem(last=False)
            ends = kept if not isinstance(kept, Ring) else kept.newest + kept.window
            if ends > now:
                counts[key] = kept
        while len(counts) >= self._max_callers:
            counts.popitem(last=False)


def stops(hit: Hit, answer: Sequence[Allowance]) -> bool:
    """Whether what comes after `hit` is not counted; `answer` begins with that of its limits."""
    return hit.binding and not all(x.allowed for x in answer[: len(hit.limits)])
