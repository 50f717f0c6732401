"""The level of stored responses that all workers share: what is asked of the store, and what its channel tells."""

from __future__ import annotations

import hashlib
import threading
import time
import zlib
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import msgspec

from ..http import Pair
from ..rules.caching.entry import Entry
from ..rules.caching.vary import fits, select
from .base import Listening, Store
from .commands import Drop, GetSome, Publish, Put, Recall, Recalled, SetFields
from .pages import VARIANTS, Pages
from .purges import KEPT, Kind, Purge

CHANNEL = "pages"
PURGES = "page-purges"
JOINING = 0.5  # seconds that callers wait for the channel of a server that says nothing; then they go on alone
YOUNG = 5.0  # seconds that a first joining may take until what was stored meanwhile is dropped
LEASE = 5.0  # seconds that one worker has for an answer, before another tries
ENCODE = msgspec.msgpack.Encoder().encode
DECODE = msgspec.msgpack.Decoder(Entry).decode
WHAT = msgspec.json.Decoder(tuple[Kind, str, bool]).decode


class Level:
    """The shared level over `store`, as this process knows it; it is the ear of its channel.

    A page is a hash: the names of the headers that it varies by, and up to 16 variants. While the channel is cut,
    purges are not heard, so nothing is read here; when it comes back, all that this process holds is dropped, for the
    server may have lost purges too.

    Args:
        store: What all workers share.
        pages: This process's own level.
    """

    def __init__(self, store: Store, pages: Pages) -> None:
        self.live = False  # purges are heard
        self._store, self._pages = store, pages
        self._line: Listening | None = None
        self._joining: Future[None] = Future()
        self._since = 0.0  # when that began
        self._first = True  # it has never joined
        self._waits: dict[str, tuple[Future[bool | None], float]] = {}
        self._lock = threading.Lock()

    def attach(self) -> Future[None] | None:
        """Listen, if nobody does in this process; return the promise that it is known whether the store is there."""
        line = self._line
        if line is not None and not line.over:
            return None if self._joining.done() else self._joining
        with self._lock:
            if self._line is line:  # no other thread was quicker
                self.live, self._joining, self._since = False, Future(), time.monotonic()
                self._line = self._store.listen(CHANNEL, self)
        return self._joining

    def joined(self) -> None:
        """Drop what may be stale, learn what was purged, and be live."""
        last, told = self._store.run([Recalled(PURGES)])[0]
        young = self._first and time.monotonic() - self._since < YOUNG
        self._pages.purges.begin(last, [_purge(number, what) for number, what in told], anew=not young)
        self._pages.revise() if young else self._pages.clear()
        self._first, self.live = False, True
        self._known()

    def heard(self, message: bytes) -> None:
        """Apply a purge, or wake who waits for another worker's answer."""
        if message[:1] in (b"+", b"-"):
            self._wake(message[1:].decode("latin-1"), stored=message[:1] == b"+")
        else:
            number, _, what = message.partition(b" ")
            self._pages.apply(_purge(int(number), what))

    def lost(self) -> None:
        """Go on alone."""
        self.live = False
        self._known()
        self.idle(float("inf"))

    def idle(self, now: float) -> None:
        """Wake those who have waited for as long as a lease lasts, or for a channel that does not come about."""
        if not self._joining.done() and now - self._since > JOINING:
            self._known()
        if self._waits:
            for name, (_, until) in [*self._waits.items()]:
                if now >= until:
                    self._wake(name, stored=None)

    def expect(self, key: str) -> Future[bool | None]:
        """Return the promise of whether another worker has stored `key`; None of it: nobody knows."""
        future: Future[bool | None] = Future()
        with self._lock:
            self._waits[_name(key)] = future, time.monotonic() + LEASE
        return future

    def forget_wait(self, key: str) -> None:
        """Wait no longer."""
        self._waits.pop(_name(key), None)

    def question(self, key: str, named: Sequence[bytes], headers: list[Pair]) -> GetSome:
        """Return what asks for the variant of `key` that a request with these headers gets."""
        return GetSome(f"page:{_name(key)}", ("vary", _slot(named, headers)))

    def read(self, key: str, told: list[bytes | None], headers: list[Pair]) -> tuple[Entry | None, tuple[bytes, ...]]:
        """Return the entry that was told, if it fits and was not purged, and what the page varies by."""
        vary, value = told
        named = tuple(vary.split(b",")) if vary else ()
        if value is None or not self.live:
            return None, named
        try:
            entry = self._pages.purges.judge(key, DECODE(value))
        except msgspec.DecodeError:  # another version's
            return None, named
        return (entry if entry is not None and fits(entry, headers) else None), named

    def keep(self, key: str, entry: Entry, now: float) -> SetFields:
        """Return what stores `entry`."""
        named = [name for name, _ in entry.vary]
        fields = {"vary": b",".join(named), _slot_of(entry.vary): ENCODE(entry)}
        return SetFields(f"page:{_name(key)}", fields, max(0.001, entry.kept - now))

    def lease(self, key: str) -> Put:
        """Return what takes the right to run the app for all workers."""
        return Put(f"page-lease:{_name(key)}", b"1", LEASE, absent=True)

    def release(self, key: str) -> Drop:
        """Return what gives that right back."""
        return Drop((f"page-lease:{_name(key)}",))

    def landing(self, key: str, *, stored: bool) -> Publish:
        """Return what tells the workers that wait."""
        return Publish(CHANNEL, (b"+" if stored else b"-") + _name(key).encode())

    @staticmethod
    def purge(kind: Kind, value: str, *, soft: bool) -> Recall:
        """Return what purges in all workers."""
        drops = (f"page:{_name(value)}",) if kind == "url" and not soft else ()
        return Recall(PURGES, msgspec.json.encode((kind, value, soft)), CHANNEL, KEPT, drops)

    def _known(self) -> None:
        if not self._joining.done():
            self._joining.set_result(None)

    def _wake(self, name: str, *, stored: bool | None) -> None:
        waiting = self._waits.pop(name, None)
        if waiting is not None and not waiting[0].done():
            waiting[0].set_result(stored)


def _purge(number: int, what: bytes) -> Purge:
    kind, value, soft = WHAT(what)
    return Purge(number, kind, value, soft, time.time())


def _name(key: str) -> str:
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


def _slot(named: Sequence[bytes], headers: list[Pair]) -> str:
    return _slot_of(select(named, headers)) if named else "0"


def _slot_of(selected: Any) -> str:
    return str(zlib.crc32(repr(selected).encode()) % VARIANTS) if selected else "0"
