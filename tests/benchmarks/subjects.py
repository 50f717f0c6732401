"""What `make bench` measures of ours: layers alone, together and apart, around bare apps."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import psutil
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from nexus_middleware import (
    IPFilter,
    Nexus,
    RateLimit,
    RequestID,
    RequestLogger,
    RequestTiming,
    ResponseCache,
    SecurityHeaders,
    Settings,
)
from nexus_middleware.rules.windows import Limit
from nexus_middleware.runtime import Runtime
from nexus_middleware.stores.commands import Hit
from nexus_middleware.stores.memory import MemoryStore

LIMIT = "100/minute"
DENIED = [f"192.0.{i}.0/24" for i in range(104)]
ITEMS = {"items": [{"id": 1, "title": "Sums"}, {"id": 2, "title": "Words"}]}
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
BODY = {"type": "http.response.body", "body": b'{"items":[]}'}


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """Answer as little as an ASGI app can."""
    await send(START)
    await send(BODY)


def bare_wsgi(environ: Any, start_response: Any) -> list[bytes]:
    """Answer as little as a WSGI app can."""
    start_response("200 OK", [("content-type", "application/json"), ("content-length", "12")])
    return [b'{"items":[]}']


async def items(request: Request) -> JSONResponse:
    """Answer a small JSON document."""
    return JSONResponse(ITEMS)


async def kept_items(request: Request) -> JSONResponse:
    """Answer a small JSON document that caches may keep."""
    return JSONResponse(ITEMS, headers={"cache-control": "public, max-age=3600"})


def starlette(handler: Any = items, middleware: list[Middleware] | None = None) -> Starlette:
    """Return an app with one JSON route."""
    return Starlette(routes=[Route("/items", handler)], middleware=middleware or [])


def layers(runtime: Runtime) -> dict[str, Callable[[Any], Any]]:
    """Return what makes each of the six layers, outermost first, as the stack makes them."""
    return {
        "RequestID": RequestID,
        "RequestTiming": lambda app: RequestTiming(app, record=runtime.monitor.record),
        "RequestLogger": lambda app: RequestLogger(app, log=runtime.log.access),
        "SecurityHeaders": SecurityHeaders,
        "IPFilter": lambda app: IPFilter(app, deny=DENIED, blocked=runtime.security),
        "RateLimit": lambda app: RateLimit(app, LIMIT, store=MemoryStore()),
    }


def named(runtime: Runtime) -> dict[str, Callable[[Any], Any]]:
    """Return what makes the six layers of the package's name: with the cache, and without the id."""
    store, makes = MemoryStore(), layers(runtime)  # one store, as in the stack: so they are one chain
    del makes["RequestID"]
    return {
        **makes,
        "RateLimit": lambda app: RateLimit(app, LIMIT, store=store),
        "ResponseCache": lambda app: ResponseCache(app, store=store),
    }


def settle(runtime: Runtime) -> Callable[[], None]:
    """Return what does at once that which the threads in the background do later, so that each subject pays for it."""

    def now() -> None:
        runtime.log.writer.flush()
        runtime.monitor.fold()

    return now


def around(app: Any, makes: dict[str, Callable[[Any], Any]]) -> Any:
    """Put all layers around `app`."""
    for make in reversed(makes.values()):
        app = make(app)
    return app


def unfused(app: Any, makes: dict[str, Callable[[Any], Any]]) -> Any:
    """Put them around `app` so that none knows its neighbours."""
    for make in reversed(makes.values()):
        app = make(app).__call__
    return app


def stack(handler: Any) -> Nexus:
    """Return the whole stack, in memory."""
    return Nexus(starlette(handler), Settings(rate_limit=LIMIT, deny=tuple(DENIED)))


def cache(app: Any) -> ResponseCache:
    """Return the cache alone."""
    return ResponseCache(app)


def timing(runtime: Runtime) -> Any:
    """Return the app behind our own measurements, as the stack makes them."""
    return RequestTiming(starlette(), record=runtime.monitor.record, running=runtime.monitor.running)


def many(networks: int) -> list[str]:
    """Return that many networks, of which none holds a caller of the race."""
    return [f"{11 + i // 65_536}.{i >> 8 & 255}.{i & 255}.0/25" for i in range(networks)]


def lookup(networks: int) -> float:
    """Return the microseconds that IPFilter takes to look at a caller among that many networks."""
    decide = IPFilter(bare, deny=many(networks)).before
    requests: list[Any] = [SimpleNamespace(client=f"203.0.{i >> 7}.{i & 127}") for i in range(1_000)]
    best = float("inf")
    for _ in range(9):
        began = time.process_time()
        for request in requests:
            decide(request, None)
        best = min(best, time.process_time() - began)
    return best / len(requests) * 1e6


def instrumentator() -> Starlette:
    """Return the app behind a peer of it, prometheus-fastapi-instrumentator, as it is by default."""
    from prometheus_fastapi_instrumentator import Instrumentator

    app = starlette()
    Instrumentator().instrument(app)
    return app


def million() -> float:
    """Return the megabytes that a store in memory grows by while a million callers call once each."""
    process, limit = psutil.Process(), Limit(100, 60.0)
    before, most, store = process.memory_info().rss, 0, MemoryStore()
    for n in range(1_000_000):
        store.run([Hit(((f"rate:default:100/60:{n >> 16}.{n >> 8 & 255}.{n & 255}", limit),))])
        if n % 50_000 == 0:
            most = max(most, process.memory_info().rss)
    return (most - before) / 1e6
