"""The store's commands in the words of Redis, and its replies as their answers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from importlib.resources import files
from math import inf
from typing import Any, TypeAlias

from ..rules.globs import escape
from ..rules.windows import Allowance, Limit
from . import commands as c
from .pipeline import Words

SCRIPT = files(__package__ or "").joinpath("scripts/count.lua").read_bytes()
SHA = hashlib.sha1(SCRIPT, usedforsecurity=False).hexdigest()
BACK = files(__package__ or "").joinpath("scripts/give_back.lua").read_bytes()
BACK_SHA = hashlib.sha1(BACK, usedforsecurity=False).hexdigest()
SCRIPTS = (SCRIPT, BACK)
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
        self._commands, self._prefix = commands, prefix
        self._reads: list[tuple[Read, int, int]] = []
        hits = [command for command in commands if isinstance(command, c.Hit)]
        if hits:
            self.words.append(self._count(hits, now))
        for command in commands:
            if not isinstance(command, c.Hit):
                speak, read = _SPOKEN[type(command)]
                words = [self._back(command, now)] if isinstance(command, c.GiveBack) else speak(prefix, command)
                self._reads.append((read, len(self.words), len(self.words) + len(words)))
                self.words += words

    def _count(self, hits: Sequence[c.Hit], now: int | None) -> Words:
        groups = [group for hit in hits for group in ((hit.limits, hit.binding), *((x, False) for x in hit.shadows))]
        rows = [(key, limit, n, binds) for n, (limits, binds) in enumerate(groups) for key, limit in limits]
        args = [word for _, x, group, binds in rows for word in (*_limit(x), group, int(binds))]
        return ("EVALSHA", SHA, len(rows), *[self._prefix + key for key, *_ in rows], "" if now is None else now, *args)

    def _back(self, command: c.GiveBack, now: int | None) -> Words:
        args = [
            word for _, x, taken in command.taken for word in (*_limit(x), taken.at, round(taken.reset_after * 1e6))
        ]
        keys = [self._prefix + key for key, *_ in command.taken]
        return ("EVALSHA", BACK_SHA, len(keys), *keys, "" if now is None else now, *args)

    def answers(self, raws: list[Any]) -> list[Any]:
        """Read the replies, one for each of `words`."""
        plain = iter([read(raws[start:stop]) for read, start, stop in self._reads])
        counted = iter(_allowances(raws[0])) if any(isinstance(x, c.Hit) for x in self._commands) else iter(())
        return [
            tuple([next(counted) for _ in range(_size(command))]) if isinstance(command, c.Hit) else next(plain)
            for command in self._commands
        ]


def _limit(x: Limit) -> tuple[int, int, int, int]:
    return x.amount, x.micros, x.cost, 0 if x.strategy == "sliding-window" else 1


def _size(hit: c.Hit) -> int:
    return len(hit.limits) + sum(map(len, hit.shadows))


def _allowances(flat: Sequence[int]) -> list[Allowance]:
    fours = zip(flat[::4], flat[1::4], flat[2::4], flat[3::4], strict=True)
    return [Allowance(bool(allowed), remaining, reset / 1e6, at) for allowed, remaining, reset, at in fours]


def _millis(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _ending(key: str, ttl: float | None) -> list[Words]:
    return [] if ttl is None else [("PEXPIRE", key, _millis(ttl))]


def _put(p: str, x: c.Put) -> list[Words]:
    ending = () if x.ttl is None else ("PX", _millis(x.ttl))
    return [("SET", p + x.key, x.value, *ending, *(("NX",) if x.absent else ()))]


def _add(p: str, x: c.Add) -> list[Words]:
    begin: list[Words] = [] if x.ttl is None else [("SET", p + x.key, 0, "PX", _millis(x.ttl), "NX")]
    return [*begin, ("INCRBY", p + x.key, x.amount)]


def _scan(p: str, x: c.Scan) -> list[Words]:
    return [("SCAN", x.cursor, "MATCH", escape(p + x.prefix) + x.pattern, "COUNT", x.count)]


def _set_fields(p: str, x: c.SetFields) -> list[Words]:
    flat = [word for pair in x.fields.items() for word in pair]
    return [("HSET", p + x.key, *flat), *_ending(p + x.key, x.ttl)]


def _add_fields(p: str, x: c.AddFields) -> list[Words]:
    added: list[Words] = [("HINCRBY", p + x.key, field, amount) for field, amount in x.amounts.items()]
    return [*added, *_ending(p + x.key, x.ttl)]


def _push(p: str, x: c.Push) -> list[Words]:
    return [("LPUSH", p + x.key, *x.values), ("LTRIM", p + x.key, 0, x.cap - 1), *_ending(p + x.key, x.ttl)]


def _remaining(raws: list[Any]) -> float | None:
    millis = raws[0]
    return None if millis == -2 else inf if millis == -1 else millis / 1000


def _facts(raws: list[Any]) -> dict[str, str]:
    info = {str(key): str(value) for key, value in raws[0].items()}
    flavour = info.get("server_name", "redis")
    return {**info, "flavour": flavour, "version": info.get(f"{flavour}_version", info["redis_version"])}


def _page(raws: list[Any]) -> tuple[int, list[str]]:
    cursor, keys = raws[0]
    return int(cursor), [key.decode("utf-8", "replace").split(":", 2)[2] for key in keys]  # namespace:schema:rest


def _first(raws: list[Any]) -> Any:
    return raws[0]


def _nothing(_raws: list[Any]) -> None:
    return None


_SPOKEN: dict[type, tuple[Callable[[str, Any], list[Words]], Read]] = {
    c.GiveBack: (lambda p, x: [], _nothing),  # it needs the clock too: `Speech` speaks it
    c.Get: (lambda p, x: [("GET", p + x.key)], _first),
    c.Put: (_put, lambda raws: bool(raws[0])),
    c.Drop: (lambda p, x: [("UNLINK", *[p + key for key in x.keys])] if x.keys else [], sum),
    c.Remaining: (lambda p, x: [("PTTL", p + x.key)], _remaining),
    c.Add: (_add, lambda raws: raws[-1]),
    c.Scan: (_scan, _page),
    c.SetFields: (_set_fields, _nothing),
    c.AddFields: (_add_fields, _nothing),
    c.GetFields: (lambda p, x: [("HGETALL", p + x.key)], lambda raws: {k.decode(): v for k, v in raws[0].items()}),
    c.DropFields: (lambda p, x: [("HDEL", p + x.key, *x.fields)], _first),
    c.Push: (_push, _nothing),
    c.Latest: (lambda p, x: [("LRANGE", p + x.key, 0, x.count - 1)], _first),
    c.Publish: (lambda p, x: [("PUBLISH", p + x.channel, x.message)], _nothing),
    c.Facts: (lambda p, x: [("INFO",)], _facts),
}
