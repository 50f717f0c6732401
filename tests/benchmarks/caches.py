"""What a cached page costs: ours beside other caches of Python and nginx: `make bench`."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import platform
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nexus_middleware import ResponseCache
from tests.benchmarks import values
from tests.benchmarks.measure import Race
from tests.benchmarks.serving import Server, uvicorn
from tests.conftest import free_port

BODY = b"x" * 1024
HEADERS = [(b"content-type", b"text/plain"), (b"cache-control", b"public, max-age=3600"), (b"content-length", b"1024")]
NAIVE, OURS, OURS_WSGI = "a bare dictionary", "ResponseCache, a hit", "ResponseCache, a hit, `.wsgi`"
PASSED, NEW = "ResponseCache, what cannot be kept", "the same, a page never seen"
NGINX = """
master_process off; daemon off; pid %(folder)s/pid; error_log /dev/null; events {}
http {
  access_log off; keepalive_requests 100000; proxy_cache_path %(folder)s/c keys_zone=c:1m;
  client_body_temp_path %(folder)s/b; proxy_temp_path %(folder)s/p; fastcgi_temp_path %(folder)s/f;
  uwsgi_temp_path %(folder)s/u; scgi_temp_path %(folder)s/s;
  server { listen 127.0.0.1:%(back)d; location / { add_header Cache-Control max-age=3600; return 200 %(body)s; } }
  server { listen 127.0.0.1:%(front)d; location / { proxy_cache c; proxy_pass http://127.0.0.1:%(back)d; } }
}
"""
START = {"type": "http.response.start", "status": 200, "headers": HEADERS}
END = {"type": "http.response.body", "body": BODY}


async def page(scope: Any, receive: Any, send: Any) -> None:
    """Answer a page that caches may keep."""
    await send(START)
    await send(END)


async def personal(scope: Any, receive: Any, send: Any) -> None:
    """Answer a page that says nothing of caches."""
    await send({**START, "headers": HEADERS[:1]})
    await send(END)


cached = ResponseCache(page)  # for uvicorn


def page_wsgi(environ: Any, start_response: Any) -> list[bytes]:
    """Answer that page under WSGI."""
    start_response("200 OK", [(name.decode(), value.decode()) for name, value in HEADERS])
    return [BODY]


def dictionary(app: Any) -> Any:
    """Return the least that could be called a cache: it keeps everything for ever, for everybody."""
    kept: dict[Any, list[Any]] = {}

    async def replay(scope: Any, receive: Any, send: Any) -> None:
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        key = scope["method"], scope["scheme"], host, scope["path"], scope["query_string"]
        if key not in kept:
            kept[key] = []

            async def keep(message: Any) -> None:
                kept[key].append(message)

            await app(scope, receive, keep)
        for message in kept[key]:
            await send({**message})

    return replay


def hishel() -> Any:
    """Return hishel around the page, with its storage in memory."""
    import hishel as library
    from hishel.asgi import ASGICacheMiddleware

    return ASGICacheMiddleware(page, storage=library.AsyncSqliteStorage(database_path=":memory:"))


def fastapi_cache2() -> Any:
    """Return a FastAPI route with fastapi-cache2's decorator, in memory."""
    from fastapi import FastAPI
    from fastapi_cache import FastAPICache
    from fastapi_cache.backends.inmemory import InMemoryBackend
    from fastapi_cache.decorator import cache

    FastAPICache.init(InMemoryBackend())
    app = FastAPI()

    async def read() -> str:
        return BODY.decode()

    app.get("/items")(cache(expire=3600)(read))
    return app


def cashews() -> Any:
    """Return a FastAPI route with cashews' decorator and middleware, in memory."""
    from cashews import cache
    from cashews.contrib.fastapi import CacheRequestControlMiddleware
    from fastapi import FastAPI

    cache.setup("mem://")
    app = FastAPI()
    app.add_middleware(CacheRequestControlMiddleware)

    async def read() -> str:
        return BODY.decode()

    app.get("/items")(cache(ttl="1h")(read))
    return app


def django() -> Any:
    """Return a Django view behind Django's own cache middleware, in memory."""
    import types

    import django as library
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import path

    module = sys.modules["bench_urls"] = types.ModuleType("bench_urls")
    module.urlpatterns = [path("items", lambda request: HttpResponse(BODY))]  # type: ignore[attr-defined]
    cached = ["django.middleware.cache.UpdateCacheMiddleware", "django.middleware.cache.FetchFromCacheMiddleware"]
    settings.configure(ROOT_URLCONF="bench_urls", ALLOWED_HOSTS=["*"], MIDDLEWARE=cached, LOGGING_CONFIG=None)
    library.setup()
    return get_wsgi_application()


def enter(race: Race) -> Iterator[str]:
    """Add all that is timed in this process; yield what cannot be."""
    numbers = itertools.count()
    new = ResponseCache(personal)

    async def never_seen(scope: Any, receive: Any, send: Any) -> None:
        await new({**scope, "path": f"/{next(numbers)}"}, receive, send)

    race.asgi(NAIVE, dictionary(page))
    race.asgi(OURS, ResponseCache(page))
    race.asgi(PASSED, ResponseCache(personal))
    race.asgi(NEW, never_seen)
    race.wsgi(OURS_WSGI, ResponseCache(page_wsgi).wsgi)
    makes: dict[str, tuple[Callable[[], Any], Callable[..., None]]] = {
        "hishel": (hishel, race.asgi),
        "fastapi-cache2": (fastapi_cache2, race.asgi),
        "cashews": (cashews, race.asgi),
        "Django": (django, race.wsgi),
    }
    for name, (make, add) in makes.items():
        try:
            add(name, make())
        except ImportError as error:
            yield f"{name} is not measured: {error}"


def hit_rate(*, pages: int = 10_000, asked: int = 100_000, share: float = 0.1) -> float:
    """Return the share of hits when requests fall on pages as 1/rank, and a tenth of the pages has room."""
    draw = random.Random(1)  # the same load every time
    cache = ResponseCache(page, max_bytes=int(pages * share * (len(BODY) + 2_000)))
    weights = [1 / rank for rank in range(1, pages + 1)]

    async def run() -> None:
        for number in draw.choices(range(pages), weights, k=asked):
            headers = [(b"host", b"example.org")]
            scope = {"type": "http", "method": "GET", "scheme": "http", "path": f"/{number}", "query_string": b""}
            await cache({**scope, "headers": headers, "state": {}}, none, none)

    asyncio.run(run())
    return cache.pages.hits / asked


async def none(message: Any = None) -> dict[str, Any]:
    """Be a client that says nothing and hears nothing."""
    return {"type": "http.request", "body": b"", "more_body": False}


def three_seconds() -> tuple[float, float]:
    """Return how long a page takes whose query takes 3 s, and how long it takes from the cache, in milliseconds."""

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(3.0)
        await page(scope, receive, send)

    async def run() -> tuple[float, float]:
        cache, times = ResponseCache(slow), []
        for _ in range(2):
            began = time.perf_counter()
            scope = {"type": "http", "method": "GET", "scheme": "http", "path": "/", "query_string": b"", "state": {}}
            await cache({**scope, "headers": [(b"host", b"example.org")]}, none, none)
            times.append((time.perf_counter() - began) * 1000)
        return times[0], times[1]

    return asyncio.run(run())


def served() -> Iterator[str]:
    """Yield what a hit costs a server's one process, sockets included: nginx, and uvicorn with ours."""
    with uvicorn("tests.benchmarks.caches:cached") as ours:
        yield f"uvicorn with ResponseCache takes {_hit(ours):.0f} µs a hit"
    server = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if server is None:
        yield "nginx is not measured: it is not installed"
        return
    with tempfile.TemporaryDirectory() as folder:
        port, back = free_port(), free_port()
        Path(folder, "nginx.conf").write_text(
            NGINX % {"folder": folder, "front": port, "back": back, "body": BODY.decode()}
        )
        command = [server, "-c", f"{folder}/nginx.conf", "-p", folder]
        with contextlib.closing(Server(command, port)) as theirs:
            yield f"nginx with proxy_cache takes {_hit(theirs):.0f} µs a hit"


def _hit(server: Server) -> float:
    server.cost(500)
    return server.cost(5_000)


def main() -> None:
    """Measure and print."""
    with asyncio.Runner() as runner:
        race = Race(runner.get_loop())
        notes = [*enter(race)]
        race.run()
        print(f"\nPython {platform.python_version()}. A page of 1 KiB; medians of one run.")
        print(f"{'caches':42}{'µs':>9}{'x dictionary':>14}{'x ours':>9}")
        for name in race.subjects:
            ours = OURS_WSGI if name in ("Django", OURS_WSGI) else OURS
            print(f"{name:42}{race.micros(name):9.2f}{race.share(name, NAIVE):14.2f}{race.share(name, ours):9.2f}")
    miss, hit = three_seconds()
    print(f"a page with a query of 3 s: {miss:.0f} ms, from the cache {hit:.3f} ms")
    print(f"100,000 requests for 10,000 pages by Zipf's law, room for a tenth: {hit_rate():.1%} hits")
    print("\n".join([*notes, *served()]))
    values.main()


if __name__ == "__main__":
    main()
