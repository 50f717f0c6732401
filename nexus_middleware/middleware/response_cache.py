"""Answer a GET from a stored response, and run the app once for all who ask for it at the same time."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

from ..errors import SettingsError
from ..http import App, Head, Reply, Request
from ..rules import caching
from ..rules.caching import Entry
from ..rules.paths import matcher
from ..stores.base import Store
from ..stores.commands import Get, Put
from ..stores.pages import Pages
from .layer import Layer, Tap

Flight: TypeAlias = "Future[Entry | None]"
DECODE = msgspec.msgpack.Decoder(Entry).decode
ENCODE = msgspec.msgpack.Encoder().encode
HIT = (b"cache-status", b"nexus; hit")  # RFC 9211
PERSONAL = (b"authorization", b"cookie", b"range", b"x-api-key")


@dataclass(frozen=True, kw_only=True)
class CacheRule:
    """How long the answers of some paths are kept if they say nothing of it themselves.

    Args:
        path: "/courses/*" is all below /courses and itself.
        ttl: Seconds.
        vary: Names of request headers that make another answer.
    """

    path: str = field(kw_only=False)
    ttl: float
    vary: tuple[str, ...] = ()


class ResponseCache(Layer[Any]):
    """A shared cache (RFC 9111) of answers to GET that say how long they are fresh, or that a rule says it of.

    Nothing is stored that sets a cookie, that is private, or that was asked for with Authorization, a Cookie or a
    Range. Two levels: entries in this process, bounded by bytes, over the store, which is asked when this one has none.

    Args:
        app: What is cached.
        store: The level that all workers share; "memory://" has this process's level alone.
        rules: For paths whose answers carry no Cache-Control; the first that fits holds.
        max_bytes: Of all entries in this process.
        max_entry: Bytes of a body; a longer one is passed on and not stored.
        clock: Seconds since the epoch.

    Raises:
        SettingsError: a rule's time is not above 0, or its path no pattern.
    """

    def __init__(
        self,
        app: App,
        *,
        store: Store | str = "memory://",
        rules: Sequence[CacheRule] = (),
        max_bytes: int = 64 * 2**20,
        max_entry: int = 2**20,
        pages: Pages | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(app, store=store)
        if any(rule.ttl <= 0 for rule in rules):
            raise SettingsError("ttl of a CacheRule is in seconds and must be above 0")
        self._rules = [(matcher(rule.path), rule) for rule in rules]
        named = {name.lower().encode("latin-1") for rule in rules for name in rule.vary}
        self._vary = frozenset(named | {b"accept-encoding"})
        self._named = sorted(named - {b"accept-encoding"})
        self._max_entry, self._clock = max_entry, clock
        self.pages = Pages(max_bytes) if pages is None else pages
        self._flights: dict[str, Flight] = {}
        self._shared = self.store is not None and self.store.waits

    def ask(self, request: Request) -> Get | None:
        key = self._key(request)
        if key is None:
            return None
        fetch = request.notes[self] = Fetch(key)
        entry = self.pages.get(key)
        if entry is not None and entry.fresh(self._clock()):
            fetch.entry = entry
            return None
        return Get(f"page:{key}") if self._shared else None

    def before(self, request: Request, answer: Any) -> Reply | Flight | None:
        fetch: Fetch | None = request.notes.get(self)
        if fetch is None:
            return None
        if "api_key" in request.notes:  # whatever header brought it: what a key opens is for its holder
            del request.notes[self]
            return None
        now = self._clock()
        entry = fetch.entry or self._given(fetch.key, answer)
        if entry is not None and entry.fresh(now):
            fetch.entry = entry
            self.pages.hits += 1
            return _reply(request, entry, now)
        return None if fetch.waited else self._lead_or_wait(fetch)

    def _given(self, key: str, answer: Any) -> Entry | None:
        if not isinstance(answer, bytes):
            return answer  # type: ignore[no-any-return]  # what a flight landed with
        entry = DECODE(answer)
        self.pages.put(key, entry)
        return entry

    def _lead_or_wait(self, fetch: Fetch) -> Flight | None:
        mine: Flight = Future()
        flight = self._flights.setdefault(fetch.key, mine)
        if flight is mine:
            self.pages.misses += 1
            fetch.flight = mine
            return None
        fetch.waited = True  # once: if the answer could not be stored, nobody waits for the next one
        return flight

    def after(self, request: Request, head: Head) -> Tap | None:
        fetch: Fetch | None = request.notes.get(self)
        if fetch is None or fetch.flight is None:
            return None
        now = self._clock()
        ttl = next((rule.ttl for fits, rule in self._rules if fits(request.path)), None)
        lifetime = caching.lifetime(head.status, head.headers, vary=self._vary, ttl=ttl, now=now)
        age = caching.seconds(head.get(b"age"))
        if lifetime <= age:
            self._land(fetch, None)
            return None
        fetch.draft = Entry(head.status, caching.storable(head.headers), b"", now, age, lifetime, head.get(b"etag"))
        return lambda chunk, last: self._copy(fetch, chunk, last=last)

    def _copy(self, fetch: Fetch, chunk: bytes, *, last: bool) -> Put | None:
        draft = fetch.draft
        if draft is None:
            return None
        fetch.parts.append(chunk)
        fetch.size += len(chunk)
        if fetch.size > self._max_entry:
            fetch.draft, fetch.parts = None, []
            self._land(fetch, None)
            return None
        if not last:
            return None
        entry = msgspec.structs.replace(draft, body=b"".join(fetch.parts))
        self.pages.put(fetch.key, entry)
        self._land(fetch, entry)
        return Put(f"page:{fetch.key}", ENCODE(entry), entry.lifetime - entry.age) if self._shared else None

    def done(self, request: Request, status: int) -> None:
        fetch: Fetch | None = request.notes.get(self)
        if fetch is not None:
            self._land(fetch, None)  # if it is still in the air, the app failed or the client left: another may lead

    def why(self, request: Request) -> str:
        fetch: Fetch | None = request.notes.get(self)
        if fetch is None:
            return "not a plain GET"
        return "stored" if fetch.entry else "fetched" if fetch.flight else "passed through"

    def _key(self, request: Request) -> str | None:
        if request.method != "GET" or request.scheme not in ("http", "https"):
            return None
        header = request.header
        for name in PERSONAL:
            if header(name) is not None:
                return None
        parts = [request.scheme.encode(), header(b"host") or b"", request.path.encode(), request.query]
        parts.append(caching.coding(header(b"accept-encoding")))
        parts += [b"%s=%s" % (name, header(name) or b"") for name in self._named]
        return hashlib.blake2b(b"\0".join(parts), digest_size=20).hexdigest()

    def _land(self, fetch: Fetch, entry: Entry | None) -> None:
        if fetch.flight is not None and not fetch.flight.done():
            self._flights.pop(fetch.key, None)  # first, so that whoever is woken may lead the next one
            fetch.flight.set_result(entry)


def _reply(request: Request, entry: Entry, now: float) -> Reply:
    headers = (*entry.headers, (b"age", b"%d" % entry.age_at(now)), HIT)
    wanted = request.header(b"if-none-match")
    if wanted is not None and caching.matches(wanted, entry.etag):
        return Reply(304, b"", headers)
    return Reply(entry.status, entry.body, headers)


class Fetch:
    """One request's dealings with the cache: whether it leads the flight, and the copy it takes."""

    __slots__ = ("draft", "entry", "flight", "key", "parts", "size", "waited")

    def __init__(self, key: str) -> None:
        self.key = key
        self.entry: Entry | None = None  # what it was answered with
        self.flight: Flight | None = None  # set if this request is the one that runs the app
        self.draft: Entry | None = None  # set while a copy is taken
        self.parts: list[bytes] = []
        self.size = 0
        self.waited = False
