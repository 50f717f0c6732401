"""Strategies and storages of `limits`, for who has memcached or MongoDB, or wants its fixed or moving window."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakValueDictionary

from ..errors import SettingsError, StoreError
from ..rules.windows import BORROWED, Allowance, Limit, Strategy
from .base import LIVE, Ear, Listening, Store
from .breaker import Breaker
from .commands import Command, Hit
from .standby import Standby

NAMES = ("FixedWindowRateLimiter", "MovingWindowRateLimiter", "SlidingWindowCounterRateLimiter")
RENAMED = {"valkey": "redis", "valkeys": "rediss", "unix": "redis+unix"}  # what one client speaks to
BUDGET = 0.1  # seconds for a connection, and for an answer
TIMEOUTS: dict[str, dict[str, Any]] = {
    "redis": {"socket_timeout": BUDGET, "socket_connect_timeout": BUDGET, "protocol": 2},
    "memcached": {"timeout": BUDGET, "connect_timeout": BUDGET},
    "mongodb": {"serverSelectionTimeoutMS": 100, "connectTimeoutMS": 100, "socketTimeoutMS": 100},
    "memory": {},
}
CLIENTS = {"memcached": "pymemcache", "mongodb": "pymongo"}  # what `limits` needs, and we do not bring
_OPEN: WeakValueDictionary[tuple[str, Strategy, str], BorrowedStore] = WeakValueDictionary()


def borrowed(url: str, strategy: Strategy, namespace: str = "nexus") -> BorrowedStore:
    """Return what counts by a strategy of `limits` in the storage that `url` names; the same one for the same words.

    Args:
        url: As `limits` reads it.
        strategy: One of its own.
        namespace: What every key there begins with.

    Raises:
        SettingsError: `limits` has no such storage, lacks its client library, or cannot count so in it.
    """
    store = _OPEN.get((url, strategy, namespace))
    if store is None:
        store = _OPEN[url, strategy, namespace] = BorrowedStore(url, strategy, namespace)
    return store


def counted_in(store: Store | str, strategy: Strategy) -> Store | str:
    """Return where calls are counted by `strategy`: in `store` itself, or by `limits` in the one that it names.

    The keys of `limits` begin with the namespace of `store`, or "nexus" if it is named by its URL alone.

    Raises:
        SettingsError: `limits` cannot count so there.
    """
    if strategy not in BORROWED:
        return store
    if isinstance(store, str):
        return borrowed(store, strategy)
    return borrowed(store.url, strategy, getattr(store, "prefix", "nexus:").partition(":")[0])


class BorrowedStore:
    """Answers `Hit`s alone. Each limit takes two or three trips, and several limits of a call are counted apart.

    All limits of a call are tested before the first is hit, so that one which is used up keeps the others as they were.
    But `limits` has no step that does both: where many call at once, another one may take the last call between the
    test and the hit. Then this call is refused, and the limits that were hit before stay used by it; those after are not
    hit. `limits` cannot take a hit back. Exact are "sliding-window" and "gcra", our own.

    Args:
        url: memory://, redis://, memcached://, mongodb:// and more, as `limits` reads it.
        strategy: One of its own.
        namespace: What every key begins with.
    """

    def __init__(self, url: str, strategy: Strategy, namespace: str = "nexus") -> None:
        scheme, _, rest = url.partition("://")
        if "+sentinel" in scheme or "+cluster" in scheme:
            raise SettingsError(
                f"strategy={strategy!r} counts in one server: not {scheme}://, where 'sliding-window' does"
            )
        self.url, self._strategy, self._namespace = url, strategy, namespace
        self._kind = ""  # what `limits` itself begins its keys with
        self._dialled = f"{RENAMED.get(scheme, scheme)}://{rest}"
        self.waits = scheme != "memory"
        self.standby = Standby()
        self._breaker, self._lock, self._pid = Breaker(), threading.Lock(), 0
        self._limiter: Any = self._made()
        self.clock: Callable[[], float] | None = None  # `limits` has its own
        LIVE.add(self)

    def forget(self) -> None:
        """Forget all counts; in memcached, which lists no keys, by going on under other ones in this process."""
        try:
            self._limiter.storage.reset()
        except NotImplementedError:
            self._kind = f"{self._kind}-"

    def _made(self) -> Any:
        import limits.errors
        import limits.storage
        import limits.strategies

        kind = next((kind for kind in TIMEOUTS if kind in self._dialled.partition("://")[0]), "")
        if (client := CLIENTS.get(kind)) is not None and importlib.util.find_spec(client) is None:
            raise SettingsError(f"{kind}:// needs its client library: install {client}")
        self._client: Any = None
        own: dict[str, dict[str, Any]] = {
            "redis": {"key_prefix": f"{self._namespace}:limits"},
            "memcached": {"client_getter": self._one_client},
        }
        self._kind = "LIMITER" if kind == "redis" else self._namespace
        try:
            storage = limits.storage.storage_from_string(self._dialled, **own.get(kind, {}), **TIMEOUTS.get(kind, {}))
            limiter = getattr(limits.strategies, NAMES[BORROWED.index(self._strategy)])(storage)
        except limits.errors.ConfigurationError as error:
            raise SettingsError(f"strategy={self._strategy!r} cannot count there: {error}") from error
        except NotImplementedError as error:
            raise SettingsError(f"strategy={self._strategy!r} is nothing that this storage can do: {error}") from error
        self._pid = os.getpid()
        return limiter

    def _one_client(self, library: Any, hosts: Sequence[Any], **options: Any) -> Any:
        """Return the client of all threads: `limits` would make one for each, and close none."""
        with self._lock:
            if self._client is None:
                many = len(hosts) > 1
                made = library.HashClient(hosts, use_pooling=True, **options) if many else None
                self._client = made or library.PooledClient(*hosts, **options)
            return self._client

    def run(self, commands: Sequence[Command[Any]]) -> list[Any]:
        """Answer `commands`, which are `Hit`s.

        Raises:
            StoreError: the storage did not answer.
        """
        if self._pid != os.getpid():  # after a fork the parent's sockets are not ours
            self._limiter = self._made()
        with self._breaker:
            return [self._hit(command) for command in commands]

    async def arun(self, commands: Sequence[Command[Any]]) -> list[Any]:
        """`run`, on a thread: most of these storages have no client for the event loop here."""
        return await asyncio.to_thread(self.run, commands)

    async def aopen(self) -> None:
        """Do nothing."""

    def tick(self, now: float) -> None:
        """Do nothing."""

    def check(self) -> None:
        """Make sure that the storage answers.

        Raises:
            StoreError: it does not.
        """
        with self._breaker:
            if not self._limiter.storage.check():
                raise StoreError("the storage does not answer")

    def close(self) -> None:
        """Drop the connections to memcached; the clients of the others drop theirs when the object goes."""
        if self._client is not None:
            self._client.close()

    async def aclose(self) -> None:
        """`close`."""
        self.close()

    def listen(self, channel: str, ear: Ear) -> Listening:
        """Refuse: there is no channel to hear.

        Raises:
            SettingsError: always.
        """
        raise SettingsError("a strategy of limits has no channel to listen to, it only counts how often one calls")

    def _hit(self, command: Command[Any]) -> tuple[Allowance, ...]:
        if not isinstance(command, Hit):
            raise SettingsError(f"a strategy of limits answers no {type(command).__name__}, only how often one calls")
        said = self._group(command.limits)
        refused = command.binding and not all(x.allowed for x in said)
        return said + tuple([x for group in command.shadows for x in self._group(group, counted=not refused)])

    def _group(self, asked: Sequence[tuple[str, Limit]], *, counted: bool = True) -> tuple[Allowance, ...]:
        from limits import RateLimitItemPerSecond

        items = [(RateLimitItemPerSecond(x.amount, round(x.window), self._kind), key, x.cost) for key, x in asked]
        limiter = self._limiter
        # one limit whose calls cost 1 needs no test: a hit that is refused then changes nothing that is asked for
        at_once = counted and len(items) == 1 and items[0][2] == 1
        judged = [at_once or limiter.test(item, key, cost=cost) for item, key, cost in items]
        if counted and all(judged):
            for n, (item, key, cost) in enumerate(items):
                judged[n] = limiter.hit(item, key, cost=cost)
                if not judged[n]:
                    break  # somebody took the last call since the test
        return tuple([self._allowance(item, key, bool(ok)) for (item, key, _), ok in zip(items, judged, strict=True)])

    def _allowance(self, item: Any, key: str, allowed: bool) -> Allowance:  # noqa: FBT001
        stats = self._limiter.get_window_stats(item, key)
        return Allowance(allowed, max(0, stats.remaining), max(0.001, stats.reset_time - time.time()))
