"""A cache for values: in this process, or shared by all in Redis."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Awaitable, Callable, Generator, Iterable
from typing import Any, TypeAlias, TypeVar

import msgspec

from ...errors import SettingsError, StoreError
from ...rules.presets import CacheTTL
from ...stores import open_store
from ...stores.base import Store, adrive, drive
from ...stores.commands import Add, Command, Drop, Facts, Get, Put, Remaining, Scan
from .flight import Flight

R = TypeVar("R")
Steps: TypeAlias = Generator[list[Command[Any]], list[Any], R]
Fetch: TypeAlias = Callable[[], Any]
AFetch: TypeAlias = Callable[[], Awaitable[Any]]
MISSING: Any = object()
KEYS_AT_ONCE = 500
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


class Cache:
    """Values by key, each for a time; every method has a twin for the event loop, `get` and `aget`.

    Values are JSON: what `msgspec` can encode goes in, and comes back as plain data or as the `type` asked for. Keys
    of the cache alone are ever read or dropped; jobs, bans and limits in the same Redis are not touched.

    >>> cache = Cache(prefix="example:")
    >>> cache.set("course:1", {"title": "Sums"}, ttl=CacheTTL.LONG)
    >>> cache.get("course:1")
    {'title': 'Sums'}
    >>> cache.get_or_set("course:2", lambda: {"title": "Proofs"})
    {'title': 'Proofs'}
    >>> cache.delete_pattern("course:*")
    2

    Args:
        store: Where values are; a URL names one store per process.
        prefix: What the cache's keys begin with in the store.

    Raises:
        SettingsError: the store's URL or the prefix does not fit.
    """

    def __init__(self, store: Store | str = "memory://", *, prefix: str = "cache:") -> None:
        if not prefix:
            raise SettingsError("prefix='' would make every key of the store a key of the cache")
        self.store = open_store(store) if isinstance(store, str) else store
        self._prefix = prefix
        self._lock = threading.Lock()
        self._hits = self._misses = 0  # not yet added to the store's counters
        self._flights: dict[str, Flight] = {}
        self._aflights: dict[str, asyncio.Future[Any]] = {}

    def get(self, key: str, default: Any = None, *, type: Any = Any) -> Any:  # noqa: A002  # what msgspec calls it
        """Return the value of `key` as `type`, or `default` if there is none.

        Raises:
            StoreError: the store did not answer.
            msgspec.ValidationError: the value is not of that type.
        """
        return _decoded(drive(self._get(key), self.store.run), default, type)

    async def aget(self, key: str, default: Any = None, *, type: Any = Any) -> Any:  # noqa: A002
        """`get`, for the event loop."""
        return _decoded(await adrive(self._get(key), self.store.arun), default, type)

    def set(self, key: str, value: Any, ttl: float = CacheTTL.MEDIUM) -> None:
        """Keep `value` for `ttl` seconds.

        Raises:
            StoreError: the store did not answer.
            TypeError: the value cannot be JSON.
            ValueError: `ttl` is not above 0.
        """
        drive(self._set(key, msgspec.json.encode(value), ttl), self.store.run)

    async def aset(self, key: str, value: Any, ttl: float = CacheTTL.MEDIUM) -> None:
        """`set`, for the event loop."""
        await adrive(self._set(key, msgspec.json.encode(value), ttl), self.store.arun)

    def delete(self, key: str) -> bool:
        """Forget `key`; whether it was there."""
        return drive(self._delete(key), self.store.run)

    async def adelete(self, key: str) -> bool:
        """`delete`, for the event loop."""
        return await adrive(self._delete(key), self.store.arun)

    def delete_pattern(self, pattern: str) -> int:
        """Forget all keys that fit a pattern with *, ? and […], such as "course:*"; how many there were."""
        return drive(self._delete_pattern(pattern), self.store.run)

    async def adelete_pattern(self, pattern: str) -> int:
        """`delete_pattern`, for the event loop."""
        return await adrive(self._delete_pattern(pattern), self.store.arun)

    def exists(self, key: str) -> bool:
        """Whether `key` has a value."""
        return self.ttl(key) is not None

    async def aexists(self, key: str) -> bool:
        """`exists`, for the event loop."""
        return await self.attl(key) is not None

    def ttl(self, key: str) -> float | None:
        """Return the seconds that `key` has to live; None if it has no value."""
        return drive(self._ttl(key), self.store.run)

    async def attl(self, key: str) -> float | None:
        """`ttl`, for the event loop."""
        return await adrive(self._ttl(key), self.store.arun)

    def increment(self, key: str, amount: int = 1) -> int:
        """Add to the whole number under `key`, which begins at 0, and return it."""
        return drive(self._increment(key, amount), self.store.run)

    async def aincrement(self, key: str, amount: int = 1) -> int:
        """`increment`, for the event loop."""
        return await adrive(self._increment(key, amount), self.store.arun)

    def flush(self) -> int:
        """Forget all of the cache's keys, and no others; how many there were."""
        return self.delete_pattern("*")

    async def aflush(self) -> int:
        """`flush`, for the event loop."""
        return await self.adelete_pattern("*")

    def stats(self) -> CacheStats:
        """Count what the cache holds and how it was used."""
        return drive(self._stats(), self.store.run)

    async def astats(self) -> CacheStats:
        """`stats`, for the event loop."""
        return await adrive(self._stats(), self.store.arun)

    def get_or_set(self, key: str, fetch: Fetch, ttl: float = CacheTTL.MEDIUM) -> Any:
        """Return the value of `key`, or call `fetch` for it and keep that.

        However many threads of this process ask at once, `fetch` runs once; what it raises reaches them all and is not
        kept. A kept None is a hit.
        """
        value = self.get(key, MISSING)
        if value is not MISSING:
            return value
        with self._lock:
            flight = self._flights.get(key)
            leads = flight is None
            if flight is None:
                flight = self._flights[key] = Flight()
        return self._fetch(key, fetch, ttl, flight) if leads else flight.wait()

    def _fetch(self, key: str, fetch: Fetch, ttl: float, flight: Flight) -> Any:
        try:
            value = fetch()
            self.set(key, value, ttl)
        except BaseException as error:
            flight.fail(error)
            raise
        else:
            flight.land(value)
            return value
        finally:
            self._flights.pop(key, None)

    async def aget_or_set(self, key: str, fetch: AFetch, ttl: float = CacheTTL.MEDIUM) -> Any:
        """`get_or_set`, for the event loop: `fetch` is a coroutine function, and goes on if a caller is cancelled."""
        value = await self.aget(key, MISSING)
        if value is not MISSING:
            return value
        flight = self._aflights.get(key)
        if flight is None:
            flight = self._aflights[key] = asyncio.ensure_future(self._afetch(key, fetch, ttl))
            flight.add_done_callback(_hear)
        return await asyncio.shield(flight)

    async def _afetch(self, key: str, fetch: AFetch, ttl: float) -> Any:
        try:
            value = await fetch()
            await self.aset(key, value, ttl)
            return value
        finally:
            self._aflights.pop(key, None)

    def warm(self, entries: Iterable[tuple[str, Fetch, float]]) -> int:
        """Fetch and keep every (key, fetch, ttl) that is not there yet; how many were fetched."""
        missing = [entry for entry in entries if not self.exists(entry[0])]
        for key, fetch, ttl in missing:
            self.get_or_set(key, fetch, ttl)
        return len(missing)

    async def awarm(self, entries: Iterable[tuple[str, AFetch, float]]) -> int:
        """`warm`, for the event loop."""
        missing = [entry for entry in entries if not await self.aexists(entry[0])]
        for key, fetch, ttl in missing:
            await self.aget_or_set(key, fetch, ttl)
        return len(missing)

    def note(self, *, hits: int, misses: int) -> None:
        """Count hits and misses in this process; they are added to the store's when `stats` or `tick` next runs."""
        with self._lock:
            self._hits += hits
            self._misses += misses

    def tick(self, now: float) -> None:
        """Add what was counted to the store's counters, for the background thread.

        Raises:
            StoreError: the store is down; the counts are kept.
        """
        if self._hits or self._misses:
            drive(self._tell(), self.store.run)

    def _tell(self, *also: Command[Any]) -> Steps[list[Any]]:
        """Add what was counted to the store's counters, and return them and the answers to what is asked beside."""
        with self._lock:
            hits, misses, self._hits, self._misses = self._hits, self._misses, 0, 0
        try:
            return (yield [Add(f"stats:{self._prefix}hits", hits), Add(f"stats:{self._prefix}misses", misses), *also])
        except StoreError:
            self.note(hits=hits, misses=misses)
            raise

    def _get(self, key: str) -> Steps[bytes | None]:
        value: bytes | None = (yield [Get(self._prefix + key)])[0]
        self.note(hits=value is not None, misses=value is None)
        return value

    def _set(self, key: str, value: bytes, ttl: float) -> Steps[None]:
        if ttl <= 0:
            raise ValueError(f"ttl={ttl} is in seconds and must be above 0")
        yield [Put(self._prefix + key, value, None if math.isinf(ttl) else ttl)]

    def _delete(self, key: str) -> Steps[bool]:
        return bool((yield [Drop((self._prefix + key,))])[0])

    def _delete_pattern(self, pattern: str) -> Steps[int]:
        count, cursor, more = 0, 0, True
        while more:
            cursor, keys = (yield [Scan(self._prefix, pattern, cursor, KEYS_AT_ONCE)])[0]
            count += (yield [Drop(tuple(keys))])[0] if keys else 0
            more = cursor != 0
        return count

    def _ttl(self, key: str) -> Steps[float | None]:
        return (yield [Remaining(self._prefix + key)])[0]  # type: ignore[no-any-return]

    def _increment(self, key: str, amount: int) -> Steps[int]:
        return (yield [Add(self._prefix + key, amount)])[0]  # type: ignore[no-any-return]

    def _stats(self, *, bound: int = 200_000) -> Steps[CacheStats]:
        hits, misses, facts = yield from self._tell(Facts())
        keys, seen, cursor, more = 0, 0, 0, True
        while more and seen < bound:  # what others keep in the same Redis is walked over too
            cursor, page = (yield [Scan(self._prefix, "*", cursor, COUNTED_AT_ONCE)])[0]
            keys, seen = keys + len(page), seen + COUNTED_AT_ONCE
            more = cursor != 0
        return CacheStats(keys, not more, int(facts["used_memory"]), hits, misses)


def _hear(flight: asyncio.Future[Any]) -> None:
    if not flight.cancelled():
        flight.exception()  # if all callers were cancelled, nobody else asks for it


def _decoded(value: bytes | None, default: Any, kind: Any) -> Any:
    return default if value is None else msgspec.json.decode(value, type=kind)
