"""The stored responses of `ResponseCache`, as they are counted and purged in all processes."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from typing import Any, TypeAlias, TypeVar

from ...stores.base import Store, adrive, drive
from ...stores.commands import Command
from ...stores.level import Level
from ...stores.pages import Pages
from ...stores.purges import Kind, Purge
from . import Cache, CacheStats
from .history import CacheHistory

R = TypeVar("R")
SET_BACK = 5.0  # seconds by which the wall clock must fall behind before the pages that it dated are forgotten
Steps: TypeAlias = Generator[list[Command[Any]], list[Any], R]


class PageCache:
    """Both levels of the stored responses: `local` in this process, and the store that all share.

    Every purge reaches the other processes at once, over the store's channel. A soft one leaves what it is about as
    stale: it may be revalidated, and given while it is fetched anew, as its answer allows.

    Args:
        store: The level that all processes share.
    """

    def __init__(self, store: Store) -> None:
        self.local = Pages()
        self._level = self.local.level = Level(store, self.local) if store.waits else None
        self._shared = Cache(store, prefix="page:")
        self._store = store
        self._noted = (0, 0)
        self._ahead = float("-inf")  # how far the wall clock is ahead of the one that nobody sets
        self._lock = threading.Lock()  # the background thread and whoever asks for the numbers note them

    def purge(self, url: str, *, soft: bool = False) -> int:
        """Forget the page of one URL with its query: "http://shop.example/a?b=1", or "/a?b=1" for every host.

        How many answers this process had of it.

        Raises:
            StoreError: the store did not answer, so the other processes do not know.
        """
        return drive(self._purge("url", url, soft=soft), self._store.run)

    async def apurge(self, url: str, *, soft: bool = False) -> int:
        """`purge`, for the event loop."""
        return await adrive(self._purge("url", url, soft=soft), self._store.arun)

    def purge_prefix(self, prefix: str, *, soft: bool = False) -> int:
        """`purge` all URLs that begin with `prefix`, such as "/courses/"."""
        return drive(self._purge("prefix", prefix, soft=soft), self._store.run)

    async def apurge_prefix(self, prefix: str, *, soft: bool = False) -> int:
        """`purge_prefix`, for the event loop."""
        return await adrive(self._purge("prefix", prefix, soft=soft), self._store.arun)

    def purge_tag(self, tag: str, *, soft: bool = False) -> int:
        """`purge` all answers with a tag: of a `CacheRule`, or of their own `Cache-Tag` or `Surrogate-Key` header."""
        return drive(self._purge("tag", tag, soft=soft), self._store.run)

    async def apurge_tag(self, tag: str, *, soft: bool = False) -> int:
        """`purge_tag`, for the event loop."""
        return await adrive(self._purge("tag", tag, soft=soft), self._store.arun)

    async def aflush(self) -> int:
        """Forget all stored responses in every process; how many there were."""
        here = len(self.local)
        await self.apurge_prefix("")
        return max(here, await self._shared.aflush()) if self._store.waits else here

    async def astats(self) -> CacheStats:
        """Count the stored responses, and how often one was there."""
        self._note()
        stats = await self._shared.astats()
        if self._store.waits:
            return stats
        return CacheStats(len(self.local), True, self.local.bytes, stats.hits, stats.misses)

    async def ahistory(self, window: int = 3_600) -> CacheHistory:
        """Return how often a stored response was there, and was not, over the last `window` seconds."""
        self._note()
        return await self._shared.ahistory(window)

    def start(self) -> None:
        """Before the first request: listen for the other processes' purges, and look at the clocks."""
        self._ahead = time.time() - time.monotonic()
        if self._level is not None:
            self._level.attach()

    def tick(self, now: float) -> None:
        """Add up hits and misses, for the background thread; forget what would outlive a clock that was set back.

        Raises:
            StoreError: the store is down.
        """
        before, self._ahead = self._ahead, now - time.monotonic()
        if self._ahead < before - SET_BACK:
            self.local.clear()
        self._note()
        self._shared.tick(now)

    def _purge(self, kind: Kind, value: str, *, soft: bool) -> Steps[int]:
        purge = Purge(self.local.purges.known + 1, kind, value, soft, time.time())
        if self._level is None:
            return self.local.apply(purge)
        count = self.local.forget(purge)  # at once, and again when the channel tells of it under its number
        yield [self._level.purge(kind, value, soft=soft)]
        return count

    def _note(self) -> None:
        with self._lock:
            hits, misses = self.local.hits, self.local.misses
            self._shared.note(hits=hits - self._noted[0], misses=misses - self._noted[1])
            self._noted = hits, misses
