"""The stored responses of `ResponseCache`, as they are counted and cleared in all processes."""

from __future__ import annotations

import threading

from ...stores.base import Store
from ...stores.commands import Add
from ...stores.pages import Pages
from . import Cache, CacheStats

PURGES = "cache-purges"  # how often all stored responses were forgotten; a process that sees it grow forgets its own


class PageCache:
    """Both levels of the stored responses: `local` in this process, and the store that all share.

    Args:
        store: The level that all processes share.
    """

    def __init__(self, store: Store) -> None:
        self.local = Pages()
        self._shared = Cache(store, prefix="page:")
        self._store = store
        self._noted = (0, 0)
        self._lock = threading.Lock()  # the background thread and whoever asks for the numbers note them
        self._purges: int | None = None

    async def aflush(self) -> int:
        """Forget all stored responses in every process, in the others within a second; how many there were."""
        here = self.local.clear()
        if not self._store.waits:
            return here
        count = await self._shared.aflush()
        await self._store.arun([Add(PURGES)])
        return max(here, count)

    async def astats(self) -> CacheStats:
        """Count the stored responses, and how often one was there."""
        self._note()
        stats = await self._shared.astats()
        if self._store.waits:
            return stats
        return CacheStats(len(self.local), True, self.local.bytes, stats.hits, stats.misses)

    def tick(self, now: float) -> None:
        """Add up hits and misses, and forget what another process has purged; for the background thread.

        Raises:
            StoreError: the store is down.
        """
        self._note()
        self._shared.tick(now)
        if self._store.waits:
            (purges,) = self._store.run([Add(PURGES, 0)])
            if self._purges is not None and purges != self._purges:
                self.local.clear()
            self._purges = purges

    def _note(self) -> None:
        with self._lock:
            hits, misses = self.local.hits, self.local.misses
            self._shared.note(hits=hits - self._noted[0], misses=misses - self._noted[1])
            self._noted = hits, misses
