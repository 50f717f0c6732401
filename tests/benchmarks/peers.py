"""What our layers are measured beside: each peer at its best, alone and as stacks that people build of them."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from ipaddress import IPv4Address, ip_address, ip_network
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse

from nexus_middleware.runtime import Runtime
from tests.benchmarks import subjects

PER_MINUTE = 100  # as `subjects.LIMIT`
DENIED = [ip_network(network) for network in subjects.DENIED]


class NoOp(BaseHTTPMiddleware):
    """Do nothing, as most middleware is written."""

    async def dispatch(self, request: Request, call_next: Any) -> Any:
        """Pass the request on."""
        return await call_next(request)


def six_base() -> Starlette:
    """Return the app within six `BaseHTTPMiddleware`s that do nothing."""
    return subjects.starlette(middleware=[Middleware(NoOp)] * 6)


def slowapi(*others: Any) -> Starlette:
    """Return the app behind slowapi's own ASGI middleware, its fastest way."""
    from slowapi import Limiter
    from slowapi.middleware import SlowAPIASGIMiddleware
    from slowapi.util import get_remote_address

    app = subjects.starlette(middleware=[*[Middleware(other) for other in others], Middleware(SlowAPIASGIMiddleware)])
    app.state.limiter = Limiter(get_remote_address, default_limits=[subjects.LIMIT], headers_enabled=True)
    return app


def asgi_ratelimit(app: Any = None) -> Any:
    """Return the app behind asgi-ratelimit, which tells callers nothing of their limit."""
    from ratelimit import RateLimitMiddleware, Rule
    from ratelimit.backends.simple import MemoryBackend

    async def caller(scope: Any) -> tuple[str, str]:
        return scope["client"][0], "default"

    return RateLimitMiddleware(app or subjects.starlette(), caller, MemoryBackend(), {"^/": [Rule(minute=PER_MINUTE)]})


def limits_by_hand() -> Any:
    """Return the app behind plain ASGI that asks `limits`: one limit in its fastest strategy, and told in headers."""
    from limits import RateLimitItemPerMinute
    from limits.storage import MemoryStorage
    from limits.strategies import FixedWindowRateLimiter

    app, limiter, item = (
        subjects.starlette(),
        FixedWindowRateLimiter(MemoryStorage()),
        RateLimitItemPerMinute(PER_MINUTE),
    )

    async def limited(scope: Any, receive: Any, send: Any) -> None:
        caller = scope["client"][0]
        if not limiter.hit(item, caller):
            await JSONResponse({}, 429)(scope, receive, send)
            return
        reset, left = limiter.get_window_stats(item, caller)
        told = b"r=%d;t=%d" % (left, reset - time.time())

        async def send_on(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"ratelimit", told)]}
            await send(message)

        await app(scope, receive, send_on)

    return limited


def fastapi_guard(**options: Any) -> Any:
    """Return the app behind fastapi-guard's plain ASGI class, with all but one of its concerns switched off."""
    from guard.asgi import PureASGISecurityMiddleware
    from guard_core.models import SecurityConfig

    switches = ("enable_redis", "enable_ip_banning", "enable_penetration_detection", "detection_scan_body")
    config = SecurityConfig(security_headers={"enabled": False}, **dict.fromkeys(switches, False), **options)
    return PureASGISecurityMiddleware(subjects.starlette(), config=config)


def fastapi_guard_limit() -> Any:
    """Return the app behind its limit alone."""
    return fastapi_guard(rate_limit=100, rate_limit_window=60)


def fastapi_guard_filter() -> Any:
    """Return the app behind its list of denied networks alone."""
    return fastapi_guard(blacklist=subjects.DENIED, enable_rate_limiting=False)


def bridged(runtime: Runtime) -> Any:
    """Return the bare WSGI app within the six layers as ASGI, with a2wsgi on both sides of them."""
    from a2wsgi import ASGIMiddleware, WSGIMiddleware

    return ASGIMiddleware(subjects.around(WSGIMiddleware(subjects.bare_wsgi), subjects.layers(runtime)))


