"""Stored responses in this process: the level of the cache that needs no trip."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from ..http import Request
from ..rules.caching.entry import Entry, expired
from ..rules.caching.vary import fits
from .purges import Purge, Purges

if TYPE_CHECKING:
    from .level import Level

LARGEST = 64 * 2**20  # bytes
VARIANTS = 16  # of one page; the oldest goes first


class Page:
    """What is kept under one key, newest first, and the last answer made of it, for who asks for no other."""

    __slots__ = ("entries", "made", "of", "only", "route", "size", "until")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.size = 0
        self.until = 0.0  # when `made` is no longer right: its Age is another, or it is stale
        self.made: Any = None
        self.of: Entry | None = None  # what it was made of
        self.route = ""
        self.only = False  # whoever asks is answered with it, whatever else the request says

    @property
    def names(self) -> tuple[bytes, ...]:
        """The headers by which its newest variant was chosen."""
        return tuple([name for name, _ in self.entries[0].vary]) if self.entries else ()

    def find(self, request: Request) -> Entry | None:
        """Return the newest variant that answers `request`."""
        for entry in self.entries:
            if not entry.vary or fits(entry, request.headers):
                return entry
        return None


class Pages:
    """The pages in this process, bounded by bytes; the one unused for longest goes first.

    Args:
        max_bytes: Of all pages; what Python needs to keep them is counted too.
    """

    def __init__(self, max_bytes: int = LARGEST) -> None:
        self.hits = self.misses = self.bytes = 0
        self.purges = Purges()
        self.level: Level | None = None  # what all workers share, if they do
        self.max_bytes = max_bytes
        self._pages: OrderedDict[str, Page] = OrderedDict()
        self._keyed: dict[str, set[str]] = {}  # the keys of a URL that is kept for each of several callers
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._pages)

    def get(self, key: str) -> Page | None:
        """Return the page of `key`, which is then the newest used."""
        page = self._pages.get(key)
        if page is not None:
            try:
                self._pages.move_to_end(key)
            except KeyError:  # another thread has evicted it since
                return page
        return page

    def put(self, key: str, entry: Entry) -> bool:
        """Keep `entry` at the cost of the oldest ones; False if it was purged while it was fetched."""
        judged = self.purges.judge(key, entry)
        if judged is None:
            return False
        with self._lock:
            page = self._pages.get(key)
            if page is None:
                page = self._pages[key] = Page()
            others = [other for other in page.entries if other.vary != entry.vary]
            self._set(key, page, [judged, *others][:VARIANTS])
            self._pages.move_to_end(key)
            while self.bytes > self.max_bytes and self._pages:
                oldest = next(iter(self._pages))
                self._set(oldest, self._pages[oldest], [])
        return True

    def drop(self, key: str, entry: Entry) -> None:
        """Forget one variant."""
        with self._lock:
            page = self._pages.get(key)
            if page is not None:
                self._set(key, page, [other for other in page.entries if other is not entry])

    def apply(self, purge: Purge) -> int:
        """Forget what `purge` is about, or let it be stale, now and while it is fetched; how many entries there were."""
        self.purges.note(purge)
        return self.forget(purge)

    def forget(self, purge: Purge) -> int:
        """Forget what `purge` is about, or let it be stale; how many entries there were."""
        with self._lock:
            return sum([self._purge(key, page, purge) for key, page in self._about(purge)])

    def revise(self) -> None:
        """Forget what the purges that are known now are about."""
        with self._lock:
            for key, page in [*self._pages.items()]:
                judged = [self.purges.judge(key, entry) for entry in page.entries]
                self._set(key, page, [entry for entry in judged if entry is not None])

    def clear(self) -> int:
        """Forget all; how many pages there were."""
        with self._lock:
            count = len(self._pages)
            self._pages.clear()
            self._keyed.clear()
            self.bytes = 0
        return count

    def _about(self, purge: Purge) -> list[tuple[str, Page]]:
        if purge.kind != "url" or purge.value.startswith("/"):
            return [*self._pages.items()]
        keys = {purge.value, *self._keyed.get(purge.value, ())}
        return [(key, self._pages[key]) for key in keys if key in self._pages]

    def _purge(self, key: str, page: Page, purge: Purge) -> int:
        hit = [entry for entry in page.entries if purge.covers(key, entry)]
        if hit:
            rest = [entry for entry in page.entries if entry not in hit]
            self._set(key, page, [*rest, *[expired(entry, purge.at) for entry in hit]] if purge.soft else rest)
        return len(hit)

    def _set(self, key: str, page: Page, entries: list[Entry]) -> None:
        size = sum([_size(entry) for entry in entries]) + len(key) + 500 if entries else 0
        self.bytes += size - page.size
        page.entries, page.size, page.until, page.of = entries, size, 0.0, None
        url = key.partition("\n")[0]
        if not entries:
            self._pages.pop(key, None)
            self._keyed.get(url, set()).discard(key)
            if not self._keyed.get(url, True):
                del self._keyed[url]
        elif url != key:
            self._keyed.setdefault(url, set()).add(key)


def _size(entry: Entry) -> int:
    return len(entry.body) + sum([len(name) + len(value) + 150 for name, value in entry.headers]) + 800
