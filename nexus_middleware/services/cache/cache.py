"""The cache that apps use: every method for threads, and its twin for the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeAlias

import msgspec

from ...errors import SettingsError
from ...rules.presets import CacheTTL
from ...stores import open_store
from ...stores.base import Store
from . import arguments
from .entries import Entry, decoded, encoded
from .flight import Flights
from .operations import Operations
from .seen import Seen

Fetch: TypeAlias = Callable[[], Any]
AFetch: TypeAlias = Callable[[], Awaitable[Any]]


class Cache(Seen):
    """Values by key, each for a time; every method has a twin for the event loop, `get` and `aget`.

    Values are JSON: what `msgspec` can encode goes in (with datetimes, decimals, dataclasses, Structs, and Pydantic's
    models), and comes back as plain data or as the `type` asked for; JSON has no NaN and no infinities, which come back
    as None. Keys of the cache alone are ever read or dropped;
    jobs, bans and limits in the same Redis are not touched.

    While the store is away, nothing is there: `get` returns its default, `get_or_set` fetches, and what was set or
    deleted is dropped before anything is read again. Only what must have an answer raises `StoreError`.

    >>> cache = Cache(prefix="example:")
    >>> cache.set("course:1", {"title": "Sums"}, ttl=CacheTTL.LONG)
    >>> cache.get("course:1")
    {'title': 'Sums'}
    >>> cache.get_or_set("course:2", lambda: {"title": "Proofs"}, tags=("courses",))
    {'title': 'Proofs'}
    >>> cache.delete_tag("courses")
    >>> cache.delete_pattern("course:*")
    2

    Args:
        store: Where values are; a URL names one store per process.
        prefix: What the cache's keys begin with in the store.
        lease: Seconds for which other processes wait for one's fetch; what takes longer may be fetched once more.
        clock: Seconds since the epoch.

    Raises:
        SettingsError: the store's URL or the prefix does not fit.
    """

    def __init__(
        self,
        store: Store | str = "memory://",
        *,
        prefix: str = "cache:",
        lease: float = 10.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not hasattr(store, "run") and not isinstance(store, str):
            raise SettingsError(f"store={store!r} must be a URL, such as redis://host:port/db, or a store")
        if len(prefix) < 2 or not prefix.endswith(":"):
            raise SettingsError(f"prefix={prefix!r} must be a name with a colon, such as 'cache:'")
        if not lease > 0:
            raise SettingsError(f"lease={lease} is in seconds and must be above 0")
        super().__init__(
            open_store(store) if isinstance(store, str) else store,
            prefix,
            Operations(prefix, lease=lease, clock=clock),
        )
        self._clock = clock
        self._flights = Flights()

    def get(self, key: str, default: Any = None, *, type: Any = Any) -> Any:  # noqa: A002  # what msgspec calls it
        """Return the value of `key` as `type`, or `default` if there is none.

        Raises:
            msgspec.ValidationError: the value is not of that type.
        """
        entry = self._do(self._steps.get(key))
        return default if entry is None else decoded(entry.body, type)

    async def aget(self, key: str, default: Any = None, *, type: Any = Any) -> Any:  # noqa: A002
        """`get`, for the event loop."""
        entry = await self._ado(self._steps.get(key))
        return default if entry is None else decoded(entry.body, type)

    def set(self, key: str, value: Any, ttl: float = CacheTTL.MEDIUM, *, tags: Sequence[str] = ()) -> None:
        """Keep `value` for `ttl` seconds (`math.inf`: for good); with `tags`, 30 days at the most.

        Raises:
            TypeError: the value cannot be JSON, or an argument is of a wrong type.
            ValueError: `ttl` is not above 0.
        """
        self._do(self._steps.set(key, encoded(value), ttl, tags))

    async def aset(self, key: str, value: Any, ttl: float = CacheTTL.MEDIUM, *, tags: Sequence[str] = ()) -> None:
        """`set`, for the event loop."""
        await self._ado(self._steps.set(key, encoded(value), ttl, tags))

    def delete(self, key: str) -> bool:
        """Forget `key`, and what a fetch that is on its way will bring; whether it was there."""
        return self._do(self._steps.delete(key))

    async def adelete(self, key: str) -> bool:
        """`delete`, for the event loop."""
        return await self._ado(self._steps.delete(key))

    def delete_tag(self, tag: str) -> None:
        """Forget all values that have `tag`, at one command however many there are."""
        self._do(self._steps.delete_tag(tag))

    async def adelete_tag(self, tag: str) -> None:
        """`delete_tag`, for the event loop."""
        await self._ado(self._steps.delete_tag(tag))

    def delete_pattern(self, pattern: str) -> int:
        """Forget all keys that fit a pattern with *, ? and […], such as "course:*"; how many there were.

        What a user has typed goes through `escape` first. Walks over all keys of the store, some at a time: tags are
        cheaper.

        Raises:
            StoreError: the store did not answer; it is done when it is back.
        """
        return self._do(self._steps.delete_pattern(pattern))

    async def adelete_pattern(self, pattern: str) -> int:
        """`delete_pattern`, for the event loop."""
        return await self._ado(self._steps.delete_pattern(pattern))

    def exists(self, key: str) -> bool:
        """Whether `key` has a value."""
        return self.ttl(key) is not None

    async def aexists(self, key: str) -> bool:
        """`exists`, for the event loop."""
        return await self.attl(key) is not None

    def ttl(self, key: str) -> float | None:
        """Return the seconds that `key` has to live (infinity: for good); None if it has no value."""
        return self._do(self._steps.ttl(key))

    async def attl(self, key: str) -> float | None:
        """`ttl`, for the event loop."""
        return await self._ado(self._steps.ttl(key))

    def increment(self, key: str, amount: int = 1, *, ttl: float | None = None) -> int:
        """Add to the whole number under `key` and return it; a new one begins at 0, and lives `ttl` seconds.

        Raises:
            StoreError: the store did not answer, or the value is no whole number, or the sum is beyond 2**63.
            TypeError: `amount` is no whole number.
            ValueError: `ttl` is not above 0.
        """
        return self._do(self._steps.increment(key, amount, ttl))

    async def aincrement(self, key: str, amount: int = 1, *, ttl: float | None = None) -> int:
        """`increment`, for the event loop."""
        return await self._ado(self._steps.increment(key, amount, ttl))

    def flush(self) -> int:
        """Forget all of the cache's keys, and no others; how many there were.

        Raises:
            StoreError: the store did not answer; it is done when it is back.
        """
        return self.delete_pattern("*")

    async def aflush(self) -> int:
        """`flush`, for the event loop."""
        return await self.adelete_pattern("*")

    def get_or_set(
        self,
        key: str,
        fetch: Fetch,
        ttl: float = CacheTTL.MEDIUM,
        *,
        tags: Sequence[str] = (),
        type: Any = Any,  # noqa: A002
    ) -> Any:
        """Return the value of `key`, or call `fetch` for it and keep that, as `type`.

        However many threads and processes ask at once, `fetch` runs once; what it raises reaches all who wait and is
        not kept. A kept None is a hit. Near its end one caller fetches the value anew, and the others go on with the
        one that is there. A value of another type, as from an older release, is fetched anew.

        Raises:
            TypeError: what was fetched cannot be JSON, or an argument is of a wrong type.
            ValueError: `ttl` is not above 0.
        """
        _see(fetch, ttl, tags)
        entry = self._do(self._steps.get(key))
        if entry is not None and not entry.due(self._clock()):
            try:
                return decoded(entry.body, type)
            except msgspec.ValidationError:
                self.delete(key)
                entry = None
        return decoded(self._fetched(key, fetch, ttl, tags, entry), type)

    def _fetched(self, key: str, fetch: Fetch, ttl: float, tags: Sequence[str], old: Entry | None) -> bytes:
        self._flights.check(key)
        flight, leads = self._flights.lead(key)
        if leads:
            return self._flights.fly(key, flight, lambda: self._do(self._steps.fetched(key, fetch, ttl, tags, old)))
        if old is not None:
            return old.body
        self._steps.groups.avoided(key)
        return flight.wait()

    async def aget_or_set(
        self,
        key: str,
        fetch: AFetch | Fetch,
        ttl: float = CacheTTL.MEDIUM,
        *,
        tags: Sequence[str] = (),
        type: Any = Any,  # noqa: A002
    ) -> Any:
        """`get_or_set`, for the event loop: a `fetch` that is a coroutine function goes on if a caller is cancelled."""
        _see(fetch, ttl, tags)
        entry = await self._ado(self._steps.get(key))
        if entry is not None and not entry.due(self._clock()):
            try:
                return decoded(entry.body, type)
            except msgspec.ValidationError:
                await self.adelete(key)
                entry = None
        return decoded(await self._afetched(key, fetch, ttl, tags, entry), type)

    async def _afetched(self, key: str, fetch: AFetch, ttl: float, tags: Sequence[str], old: Entry | None) -> bytes:
        self._flights.check(key)
        task, begun = self._flights.task(key, lambda: self._ado(self._steps.fetched(key, fetch, ttl, tags, old)))
        if old is not None:
            return old.body  # the task goes on by itself
        if not begun:
            self._steps.groups.avoided(key)
        return await asyncio.shield(task)

    def warm(self, entries: Iterable[tuple[str, Fetch, float]]) -> int:
        """Fetch and keep every (key, fetch, ttl) that is not there yet; how many were fetched.

        What a fetch raises is raised when all the others are done.
        """
        missing = [entry for entry in entries if not self.exists(entry[0])]
        failures: list[Exception] = []
        for key, fetch, ttl in missing:
            try:
                self.get_or_set(key, fetch, ttl)
            except Exception as error:  # noqa: BLE001  # raised below
                failures.append(error)
        return _warmed(len(missing), failures)

    async def awarm(self, entries: Iterable[tuple[str, AFetch, float]]) -> int:
        """`warm`, for the event loop."""
        missing = [entry for entry in entries if not await self.aexists(entry[0])]
        failures: list[Exception] = []
        for key, fetch, ttl in missing:
            try:
                await self.aget_or_set(key, fetch, ttl)
            except Exception as error:  # noqa: BLE001  # raised below
                failures.append(error)
        return _warmed(len(missing), failures)


def _see(fetch: object, ttl: float, tags: Sequence[str]) -> None:
    """Refuse what does not fit on a hit too: who tries it once, sees it."""
    arguments.fetcher(fetch)
    arguments.life(ttl)
    if tags:
        arguments.several(tags)


def _warmed(count: int, failures: list[Exception]) -> int:
    if not failures:
        return count
    failures[0].add_note(f"{len(failures)} of {count} values could not be fetched; the others are there")
    raise failures[0]