def lightest() -> Any:
    """Return the app within the lightest peer of each of our six layers, joined by plain ASGI without a base class."""
    from secure import Secure
    from secure.middleware import SecureASGIMiddleware

    app: Any = asgi_ratelimit()
    for make in (_addresses, lambda inner: SecureASGIMiddleware(inner, secure=Secure()), _logged, _timed, _named):
        app = make(app)
    return app


def tutorials() -> Starlette:
    """Return the app as tutorials build it: a class with `dispatch` for each concern, and slowapi."""
    return slowapi(Named, Timed, Logged, Secured, Addressed)


def _named(app: Any) -> Any:
    async def named(scope: Any, receive: Any, send: Any) -> None:
        line = (b"x-request-id", uuid.uuid4().hex.encode())

        async def send_on(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], line]}
            await send(message)

        await app(scope, receive, send_on)

    return named


def _timed(app: Any) -> Any:
    """Time with prometheus_client, whose labels are looked up once for each route and status."""
    note = _histogram()

    async def timed(scope: Any, receive: Any, send: Any) -> None:
        began, status = time.perf_counter(), 500

        async def send_on(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, send_on)
        finally:
            note(scope["method"], getattr(scope.get("route"), "path", ""), status, time.perf_counter() - began)

    return timed


def _logged(app: Any) -> Any:
    log = _structlog()

    async def logged(scope: Any, receive: Any, send: Any) -> None:
        began, status = time.perf_counter(), 500

        async def send_on(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, send_on)
        finally:
            ms = (time.perf_counter() - began) * 1000
            client = scope["client"][0]
            log.info("request", method=scope["method"], path=scope["path"], status=status, ms=ms, client=client)

    return logged


def _addresses(app: Any) -> Any:
    async def filtered(scope: Any, receive: Any, send: Any) -> None:
        if _denied(scope["client"][0]):
            await JSONResponse({}, 403)(scope, receive, send)
            return
        await app(scope, receive, send)

    return filtered


def _denied(client: str) -> bool:
    address = ip_address(client)
    return isinstance(address, IPv4Address) and any(address in network for network in DENIED)


def _histogram() -> Callable[[str, str, int, float], None]:
    from prometheus_client import CollectorRegistry, Histogram

    seconds = Histogram("seconds", "of a request", ["method", "route", "status"], registry=CollectorRegistry())
    return lambda method, route, status, took: seconds.labels(method, route, status).observe(took)


def _structlog() -> Any:
    """Return a logger in the set-up that structlog's own page on performance gives."""
    import structlog

    return structlog.wrap_logger(
        structlog.BytesLogger(Path(os.devnull).open("wb")),  # it stays open as long as the process
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=lambda line, **_: msgspec.json.encode(line)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        cache_logger_on_first_use=True,
    )


class Named(BaseHTTPMiddleware):
    """An id."""

    async def dispatch(self, request: Request, call_next: Any) -> Any:
        """Give one."""
        request.state.id = uuid.uuid4().hex
        response = await call_next(request)
        response.headers["x-request-id"] = request.state.id
        return response


class Timed(BaseHTTPMiddleware):
    """A time."""

    note = staticmethod(_histogram())

    async def dispatch(self, request: Request, call_next: Any) -> Any:
        """Take it."""
        began = time.perf_counter()
        response = await call_next(request)
        self.note(request.method, request.url.path, response.status_code, time.perf_counter() - began)
        return response


class Logged(BaseHTTPMiddleware):
    """A line."""

    log = _structlog()

    async def dispatch(self, request: Request, call_next: Any) -> Any:
        """Write one."""
        began = time.perf_counter()
        response = await call_next(request)
        self.log.info(
            "request",
            method=request.method,
            path=request.url.path,
            status=response.status_code,
            ms=(time.perf_counter() - began) * 1000,
            client=request.client.host if request.client else "",
        )
        return response


class Secured(BaseHTTPMiddleware):
    """Headers."""

    async def dispatch(self, request: Request, call_next: Any) -> Any:
        """Set them."""
        from secure import Secure

        response = await call_next(request)
        await Secure.with_default_headers().set_headers_async(response)
        return response


class Addressed(BaseHTTPMiddleware):
    """A filter."""

    async def dispatch(self, request: Request, call_next: Any) -> Any:
        """Refuse whom it names."""
        if request.client and _denied(request.client.host):
            return JSONResponse({}, 403)
        return await call_next(request)
