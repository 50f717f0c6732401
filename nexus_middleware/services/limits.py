"""How far callers have used their limits, and giving a caller its limit back."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from typing import Any, TypeAlias

import msgspec

from ..errors import SettingsError
from ..rules.globs import escape
from ..rules.windows import Limit, Strategy
from ..stores import open_store
from ..stores.base import Store, adrive, drive
from ..stores.commands import Add, Command, Drop, Get, Judge, Scan

Steps: TypeAlias = Generator[list[Command[Any]], list[Any], Any]
RATE, RESETS = "rate:", "limits:resets"
COUNT = re.compile(
    r"([A-Za-z0-9._-]{1,64}):(gcra:)?([0-9]{1,15})/([0-9.e+]{1,15}):(.+)", re.DOTALL
)  # as Quota makes it
PAGE, PAGES = 1_000, 10  # keys of the store that are looked at in a trip, and trips, to list who is near a limit
MOST, AT_ONCE = 2_000, 100  # counts that are judged to list them, and by one script


class Use(msgspec.Struct, frozen=True, rename="camel"):
    """How far one caller has used one limit now."""

    id: str  # names it: the limit, its amount and window, the caller
    name: str
    key: str  # on whom it is counted: an address, or a digest of what is longer or has other signs
    used: int
    limit: int
    window: float  # seconds
    frees_in: float  # seconds until some of it is given back


class Used(msgspec.Struct, frozen=True):
    """Those who have used most of a limit, first; `complete` unless there were too many counts to look at all."""

    items: list[Use]
    complete: bool


class Limits:
    """What `RateLimit` and its like have counted in a store, except by the strategies of `limits`, who have their own.

    Every method that asks the store has a twin for the event loop.

    >>> Limits("memory://").reset("203.0.113.9", name="sign-in")
    0

    Args:
        store: Where the counts are; a URL names one store per process.
    """

    def __init__(self, store: Store | str = "memory://") -> None:
        self._store = open_store(store) if isinstance(store, str) else store
        self._seen: bytes | None = None  # how many resets this process knows of

    def used(
        self, count: int = 50, *, name: str = "", key: str = "", also: Iterable[str] = (), pages: int = PAGES
    ) -> Used:
        """Return who has used most of a limit.

        Args:
            count: How many, at the most.
            name: Of that limit alone.
            key: Of callers whose key has this text.
            also: Ids of counts that are looked at in any case, though the store may have too many keys to see them all.
            pages: How many thousands of the store's keys are looked at.

        Raises:
            StoreError: the store did not answer.
        """
        return drive(self._used(count, name, key, also, pages), self._store.run)  # type: ignore[no-any-return]

    async def aused(
        self, count: int = 50, *, name: str = "", key: str = "", also: Iterable[str] = (), pages: int = PAGES
    ) -> Used:
        """`used`, for the event loop."""
        return await adrive(self._used(count, name, key, also, pages), self._store.arun)

    def reset(self, key: str, *, name: str = "") -> int:
        """Give a caller back what it has used, of every limit or of that name; how many counts there were.

        It holds at once in this process, and within a second in the others. All keys of the store are looked through.

        Args:
            key: On whom it is counted, as `used` tells it: an address, or a digest.
            name: Of that limit alone, as "sign-in"; one of several windows is called "sign-in-60s".

        Raises:
            SettingsError: the key is empty.
            StoreError: the store did not answer.
        """
        return drive(self._reset(key, name), self._store.run)  # type: ignore[no-any-return]

    async def areset(self, key: str, *, name: str = "") -> int:
        """`reset`, for the event loop."""
        return await adrive(self._reset(key, name), self._store.arun)

    async def aforget(self, id: str) -> bool:  # noqa: A002  # as it is called in `Use`
        """Reset the one count that a `Use` names; whether there was one."""
        return bool(await adrive(self._forget([RATE + id] if COUNT.fullmatch(id) else []), self._store.arun))

    def tick(self, now: float) -> None:
        """Ask again about those who were refused, if some process has reset a count; for the background thread.

        Raises:
            StoreError: the store is down.
        """
        standby = getattr(self._store, "standby", None)
        if standby is not None and standby.refusing:  # else there is nobody to let in
            drive(self._hear(standby), self._store.run)

    def _hear(self, standby: Any) -> Steps:
        (resets,) = yield [Get(RESETS)]
        if resets != self._seen:
            self._seen = resets
            standby.pardon()

    def _used(self, count: int, name: str, key: str, also: Iterable[str], pages: int) -> Steps:
        found = {x[0]: x for x in map(COUNT.fullmatch, also) if x and name in ("", x[1]) and key in x[5]}
        cursor, pattern = 0, f"{escape(name) or '*'}:*{f'{escape(key)}*' if key else ''}"
        for _ in range(pages):
            cursor, names = (yield [Scan(RATE, pattern, cursor, PAGE)])[0]
            parsed = [COUNT.fullmatch(each.removeprefix(RATE)) for each in names]
            found |= {x[0]: x for x in parsed if x and name in ("", x[1]) and key in x[5]}
            if not cursor or len(found) >= MOST:
                break
        uses = yield from self._judged([*found.values()][:MOST])
        uses.sort(key=lambda use: (-use.used / use.limit, -use.used, use.id))
        return Used(uses[:count], complete=not cursor and len(found) <= MOST and len(uses) <= count)

    def _judged(self, found: list[re.Match[str]]) -> Generator[list[Command[Any]], list[Any], list[Use]]:
        limits = [(RATE + each[0], _limit(each)) for each in found]
        parts = [Judge(tuple(limits[n : n + AT_ONCE])) for n in range(0, len(limits), AT_ONCE)]
        answers = (yield [*parts]) if parts else []
        said = [allowance for answer in answers for allowance in answer]
        return [
            Use(each[0], each[1], each[5], limit.amount - x.remaining, limit.amount, limit.window, x.reset_after)
            for each, (_, limit), x in zip(found, limits, said, strict=True)
            if x.remaining < limit.amount
        ]

    def _reset(self, key: str, name: str) -> Steps:
        if not key:
            raise SettingsError("say whose limit is to be reset, such as 203.0.113.9")
        gone, cursor, more = 0, 0, True
        while more:
            cursor, names = (yield [Scan(RATE, f"{escape(name) or '*'}:*:{escape(key)}", cursor, PAGE)])[0]
            parsed = [COUNT.fullmatch(each.removeprefix(RATE)) for each in names]
            gone += yield from self._forget([RATE + each[0] for each in parsed if each is not None and each[5] == key])
            more = cursor != 0
        return gone

    def _forget(self, keys: list[str]) -> Steps:
        if not keys:
            return 0
        gone, _ = yield [Drop(tuple(keys)), Add(RESETS)]
        if (standby := getattr(self._store, "standby", None)) is not None:
            standby.pardon()
        return gone


def _limit(count: re.Match[str]) -> Limit:
    strategy: Strategy = "gcra" if count[2] else "sliding-window"
    return Limit(int(count[3]), float(count[4]), 0, strategy)
