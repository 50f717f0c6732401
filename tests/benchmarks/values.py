"""What a cached value costs: `Cache` beside the example's SQLite query and beside other caches of values: `make bench`."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from example_app.data import Academy
from nexus_middleware import SettingsError
from nexus_middleware.services.cache import Cache
from nexus_middleware.stores.embedded import find_server
from nexus_middleware.stores.memory import MemoryStore
from nexus_middleware.stores.redis import RedisStore
from tests.benchmarks.measure import Race
from tests.conftest import Server

CALLERS = 50
QUERY, OURS, THREADS = "the example's SQLite query", "Cache", "Cache, memory, get_or_set, for threads"
TTL = 3600.0
Get = Callable[[], Awaitable[Any]]


@dataclass
class Library:
    """One library's calls: `get` and `put` one value, `load` a cold one; `threads` if they do not wait in a loop."""

    get: Get
    put: Get
    load: Callable[[str, Callable[[], Any]], Awaitable[Any]]
    close: Callable[[], Awaitable[Any]]
    threads: bool = False


def ours(value: Any, url: str) -> Library:
    """Return `Cache`."""
    store = RedisStore(url, budget=5) if url else MemoryStore()
    cache = Cache(store)
    return Library(
        lambda: cache.aget("course:1"),
        lambda: cache.aset("course:1", value, TTL),
        lambda key, fetch: cache.aget_or_set(key, fetch, TTL),
        store.aclose,
    )


def cashews(value: Any, url: str) -> Library:
    """Return cashews, whose `lock` lets one caller load."""
    from cashews import Cache as Library_

    cache = Library_()
    cache.setup(f"{url}?client_side=0" if url else "mem://")

    async def load(key: str, fetch: Callable[[], Any]) -> Any:
        return await cache(ttl=TTL, key=key, lock=True)(fetch)()

    return Library(
        lambda: cache.get("course:1"), lambda: cache.set("course:1", value, expire=TTL), load, lambda: _closed(cache)
    )


async def _closed(cache: Any) -> None:
    await cache.close()


def aiocache(value: Any, url: str) -> Library:
    """Return aiocache, whose `cached_stampede` lets one caller load; JSON in Redis."""
    import aiocache as library
    from aiocache.serializers import JsonSerializer

    cache: Any = (
        library.RedisCache(
            endpoint="127.0.0.1", port=urlsplit(url).port, db=int(url[-1]), serializer=JsonSerializer(), timeout=60
        )
        if url
        else library.SimpleMemoryCache()
    )

    async def load(key: str, fetch: Callable[[], Any]) -> Any:
        guard = library.cached_stampede(lease=10, ttl=TTL, key=key, noself=True)
        guard.cache = cache
        return await guard.decorator(fetch)

    return Library(lambda: cache.get("course:1"), lambda: cache.set("course:1", value, ttl=TTL), load, cache.close)


def django(value: Any, url: str) -> Library:
    """Return Django's cache, which is for threads."""
    from django.conf import settings

    if not settings.configured:
        settings.configure(LOGGING_CONFIG=None)
    from django.core.cache.backends.locmem import LocMemCache
    from django.core.cache.backends.redis import RedisCache

    cache: Any = RedisCache(url, {}) if url else LocMemCache("bench", {})

    async def get() -> Any:
        return cache.get("course:1")

    async def put() -> None:
        cache.set("course:1", value, TTL)

    async def load(key: str, fetch: Callable[[], Any]) -> Any:
        return cache.get_or_set(key, fetch, TTL)

    async def close() -> None:
        cache.close()

    return Library(get, put, load, close, threads=True)


MAKES = {OURS: ours, "cashews": cashews, "aiocache": aiocache, "Django": django}


def main() -> None:
    """Measure and print."""
    with asyncio.Runner() as runner, contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        academy = Academy(folder / "academy.db")
        value = academy.course(1)
        race = Race(runner.get_loop())
        race.call(QUERY, lambda: academy.course(1))
        plain = Cache(MemoryStore())
        race.call(THREADS, lambda: plain.get_or_set("course:1", lambda: value, TTL))
        libraries: dict[tuple[str, str], Library] = {}
        places = {"memory": "", **_redis(stack, folder)}
        for place, url in places.items():
            for db, (name, make) in enumerate(MAKES.items()):
                try:
                    library = libraries[place, name] = make(value, url and f"{url[:-1]}{db}")
                    runner.run(library.put())
                except ImportError as error:
                    print(f"{name} is not measured: {error}")
                    continue
                callers = CALLERS if url and not library.threads else 1
                race.work(f"{name}, {place}, get", library.get, callers=callers)
                race.work(f"{name}, {place}, set", library.put, callers=callers)
        race.run()
        loads = {at: _loads(runner, library) for at, library in libraries.items()}
        for library in libraries.values():
            runner.run(library.close())
        _print(race, value, libraries, loads)


def _redis(stack: contextlib.ExitStack, folder: Path) -> dict[str, str]:
    try:
        find_server()
    except SettingsError as error:
        print(f"Redis is not measured: {error}")
        return {}
    server = Server(folder)
    stack.callback(server.stop)
    return {"Redis": server.url}


def _loads(runner: asyncio.Runner, library: Library) -> int:
    """Return how often a value is loaded that 50 callers want at once, and that takes 50 ms."""
    runs: list[int] = []

    async def fetch() -> int:
        runs.append(1)
        await asyncio.sleep(0.05)
        return 1

    def fetch_in_a_thread() -> int:
        runs.append(1)
        time.sleep(0.05)
        return 1

    async def all_at_once() -> None:
        await asyncio.gather(*[library.load("cold", fetch) for _ in range(CALLERS)])

    if not library.threads:
        runner.run(all_at_once())
        return len(runs)
    gate = threading.Barrier(CALLERS)

    def one(_: int) -> None:
        gate.wait()
        asyncio.run(library.load("cold", fetch_in_a_thread))  # type: ignore[arg-type]

    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(one, range(CALLERS)))
    return len(runs)


def _print(
    race: Race, value: Any, libraries: dict[tuple[str, str], Library], loads: dict[tuple[str, str], int]
) -> None:
    size = len(msgspec.json.encode(value))
    print(f"\n{f'a course with its lessons, {size} bytes':42}{'µs':>9}{'x SQLite':>14}")
    for name in (QUERY, THREADS, *[f"{OURS}, {place}, get" for place, name in libraries if name == OURS]):
        print(f"{name:42}{race.micros(name):9.2f}{race.share(name, QUERY):14.3f}")
    print(
        f"\nthe same in caches of values. Redis: {CALLERS} callers at once; Django's callers one after another, and for\n"
        f"the loads in threads. In memory cashews and aiocache give out the one object that all callers share."
    )
    print(f"{'':24}{'get µs':>9}{'x ours':>8}{'set µs':>9}{'x ours':>8}{'loads for 50 callers':>22}")
    for place, name in libraries:
        cells = [
            f"{race.micros(f'{name}, {place}, {what}'):9.2f}"
            f"{race.share(f'{name}, {place}, {what}', f'{OURS}, {place}, {what}'):8.2f}"
            for what in ("get", "set")
        ]
        print(f"{f'{name}, {place}':24}{''.join(cells)}{loads[place, name]:22}")


if __name__ == "__main__":
    main()
