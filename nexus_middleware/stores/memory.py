"""State in this process: for tests, for development, and for one worker."""

from __future__ import annotations

import math
import re
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Any

from ..rules.budgets import Account, Room
from ..rules.globs import expression
from ..rules.windows import Allowance
from . import commands as c
from .base import LIVE, Ear, Listening
from .counts import Counts, stops
from .kept import Recalls, Value
from .sums import added, summed

FOREVER = float("inf")
KINDS = {bytes: "string", int: "string", dict: "hash", deque: "list"}  # in the words of Redis
DEAF = Listening()


class MemoryStore:
    """Keeps everything in this process, behind one lock, within bounds; the oldest goes first.

    Args:
        max_callers: How many callers' counts are kept; a count takes about 500 bytes, and more for a busy caller.
        max_bytes: What all other values may take.
        clock: Seconds that never go backwards.
    """

    url = "memory://"
    waits = False

    def __init__(
        self, *, max_callers: int = 100_000, max_bytes: int = 64 * 2**20, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_bytes, self.clock = max_bytes, clock
        self._lock = threading.Lock()
        self._counts = Counts(max_callers)
        self._data: OrderedDict[str, Value] = OrderedDict()
        self._bytes = 0
        self._recalls = Recalls()
        self._do: dict[type, Callable[[Any, float], Any]] = {
            c.Judge: lambda x, now: self._counts.hit(c.Hit(x.limits), int(now * 1e6), counted=False),
            c.GiveBack: self._counts.give_back,
            c.Tell: self._counts.tell,
            c.Alive: lambda command, now: (1, math.inf),  # this process alone
            c.Get: self._get,
            c.Put: self._put,
            c.Fill: self._fill,
            c.Peek: lambda command, now: (kept := self._get(c.Get(command.key), now)) and kept[: command.count],
            c.Look: self._look,
            c.Drop: self._drop,
            c.Remaining: self._remaining,
            c.Add: self._add,
            c.Scan: self._scan,
            c.SetFields: self._set_fields,
            c.AddFields: self._add_fields,
            c.AddOnce: self._add_once,
            c.GetFields: self._get_fields,
            c.SumFields: lambda x, now: summed([self._get_fields(c.GetFields(key), now) for key in x.keys], x.top),
            c.DropFields: self._drop_fields,
            c.Push: self._push,
            c.Latest: self._latest,
            c.Reserve: self._reserve,
            c.Settle: self._settle,
            c.GetSome: self._get_some,
            c.Several: self._several,
            c.Recall: self._recall,
            c.Recalled: lambda command, now: self._recalls.all(command.key),
            c.Publish: lambda command, now: None,  # other processes are not there to hear it
            c.Facts: self._facts,
        }
        LIVE.add(self)

    def forget(self) -> None:
        """Forget everything."""
        with self._lock:
            self._counts.kept.clear()
            self._data.clear()
            self._bytes = 0

    def run(self, commands: Sequence[c.Command[Any]]) -> list[Any]:
        """Answer `commands` in order."""
        answers: list[Any] = []
        stopped = False  # a `Hit` that binds was refused
        with self._lock:
            now = self.clock()
            for command in commands:
                if type(command) is c.Hit:
                    answer = self._counts.hit(command, int(now * 1e6), counted=not stopped)
                    stopped = stopped or stops(command, answer)
                    answers.append(answer)
                else:
                    answers.append(self._do[type(command)](command, now))
        return answers

    def hit(self, hit: c.Hit) -> tuple[Allowance, ...]:
        """Answer one `Hit`, as `run` does."""
        with self._lock:
            return self._counts.hit(hit, int(self.clock() * 1e6), counted=True)

    def judge(self, hit: c.Hit) -> tuple[Allowance, ...]:
        """Say what `run` would answer, and count nothing."""
        with self._lock:
            return self._counts.hit(hit, int(self.clock() * 1e6), counted=False)

    async def arun(self, commands: Sequence[c.Command[Any]]) -> list[Any]:
        """`run`, which never waits."""
        return self.run(commands)

    async def aopen(self) -> None:
        """Do nothing."""

    def tick(self, now: float) -> None:
        """Do nothing: nobody else counts here."""

    def check(self) -> None:
        """Do nothing: it is always there."""

    def close(self) -> None:
        """Do nothing."""

    async def aclose(self) -> None:
        """Do nothing, as `close`."""

    def listen(self, channel: str, ear: Ear) -> Listening:
        """Hear nothing: no other process shares this memory."""
        return DEAF

    def _entry(self, key: str, now: float) -> Value | None:
        entry = self._data.get(key)
        if entry is not None and entry.ends <= now:
            self._remove(key)
            return None
        return entry

    def _made(self, key: str, now: float, make: Callable[[], Any], ttl: float | None) -> Value:
        """Return the entry of `key`, a new one if need be; `ttl` is counted from now."""
        entry = self._entry(key, now)
        if entry is None:
            self._sweep(now)
            entry = self._data[key] = Value(make(), FOREVER)
            self._bytes += entry.size
        if ttl is not None:
            entry.ends = now + ttl
        return entry

    def _weigh(self, entry: Value, change: int) -> None:
        entry.size += change
        self._bytes += change
        while self._bytes > self._max_bytes and self._data:
            self._remove(next(iter(self._data)))

    def _remove(self, key: str) -> bool:
        entry = self._data.pop(key, None)
        self._bytes -= entry.size if entry else 0
        return entry is not None

    def _sweep(self, now: float) -> None:
        for key in [key for key, _ in zip(self._data, range(2), strict=False)]:
            if self._data[key].ends <= now:
                self._remove(key)
            else:
                self._data.move_to_end(key)

    def _get(self, command: c.Get, now: float) -> bytes | None:
        entry = self._entry(command.key, now)
        if entry is None:
            return None
        return b"%d" % entry.value if isinstance(entry.value, int) else entry.value

    def _put(self, command: c.Put, now: float) -> bool:
        if self._entry(command.key, now) is not None:
            if command.absent:
                return False
            self._remove(command.key)
        entry = self._made(command.key, now, bytes, command.ttl)
        entry.value = command.value
        self._weigh(entry, len(command.value) + len(command.key))
        return True

    def _fill(self, command: c.Fill, now: float) -> bool:
        lease = self._entry(command.lease, now)
        if lease is None or lease.value != command.holder:
            return False
        self._remove(command.lease)
        return self._put(c.Put(command.key, command.value, command.ttl), now)

    def _look(self, command: c.Look, now: float) -> c.Kept | None:
        entry = self._entry(command.key, now)
        return None if entry is None else c.Kept(KINDS[type(entry.value)], entry.size, entry.ends - now)

    def _drop(self, command: c.Drop, now: float) -> int:
        counted = [self._counts.kept.pop(key, None) is not None for key in command.keys]
        kept = [self._entry(key, now) is not None and self._remove(key) for key in command.keys]
        return sum(map(bool.__or__, counted, kept))

    def _remaining(self, command: c.Remaining, now: float) -> float | None:
        entry = self._entry(command.key, now)
        return None if entry is None else entry.ends - now

    def _add(self, command: c.Add, now: float) -> int:
        new = self._entry(command.key, now) is None
        entry = self._made(command.key, now, int, command.ttl if new else None)
        entry.value = value = added(command, entry.value)
        return value

    def _scan(self, command: c.Scan, now: float) -> tuple[int, list[str]]:
        fits = re.compile(re.escape(command.prefix) + expression(command.pattern), re.DOTALL).fullmatch
        begin = command.prefix  # compared first, since that is quick, and there may be many callers
        kept = [key for key, entry in self._data.items() if entry.ends > now and key.startswith(begin) and fits(key)]
        return 0, kept + [key for key in self._counts.kept if key.startswith(begin) and fits(key)]

    def _set_fields(self, command: c.SetFields, now: float) -> None:
        entry = self._made(command.key, now, dict, command.ttl)
        entry.value.update(command.fields)
        self._weigh(entry, sum(len(k) + len(v) for k, v in command.fields.items()))

    def _add_fields(self, command: c.AddFields, now: float) -> None:
        entry = self._made(command.key, now, dict, command.ttl)
        fields = entry.value
        self._weigh(entry, sum(len(k) + 8 for k in command.amounts.keys() - fields.keys()))
        for field, amount in command.amounts.items():
            fields[field] = b"%d" % (int(fields.get(field, 0)) + amount)

    def _add_once(self, command: c.AddOnce, now: float) -> bool:
        told = self._made(f"told:{command.member}", now, int, c.TOLD_FOR)
        if command.number <= told.value:
            return False
        told.value = command.number
        for row in command.rows:
            for key, ttl in row.keys.items():
                self._add_fields(c.AddFields(key, row.adds | dict.fromkeys(row.tops, 0), ttl), now)
                fields = self._made(key, now, dict, ttl).value
                fields.update({f: b"%d" % least for f, least in row.tops.items() if int(fields[f]) < least})
        return True

    def _get_fields(self, command: c.GetFields, now: float) -> dict[str, bytes]:
        return {} if (entry := self._entry(command.key, now)) is None else dict(entry.value)

    def _get_some(self, command: c.GetSome, now: float) -> list[bytes | None]:
        entry = self._entry(command.key, now)
        return [None if entry is None else entry.value.get(field) for field in command.fields]

    def _several(self, command: c.Several, now: float) -> None:
        for each in command.commands:
            self._do[type(each)](each, now)

    def _recall(self, command: c.Recall, now: float) -> int:
        self._drop(c.Drop(command.drops), now)
        return self._recalls.add(command)

    def _drop_fields(self, command: c.DropFields, now: float) -> int:
        entry = self._entry(command.key, now)
        return 0 if entry is None else sum(entry.value.pop(field, None) is not None for field in command.fields)

    def _push(self, command: c.Push, now: float) -> None:
        entry = self._made(command.key, now, deque, command.ttl)
        entry.value.extendleft(command.values)
        change = sum(map(len, command.values))
        while len(entry.value) > command.cap:
            change -= len(entry.value.pop())
        self._weigh(entry, change)

    def _latest(self, command: c.Latest, now: float) -> list[bytes]:
        entry = self._entry(command.key, now)
        return [] if entry is None else [value for value, _ in zip(entry.value, range(command.count), strict=False)]

    def _reserve(self, command: c.Reserve, now: float) -> Room:
        window, lasts = round(command.window * 1e6), round(command.lasts * 1e6)
        account = self._account(command.key, now, max(2 * command.window, command.lasts))
        name, amount, limit = command.reservation, command.amount, command.limit
        return account.reserve(name, amount, limit=limit, window=window, lasts=lasts, now=int(now * 1e6))

    def _settle(self, command: c.Settle, now: float) -> None:
        account = self._account(command.key, now, 2 * command.window)
        account.settle(command.reservation, command.amount, window=round(command.window * 1e6), now=int(now * 1e6))

    def _account(self, key: str, now: float, ttl: float) -> Account:
        """Return a budget's account, which lives `ttl` from now, or longer if it was said before."""
        there = self._entry(key, now)
        entry = self._made(key, now, Account, ttl if there is None else max(ttl, there.ends - now))
        return entry.value  # type: ignore[no-any-return]

    def _facts(self, command: c.Facts, now: float) -> dict[str, str]:
        return {
            "flavour": "memory",
            "version": "",
            "used_memory": str(self._bytes),
            "maxmemory": str(self._max_bytes),
            "keys": str(len(self._data)),
        }
