"""The store's commands in the words of Redis, and its replies as their answers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.resources import files
from math import inf
from struct import Struct
from typing import Any, TypeAlias

from ..rules.budgets import Room
from ..rules.globs import escape
from ..rules.windows import Allowance, Limit
from . import commands as c
from .pipeline import Words
from .wire import HALVES


def _script(name: str) -> tuple[bytes, str]:
    text = files(__package__ or "").joinpath(f"scripts/{name}.lua").read_bytes()
    return text, hashlib.sha1(text, usedforsecurity=False).hexdigest()


(COUNT, SHA), (BACK, BACK_SHA) = _script("count"), _script("give_back")
(TELL, TELL_SHA), (ALIVE, ALIVE_SHA) = _script("tell"), _script("alive")
(ONCE, ONCE_SHA), (BUDGET, BUDGET_SHA) = _script("add_once"), _script("budget")
SUM, SUM_SHA = _script("sum_fields")
(RECALL, RECALL_SHA), (FILL, FILL_SHA) = _script("recall"), _script("fill")
SCRIPTS = (COUNT, BACK, TELL, ALIVE, ONCE, BUDGET, RECALL, FILL, SUM)
ROW, TOLD = Struct(">QQQBHB"), Struct(">BQQQ")  # as in count.lua
WORKERS = "rate:workers"
JUDGED = (65_535, False)  # a group beyond all others, which is judged and never counted; it binds nobody
Read: TypeAlias = Callable[[list[Any]], Any]  # the replies of one command -> its answer


class Speech:
    """Commands, spoken.

    Args:
        commands: What is asked.
        prefix: What every key begins with.
        now: Microseconds, for tests; None for the server's own clock, which all workers share.
    """

    def __init__(self, commands: Sequence[c.Command[Any]], prefix: str, now: int | None) -> None:
        self.words: list[Words] = []
        self.commands, self._prefix = commands, prefix
        self._reads: list[tuple[Read, int, int]] = []
        hits = [command for command in commands if isinstance(command, c.Hit)]
        if hits:
            self.words.append(self._count(hits, now))
        for command in commands:
            if not isinstance(command, c.Hit):
                speak, read = _SPOKEN[type(command)]
                words = [self._timed(command, now)] if type(command) in TOLD_TIME else speak(prefix, command)
                self._reads.append((read, len(self.words), len(self.words) + len(words)))
                self.words += words

    def _count(self, hits: Sequence[c.Hit], now: int | None) -> Words:
        groups = [group for hit in hits for group in ((hit.limits, hit.binding), *((x, False) for x in hit.shadows))]
        rows = [(key, limit, n, binds) for n, (limits, binds) in enumerate(groups) for key, limit in limits]
        args = [_row(x, group, binds) for _, x, group, binds in rows]
        return ("EVALSHA", SHA, len(rows), *[self._prefix + key for key, *_ in rows], "" if now is None else now, *args)

    def _timed(self, command: Any, now: int | None) -> Words:
        """Speak a command whose script needs to know the time."""
        if isinstance(command, (c.Reserve, c.Settle)):
            return ("EVALSHA", BUDGET_SHA, 1, self._prefix + command.key, "" if now is None else now, *_budget(command))
        if isinstance(command, c.Alive):
            keys = [self._prefix + WORKERS, f"{self._prefix}{WORKERS}:since"]
            return ("EVALSHA", ALIVE_SHA, 2, *keys, "" if now is None else now, command.process, command.within)
        sha, rows, args = TIMED[type(command)](command)
        words = [word for _, limit, what in rows for word in args(limit, what)]
        keys = [self._prefix + key for key, *_ in rows]
        return ("EVALSHA", sha, len(keys), *keys, "" if now is None else now, *words)

    def answers(self, raws: list[Any]) -> list[Any]:
        """Read the replies, one for each of `words`."""
        plain = iter([read(raws[start:stop]) for read, start, stop in self._reads])
        counted = iter(_allowances(raws[0])) if any(isinstance(x, c.Hit) for x in self.commands) else iter(())
        return [
            tuple([next(counted) for _ in range(_size(command))]) if isinstance(command, c.Hit) else next(plain)
            for command in self.commands
        ]


def _limit(x: Limit) -> tuple[int, int, int, int]:
    return x.amount, x.micros, x.cost, 0 if x.strategy == "sliding-window" else 1


def _taken(x: Limit, taken: Allowance) -> tuple[int, ...]:
    return (*_limit(x), taken.at, round(taken.reset_after * 1e6))


def _late(x: Limit, calls: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    amount, window, _, strategy = _limit(x)
    return (amount, window, strategy, len(calls), *[number for call in calls for number in call])


def _budget(x: c.Reserve | c.Settle) -> Words:
    shared = (x.reservation, x.amount, round(x.window * 1e6))
    if isinstance(x, c.Settle):
        return ("settle", *shared)
    return ("reserve", *shared, x.limit, round(x.lasts * 1e6))


def _room(raws: list[Any]) -> Room:
    granted, left, wait = raws[0]
    return Room(bool(granted), left, wait / 1e6)


def _size(hit: c.Hit) -> int:
    return len(hit.limits) + sum(map(len, hit.shadows))


@lru_cache(4096)
def _row(x: Limit, group: int, binds: bool) -> bytes:  # noqa: FBT001
    return ROW.pack(*_limit(x), group, binds)


def _allowances(told: bytes) -> list[Allowance]:
    return [
        Allowance(allowed == 1, remaining, reset / 1e6, at) for allowed, remaining, reset, at in TOLD.iter_unpack(told)
    ]


def _millis(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _ending(key: str, ttl: float | None) -> list[Words]:
    return [] if ttl is None else [("PEXPIRE", key, _millis(ttl))]


def _put(p: str, x: c.Put) -> list[Words]:
    ending = () if x.ttl is None else ("PX", _millis(x.ttl))
    return [("SET", p + x.key, x.value, *ending, *(("NX",) if x.absent else ()))]


def _fill(p: str, x: c.Fill) -> list[Words]:
    life = "" if x.ttl is None else _millis(x.ttl)
    return [("EVALSHA", FILL_SHA, 2, p + x.key, p + x.lease, x.value, life, x.holder)]


def _look(p: str, x: c.Look) -> list[Words]:
    key = p + x.key
    return [("TYPE", key), ("MEMORY", "USAGE", key), ("PTTL", key)]


def _kept(raws: list[Any]) -> c.Kept | None:
    kind, size, millis = raws
    if size is None or millis == -2:
        return None
    return c.Kept(kind.decode(), size, inf if millis == -1 else millis / 1000)


def _add(p: str, x: c.Add) -> list[Words]:
    begin: list[Words] = [] if x.ttl is None else [("SET", p + x.key, 0, "PX", _millis(x.ttl), "NX")]
    return [*begin, ("INCRBY", p + x.key, x.amount)]


def _scan(p: str, x: c.Scan) -> list[Words]:
    return [("SCAN", x.cursor, "MATCH", escape(p + x.prefix) + x.pattern, "COUNT", x.count)]


def _text(key: bytes) -> str:
    try:
        return key.decode("utf-8", HALVES)
    except UnicodeDecodeError:  # none of ours
        return key.decode("utf-8", "replace")


def _set_fields(p: str, x: c.SetFields) -> list[Words]:
    flat = [word for pair in x.fields.items() for word in pair]
    return [("HSET", p + x.key, *flat), *_ending(p + x.key, x.ttl)]


def _add_fields(p: str, x: c.AddFields) -> list[Words]:
    added: list[Words] = [("HINCRBY", p + x.key, field, amount) for field, amount in x.amounts.items()]
    return [*added, *_ending(p + x.key, x.ttl)]


def _add_once(p: str, x: c.AddOnce) -> list[Words]:
    keys = [key for row in x.rows for key in row.keys]
    args: list[Any] = [x.number, _millis(c.TOLD_FOR)]
    for row in x.rows:
        args += [len(row.keys), *["" if ttl is None else _millis(ttl) for ttl in row.keys.values()]]
        for fields in (row.adds, row.tops):
            args += [len(fields), *[word for pair in fields.items() for word in pair]]
    return [("EVALSHA", ONCE_SHA, 1 + len(keys), f"{p}told:{x.member}", *[p + key for key in keys], *args)]


def _sum_fields(p: str, x: c.SumFields) -> list[Words]:
    return [("EVALSHA", SUM_SHA, len(x.keys), *[p + key for key in x.keys], x.top)]


def _push(p: str, x: c.Push) -> list[Words]:
    return [("LPUSH", p + x.key, *x.values), ("LTRIM", p + x.key, 0, x.cap - 1), *_ending(p + x.key, x.ttl)]


def _several(p: str, x: c.Several) -> list[Words]:
    return [words for each in x.commands for words in _SPOKEN[type(each)][0](p, each)]


def _recall(p: str, x: c.Recall) -> list[Words]:
    keys = [p + x.key + ":last", p + x.key, *[p + key for key in x.drops]]
    return [("EVALSHA", RECALL_SHA, len(keys), *keys, x.message, p + x.channel, x.cap)]


def _recalled(raws: list[Any]) -> tuple[int, list[tuple[int, bytes]]]:
    return int(raws[0] or 0), [(int(float(number)), message) for message, number in _pairs(raws[1])]


def _pairs(flat: list[Any]) -> list[tuple[bytes, Any]]:
    return flat if flat and isinstance(flat[0], tuple | list) else list(zip(flat[::2], flat[1::2], strict=True))


def _remaining(raws: list[Any]) -> float | None:
    millis = raws[0]
    return None if millis == -2 else inf if millis == -1 else millis / 1000


def _facts(raws: list[Any]) -> dict[str, str]:
    info = {str(key): str(value) for key, value in raws[0].items()}
    flavour = info.get("server_name", "redis")
    return {**info, "flavour": flavour, "version": info.get(f"{flavour}_version", info["redis_version"])}


def _page(raws: list[Any]) -> tuple[int, list[str]]:
    cursor, keys = raws[0]
    return int(cursor), [_text(key).split(":", 2)[2] for key in keys]  # namespace:schema:rest


def _first(raws: list[Any]) -> Any:
    return raws[0]


def _peeked(raws: list[Any]) -> bytes | None:
    return raws[0] if raws[1] else None


def _nothing(_raws: list[Any]) -> None:
    return None


TIMED: dict[type, Callable[[Any], tuple[str, Sequence[Any], Callable[..., Words]]]] = {
    c.Judge: lambda x: (SHA, [(key, limit, JUDGED) for key, limit in x.limits], lambda x, how: (_row(x, *how),)),
    c.GiveBack: lambda x: (BACK_SHA, x.taken, _taken),
    c.Tell: lambda x: (TELL_SHA, x.late, _late),
}
TOLD_TIME = {*TIMED, c.Alive, c.Reserve, c.Settle}
_SPOKEN: dict[type, tuple[Callable[[str, Any], list[Words]], Read]] = {
    c.Judge: (lambda p, x: [], lambda raws: tuple(_allowances(raws[0]))),  # `Speech` speaks these six itself
    c.GiveBack: (lambda p, x: [], _nothing),
    c.Tell: (lambda p, x: [], _nothing),
    c.Reserve: (lambda p, x: [], _room),
    c.Settle: (lambda p, x: [], _nothing),
    c.Alive: (lambda p, x: [], lambda raws: (raws[0][0], float(raws[0][1]))),
    c.Get: (lambda p, x: [("GET", p + x.key)], _first),
    c.Put: (_put, lambda raws: bool(raws[0])),
    c.Fill: (_fill, lambda raws: bool(raws[0])),
    c.Peek: (lambda p, x: [("GETRANGE", p + x.key, 0, x.count - 1), ("EXISTS", p + x.key)], _peeked),
    c.Look: (_look, _kept),
    c.Drop: (lambda p, x: [("UNLINK", *[p + key for key in x.keys])] if x.keys else [], sum),
    c.Remaining: (lambda p, x: [("PTTL", p + x.key)], _remaining),
    c.Add: (_add, lambda raws: raws[-1]),
    c.Scan: (_scan, _page),
    c.SetFields: (_set_fields, _nothing),
    c.AddFields: (_add_fields, _nothing),
    c.AddOnce: (_add_once, lambda raws: bool(raws[0])),
    c.GetFields: (lambda p, x: [("HGETALL", p + x.key)], lambda raws: {k.decode(): v for k, v in raws[0].items()}),
    c.SumFields: (_sum_fields, lambda raws: {k.decode(): v for k, v in zip(raws[0][::2], raws[0][1::2], strict=True)}),
    c.GetSome: (lambda p, x: [("HMGET", p + x.key, *x.fields)], _first),
    c.Several: (_several, _nothing),
    c.Recall: (_recall, _first),
    c.Recalled: (lambda p, x: [("GET", p + x.key + ":last"), ("ZRANGE", p + x.key, 0, -1, "WITHSCORES")], _recalled),
    c.DropFields: (lambda p, x: [("HDEL", p + x.key, *x.fields)], _first),
    c.Push: (_push, _nothing),
    c.Latest: (lambda p, x: [("LRANGE", p + x.key, 0, x.count - 1)], _first),
    c.Publish: (lambda p, x: [("PUBLISH", p + x.channel, x.message)], _nothing),
    c.Facts: (lambda p, x: [("INFO",)], _facts),
}
