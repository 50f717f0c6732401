"""What can be seen of a cache: how it is used, which keys there are, and what they hold."""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import Any, TypeVar

import msgspec

from ...stores.base import Store, adrive, drive
from ...stores.commands import Facts, GetFields, Scan
from . import browser
from .browser import KeyPage, KeyValue
from .groups import GroupStats, LoaderStats, loaders, usage
from .history import CacheHistory
from .operations import Effect, Operations, Steps

R = TypeVar("R")
COUNTED_AT_ONCE = 2_000


class CacheStats(msgspec.Struct, frozen=True):
    """What a cache holds and how it was used; hits and misses are of all processes, since the counters began."""

    keys: int
    exact: bool  # False: counting stopped at a bound, and there are more keys
    memory_bytes: int  # of the whole store
    hits: int
    misses: int

    @property
    def hit_rate(self) -> float:
        """The share of hits, from 0 to 1; 0 if nothing was asked."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else 0.0


class Seen:
    """A store, the steps that are taken over it, and all that only looks.

    Args:
        store: Where values are.
        prefix: What the cache's keys begin with in the store.
        steps: What is done.
    """

    def __init__(self, store: Store, prefix: str, steps: Operations) -> None:
        self.store = store
        self._prefix, self._steps = prefix, steps

    def _do(self, steps: Steps[R]) -> R:
        return drive(steps, self._perform)

    def _perform(self, effect: Effect) -> Any:
        if isinstance(effect, list):
            return self.store.run(effect)
        if isinstance(effect, float | int):
            return time.sleep(effect)
        value = effect()
        if inspect.iscoroutine(value):
            value.close()
            raise TypeError("the fetch is a coroutine function: use aget_or_set")
        return value

    async def _ado(self, steps: Steps[R]) -> R:
        return await adrive(steps, self._aperform)

    async def _aperform(self, effect: Effect) -> Any:
        if isinstance(effect, list):
            return await self.store.arun(effect)
        if isinstance(effect, float | int):
            return await asyncio.sleep(effect)
        value = effect()
        return await value if inspect.isawaitable(value) else value

    def stats(self) -> CacheStats:
        """Count what the cache holds and how it was used.

        Raises:
            StoreError: the store did not answer.
        """
        return self._do(self._stats())

    async def astats(self) -> CacheStats:
        """`stats`, for the event loop."""
        return await self._ado(self._stats())

    def groups(self) -> list[GroupStats]:
        """Return how each group of keys was used, in all processes, the most used first: "course:*", "user:*".

        Raises:
            StoreError: the store did not answer.
        """
        return usage(self._do(self._counters()))

    async def agroups(self) -> list[GroupStats]:
        """`groups`, for the event loop."""
        return usage(await self._ado(self._counters()))

    def loaders(self) -> list[LoaderStats]:
        """Return what the fetches of each group cost, in all processes, the slowest first.

        Raises:
            StoreError: the store did not answer.
        """
        return loaders(self._do(self._counters()))

    async def aloaders(self) -> list[LoaderStats]:
        """`loaders`, for the event loop."""
        return loaders(await self._ado(self._counters()))

    def history(self, window: int = 3_600) -> CacheHistory:
        """Return hits, misses and sets over the last `window` seconds, of all processes, in no more than 90 points.

        Up to a day is told by the minute, more than that by the hour, and no more than the last 8 days are kept.

        Raises:
            StoreError: the store did not answer.
        """
        return self._do(self._history(window))

    async def ahistory(self, window: int = 3_600) -> CacheHistory:
        """`history`, for the event loop."""
        return await self._ado(self._history(window))

    def keys(self, start: str = "", *, cursor: int = 0, count: int = 50) -> KeyPage:
        """Return about `count` keys that begin with `start`, with kind, size and time to live; `cursor` 0 begins and ends.

        Raises:
            StoreError: the store did not answer.
        """
        return self._do(browser.keys(self.store, self._prefix, start, cursor, count))

    async def akeys(self, start: str = "", *, cursor: int = 0, count: int = 50) -> KeyPage:
        """`keys`, for the event loop."""
        return await self._ado(browser.keys(self.store, self._prefix, start, cursor, count))

    def show(self, key: str, *, limit: int = browser.LARGEST) -> KeyValue | None:
        """Return the value of `key` as a person may see it: as text, without secrets, no more than `limit` bytes.

        Raises:
            StoreError: the store did not answer.
        """
        return self._do(browser.value(self._prefix, key, limit))

    async def ashow(self, key: str, *, limit: int = browser.LARGEST) -> KeyValue | None:
        """`show`, for the event loop."""
        return await self._ado(browser.value(self._prefix, key, limit))

    def note(self, *, hits: int, misses: int) -> None:
        """Count hits and misses in this process; they are added to the store's when `stats` or `tick` next runs."""
        self._steps.groups.note(hits=hits, misses=misses)

    def tick(self, now: float) -> None:
        """Tell the store what was counted, and what it is to forget; for the background thread.

        Raises:
            StoreError: the store is down; nothing of it is lost.
        """
        if self._steps.waits:
            self._do(self._steps.tell())

    def _counters(self) -> Steps[dict[str, bytes]]:
        *_, fields = yield from self._steps.tell(GetFields(self._steps.groups.field))
        return fields  # type: ignore[no-any-return]

    def _history(self, window: int) -> Steps[CacheHistory]:
        yield from self._steps.tell()
        return (yield from self._steps.history(window))

    def _stats(self, *, bound: int = 200_000) -> Steps[CacheStats]:
        hits, misses, facts = yield from self._steps.tell(Facts())
        keys, seen, cursor, more = 0, 0, 0, True
        while more and seen < bound:  # what others keep in the same Redis is walked over too
            cursor, page = (yield [Scan(self._prefix, "*", cursor, COUNTED_AT_ONCE)])[0]
            keys, seen = keys + len(page), seen + COUNTED_AT_ONCE
            more = cursor != 0
        return CacheStats(keys, not more, int(facts["used_memory"]), hits, misses)
