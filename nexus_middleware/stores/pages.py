"""Stored responses in this process: the level of the cache that needs no trip."""

from __future__ import annotations

from collections import OrderedDict

from ..rules.caching import Entry

LARGEST = 64 * 2**20  # bytes


class Pages:
    """The entries in this process, bounded by bytes; the one unused for longest goes first."""

    def __init__(self, max_bytes: int = LARGEST) -> None:
        self.hits = self.misses = self.bytes = 0
        self._max_bytes = max_bytes
        self._entries: OrderedDict[str, Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> Entry | None:
        """Return the entry of `key`, which is then the newest used."""
        entry = self._entries.get(key)
        if entry is not None:
            try:
                self._entries.move_to_end(key)
            except KeyError:  # another thread has evicted it since
                return entry
        return entry

    def put(self, key: str, entry: Entry) -> None:
        """Keep `entry`, at the cost of the oldest ones."""
        self._drop(key)
        self._entries[key] = entry
        self.bytes += _size(entry)
        while self.bytes > self._max_bytes and self._entries:
            self._drop(next(iter(self._entries)))

    def clear(self) -> int:
        """Forget all; how many there were."""
        count = len(self._entries)
        self._entries.clear()
        self.bytes = 0
        return count

    def _drop(self, key: str) -> None:
        old = self._entries.pop(key, None)
        self.bytes -= _size(old) if old is not None else 0


def _size(entry: Entry) -> int:
    return len(entry.body) + sum([len(name) + len(value) for name, value in entry.headers]) + 500
