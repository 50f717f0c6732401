"""What one process knows of counts that many share: enough to go on alone, and to make it good afterwards."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias, TypeVar
from uuid import uuid4
from weakref import WeakKeyDictionary

from ..rules.windows import Allowance, Limit, Strategy
from .base import LIVE, Store
from .commands import Alive, Command, GiveBack, Hit, Tell
from .memory import MemoryStore

Allowances: TypeAlias = tuple[Allowance, ...]
V = TypeVar("V")
CALLERS = 20_000  # whose counts are remembered, of each kind
HEARTBEAT, GONE = 1.0, 10  # seconds between two signs of life; without one for so long, a process is gone
GRACE = 2.0  # seconds that the processes have to tell the store what they admitted, once it is back
REFUSED = 60.0  # seconds for which a refusal is believed without asking again
_OTHERS: WeakKeyDictionary[Store, Standby] = WeakKeyDictionary()  # of stores that have none of their own
BATCH = 500  # callers whose counts are told in one trip


class Standby:
    """Stands in for a store that is away, with this process's share of each limit, and remembers whom it refused.

    While the store answers, what it says is kept: a caller who was refused stays refused, at no trip, until a limit
    that refuses would let it in again, and what is left of a limit is shared out when an outage begins. What is admitted
    meanwhile is told to the store when it is back. Until all processes have done so, a call needs the consent of both.

    Args:
        tells: Whether somebody takes the `errands` to the store.
        clock: Seconds that never go backwards.
    """

    def __init__(self, *, tells: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._tells, self.clock, self._lock = tells, clock, threading.Lock()
        self._beat, self._began = float("-inf"), float("inf")  # the last sign of life, and the first
        self._name = uuid4().hex[:12]
        self.peers = _workers()  # processes that count in the store
        self.wanted = self.enlisted = False  # this one may do so, and does
        self.forget()
        LIVE.add(self)

    def forget(self) -> None:
        """Forget all counts and refusals."""
        self.careful = False  # the store is away, or has come back only just
        self._until = 0.0  # when it has heard all, once it is back
        self._here = MemoryStore(max_callers=CALLERS, clock=self.clock)
        self._left: dict[str, tuple[float, int]] = {}  # when the store last said what is left, and that
        self._refused: dict[str, tuple[float, float, Hit, Allowances]] = {}  # since, until, what was asked and said
        self._owed: dict[str, tuple[Limit, list[tuple[int, int]]]] = {}  # (time, calls) that the store does not know of
        self._telling: dict[str, int] = {}  # how many of them are on their way
        self._retell = 0  # when that trip must have failed

    @property
    def refusing(self) -> bool:
        """Whether it remembers whom the store has refused."""
        return bool(self._refused)

    def pardon(self) -> None:
        """Ask the store again about everybody: counts there were reset."""
        with self._lock:
            self._refused, self._left = {}, {}

    def refusal(self, hit: Hit) -> Allowances | None:
        """Return what refuses `hit` at no trip, if anything does: what the store said before, or the share."""
        if self._refused:
            for key, _ in hit.limits:
                if (known := self._refused.get(key)) is not None and known[2] == hit:
                    return self._remembered(key, known)
        if self.careful and hit.limits:
            with self._lock:
                said = self._here.judge(self._shared(hit))
            return None if all(x.allowed for x in said[: len(hit.limits)]) else said
        return None

    def heard(self, hit: Hit, answers: Allowances, *, lasting: bool = True) -> None:
        """Keep what the store said to `hit`; a refusal only if it is `lasting`, which calls given back would end."""
        self.enlisted = True
        with self._lock:
            now = self.clock()
            if self.careful:
                self._recover(now, hit, answers)
            else:
                for (key, _), said in zip(hit.limits, answers, strict=False):
                    _keep(self._left, key, (now, said.remaining))
            refused = [_steady(x, said) for (_, x), said in zip(hit.limits, answers, strict=False) if not said.allowed]
            if refused and lasting and min(refused) > 0:
                until = now + min(*refused, REFUSED)  # then another limit alone may refuse, and the store says which
                for (key, _), said in zip(hit.limits, answers, strict=False):
                    if not said.allowed:
                        _keep(self._refused, key, (now, until, hit, answers))

    def run(self, hit: Hit) -> Allowances:
        """Count `hit` in this process, since the store is away."""
        with self._lock:
            self.careful = self.enlisted = True
            self._until = float("inf")
            answers: Allowances = self._here.run([self._shared(hit)])[0]
            if self._tells:
                for (key, limit), said in zip(_every(hit), answers, strict=True):
                    if said.at:
                        self._owe(key, limit, said.at)
        return answers

    def give_back(self, taken: Sequence[tuple[str, Limit, Allowance]]) -> None:
        """Forget calls that `run` has counted."""
        with self._lock:
            self._here.run([GiveBack(tuple([(key, self._share(limit), said) for key, limit, said in taken]))])
            for key, limit, said in taken:
                if (call := (said.at, limit.cost)) in (owed := self._owed.get(key, (limit, []))[1]):
                    owed.remove(call)

    def errands(self) -> list[Command[Any]]:
        """Return what the next trip shall take along: a sign of life, and what the store has not heard of."""
        now = self.clock()
        if not (self._owed or (self.enlisted and now >= self._beat)):
            return []
        with self._lock:
            found: list[Command[Any]] = [*self._late(int(now * 1e6))]
            if self.enlisted and now >= self._beat:
                self._beat = now + HEARTBEAT
                found.append(Alive(f"{self._name}-{os.getpid()}", GONE))
        return found

    def delivered(self, errands: Sequence[Command[Any]], answers: Sequence[Any]) -> None:
        """Take note that the store has answered the errands."""
        with self._lock:
            for errand, answer in zip(errands, answers, strict=True):
                if isinstance(errand, Alive):
                    self._count_peers(*answer)
                else:
                    self._told()

    def _remembered(self, key: str, known: tuple[float, float, Hit, Allowances]) -> Allowances | None:
        since, until, _, said = known
        now = self.clock()
        if now >= until:
            self._refused.pop(key, None)
            return None
        age = now - since
        return tuple([Allowance(x.allowed, x.remaining, max(0.001, round(x.reset_after - age, 6))) for x in said])

    def _recover(self, now: float, hit: Hit, answers: Allowances) -> None:
        """Go on carefully: the store is back, and has not heard all yet."""
        if self._owed or self._until == float("inf"):
            self._until = now + GRACE
        if now >= self._until:
            self.careful = False
            self._here = MemoryStore(max_callers=CALLERS, clock=self.clock)
            return
        for (key, limit), said in zip(_every(hit), answers, strict=True):
            if said.at:  # admitted, so it counts on this process's share too
                self._here.run([Tell(((key, self._share(limit), ((0, limit.cost),)),))])

    def _shared(self, hit: Hit) -> Hit:
        def shares(limits: Sequence[tuple[str, Limit]]) -> tuple[tuple[str, Limit], ...]:
            return tuple([(key, self._begun(key, limit)) for key, limit in limits])

        return Hit(shares(hit.limits), hit.binding, tuple([shares(group) for group in hit.shadows]))

    def _begun(self, key: str, limit: Limit) -> Limit:
        """Return the share of a limit, less what the store had counted on it before it was away."""
        share = self._share(limit)
        if (known := self._left.pop(key, None)) is not None:
            since, left = known
            age, used = self.clock() - since, share.amount - left // self.peers
            if used > 0 and age < limit.window:
                self._here.run([Tell(((key, share, ((int(age * 1e6), used),)),))])
        return share

    def _share(self, limit: Limit) -> Limit:
        strategy: Strategy = "gcra" if limit.strategy == "gcra" else "sliding-window"
        return Limit(max(limit.cost, limit.amount // self.peers), limit.window, limit.cost, strategy)

    def _owe(self, key: str, limit: Limit, at: int) -> None:
        calls = self._owed.get(key, (limit, []))[1]
        if len(calls) > limit.amount:  # none older than a window matters
            calls[:] = [call for call in calls if call[0] > at - limit.micros]
        calls.append((at, limit.cost))
        _keep(self._owed, key, (limit, calls))

    def _late(self, now: int) -> Iterator[Tell]:
        if not self._owed or (self._telling and now < self._retell):
            return
        self._telling, self._retell = {}, now + 1_000_000
        for key, (limit, calls) in [*self._owed.items()][:BATCH]:
            if not calls or calls[-1][0] <= now - limit.micros:
                del self._owed[key]
            else:
                self._telling[key] = len(calls)
        if self._telling:
            rows = [(key, *self._owed[key]) for key in self._telling]
            yield Tell(tuple([(key, x, tuple([(max(0, now - at), n) for at, n in calls])) for key, x, calls in rows]))

    def _told(self) -> None:
        for key, size in self._telling.items():
            if key in self._owed:
                del self._owed[key][1][:size]
                if not self._owed[key][1]:
                    del self._owed[key]
        self._telling = {}

    def _count_peers(self, alive: int, known: float) -> None:
        """Believe in more processes at once, in fewer only where all have had the time to speak.

        A store that lost its data, or was away, knows of none at first.
        """
        self._began = min(self._began, now := self.clock())
        if alive >= self.peers or min(known, now - self._began) > GONE:
            self.peers = max(1, alive)


def _keep(kept: dict[str, V], key: str, value: V) -> None:
    """Put the newest last; the oldest leaves where there is no room."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > CALLERS:
        del kept[next(iter(kept))]


def _steady(limit: Limit, said: Allowance) -> float:
    """Return the seconds for which a refusal stays as it is, down to what it says is left, which GCRA gives back bit by bit."""
    if limit.strategy != "gcra":
        return said.reset_after
    return said.reset_after - (limit.cost - said.remaining - 1) * limit.window / limit.amount - 1e-6


def _every(hit: Hit) -> list[tuple[str, Limit]]:
    return [*hit.limits, *[pair for group in hit.shadows for pair in group]]


def _workers() -> int:
    """Return how many workers the server was told to start, until the store says how many there are."""
    told = os.environ.get("WEB_CONCURRENCY", "")
    return max(1, int(told)) if told.isdecimal() else 1


def standby_of(store: Store) -> Standby:
    """Return what stands in for `store`, from now on wanted; for a store that has none, one that tells it nothing."""
    standby: Standby | None = getattr(store, "standby", None) or _OTHERS.get(store)
    if standby is None:
        standby = _OTHERS[store] = Standby()
    standby.wanted = True
    return standby
