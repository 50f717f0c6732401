"""What was purged, by number: how a worker tells a response that is older than a purge from one that is newer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec

from ..rules.caching.entry import Entry, expired

KEPT = 10_000  # purges that are remembered; a response older than all of them counts as purged
Kind: TypeAlias = Literal["url", "prefix", "tag"]
What: TypeAlias = tuple[Kind, str, bool]


class Purge(msgspec.Struct, frozen=True, gc=False):
    """One purge.

    A URL or a prefix of one may begin with / instead of the scheme: then it is about every host. A URL is about its
    page alone, with the query that it has.
    """

    number: int  # purges of all workers, in order
    kind: Kind
    value: str
    soft: bool = False  # what it is about is stale from now on, but may still be revalidated
    at: float = 0.0  # seconds since the epoch

    def covers(self, key: str, entry: Entry) -> bool:
        """Whether it is about `entry`, which is kept under `key`, and not newer than it."""
        if entry.known >= self.number:
            return False
        if self.kind == "tag":
            return self.value in entry.tags
        url = key.partition("\n")[0]
        if self.value.startswith("/"):
            url = path_of(url)
        return url == self.value if self.kind == "url" else url.startswith(self.value)


def path_of(url: str) -> str:
    """Return the path and query of a URL.

    >>> path_of("http://a.example/b?c")
    '/b?c'
    """
    return url[url.find("/", url.find("://") + 3) :]


class Purges:
    """The purges that this process knows of; only the newest of those that are about the same counts."""

    def __init__(self) -> None:
        self.known = 0  # the number of the newest
        self.era = 0  # grows when the store has come back: what was asked before it did is not kept after
        self._floor = 0  # whatever knew of no purge this new is too old to judge
        self._all: dict[What, Purge] = {}
        self._prefixes: dict[What, None] = {}  # those of them that must be tried one by one
        self._lock = threading.Lock()

    def note(self, purge: Purge) -> None:
        """Remember `purge`."""
        what = purge.kind, purge.value, purge.soft
        with self._lock:
            self._all.pop(what, None)
            self._all[what] = purge
            if purge.kind == "prefix":
                self._prefixes = {**self._prefixes, what: None}
            self.known = max(self.known, purge.number)
            if len(self._all) > KEPT:
                oldest = next(iter(self._all))
                self._floor = self._all.pop(oldest).number
                self._prefixes = {what: None for what in self._prefixes if what != oldest}

    def begin(self, known: int, purges: list[Purge], *, anew: bool) -> None:
        """Begin with what the store knows; `anew`, if what is being fetched now may miss a purge that nobody knows of."""
        self._all, self._prefixes, self._floor, self.era = {}, {}, 0, self.era + anew
        for purge in sorted(purges, key=lambda one: one.number):
            self.note(purge)
        if len(purges) >= KEPT:
            self._floor = min([purge.number for purge in purges])
        self.known = known

    def judge(self, key: str, entry: Entry) -> Entry | None:
        """Return `entry`, or what is left of it: a stale one after a soft purge, None after any other."""
        if entry.known >= self.known:
            return entry
        if entry.known < self._floor:
            return None
        for purge in self._about(key.partition("\n")[0], entry):
            if purge.covers(key, entry):
                if not purge.soft:
                    return None
                entry = expired(entry, purge.at)
        return entry

    def _about(self, url: str, entry: Entry) -> Iterator[Purge]:
        subjects: list[tuple[Kind, str]] = [("url", url), ("url", path_of(url)), *[("tag", tag) for tag in entry.tags]]
        for kind, value in subjects:
            for soft in (False, True):
                if (purge := self._all.get((kind, value, soft))) is not None:
                    yield purge
        for prefix in [*self._prefixes]:
            if (purge := self._all.get(prefix)) is not None:
                yield purge
