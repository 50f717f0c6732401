"""The whole stack in one line: the standard order of layers, the dashboard, and the probes."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from .forks import THIS
from .http import App, ASGIApp, Receive, Scope, Send
from .lifespan import lifespan
from .middleware.allowed_hosts import AllowedHosts
from .middleware.api_key import APIKey
from .middleware.body_limit import BodyLimit
from .middleware.cors import CORS
from .middleware.costs import timed
from .middleware.csp_reports import CSPReports
from .middleware.input_guard import InputGuard
from .middleware.ip_filter import IPFilter
from .middleware.layer import Layer
from .middleware.limits import Rule
from .middleware.rate_limit import RateLimit
from .middleware.request_id import RequestID
from .middleware.request_logger import RequestLogger
from .middleware.request_timing import RequestTiming
from .middleware.response_cache import CacheRule, ResponseCache
from .middleware.security_headers import SecurityHeaders
from .middleware.security_log import SecurityLog
from .middleware.tracing import Tracing
from .middleware.trusted_proxies import TrustedProxies
from .runtime import Runtime
from .settings import Settings

if TYPE_CHECKING:
    from .admin.rights import Hook
    from .services.cache import Cache
    from .services.cache.pages import PageCache
    from .services.logs import Log
    from .services.monitor import Monitor
    from .services.queues import Queues
    from .services.security import Security

PROBE_HEADERS = (("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store"))
Make: TypeAlias = Callable[[App], Layer[Any]]


def standard(runtime: Runtime, *, rules: Sequence[Rule], cache_rules: Sequence[CacheRule]) -> list[Make]:
    """Return the layers of the stack, outermost first; to edit the list is to edit the stack."""
    settings, store = runtime.settings, runtime.store
    limits = [*([Rule(limit=settings.rate_limit)] if settings.rate_limit else []), *rules]
    layers: list[Make | None] = [
        partial(TrustedProxies, networks=settings.trusted_proxies),
        RequestID,
        partial(Tracing, spans=runtime.telemetry.spans) if runtime.telemetry is not None else None,
        partial(
            RequestTiming,
            record=runtime.monitor.record,
            running=runtime.monitor.running,
            server_timing=settings.server_timing,
        ),
        partial(RequestLogger, log=runtime.log.access),
        partial(SecurityLog, record=runtime.security.note),
        _headers(settings),
        # outside of all that refuses: a page may read why, and a preflight, which brings no key, is answered first
        partial(CORS, origins=settings.cors_origins) if settings.cors_origins else None,
        _allowed_hosts(runtime),
        _ip_filter(runtime),
        partial(BodyLimit, limit=settings.body_limit),
        # outside of the limit: reports of broken pages shall not use up what their reader may call
        partial(CSPReports, record=runtime.security.violated, path=settings.csp_report_path)
        if settings.csp_report_path
        else None,
        partial(RateLimit, limit=limits, store=store) if limits else None,
        # inside of the limit, so that wrong keys are counted and nobody may guess without end; outside of the cache
        partial(APIKey, keys=settings.api_keys) if settings.api_keys else None,
        # inside of the limit, which costs less; outside of the cache, so that no answer is kept under an attack's address
        partial(InputGuard, mode=settings.input_guard),
        partial(ResponseCache, store=store, rules=cache_rules, pages=runtime.pages.local),
    ]
    kept = [layer for layer in layers if layer is not None]
    return timed(kept) if settings.server_timing else kept


def _allowed_hosts(runtime: Runtime) -> Make | None:
    hosts = runtime.settings.allowed_hosts
    return partial(AllowedHosts, hosts=hosts) if hosts else None


def _headers(settings: Settings) -> Make:
    return partial(
        SecurityHeaders,
        preset=settings.header_preset,
        csp=settings.csp or None,
        report_only=settings.csp_report_only or None,
        report_path=settings.csp_report_path,
    )


def _ip_filter(runtime: Runtime) -> Make:
    settings, security = runtime.settings, runtime.security
    strike = security.strike if settings.ban else None
    return partial(IPFilter, allow=settings.allow, deny=settings.deny, blocked=security, strike=strike)


def around_admin(runtime: Runtime) -> list[Make]:
    """Return the layers around the dashboard, its API and the probes, which limits and counts leave alone."""
    settings = runtime.settings
    return [
        partial(TrustedProxies, networks=settings.trusted_proxies),
        RequestID,
        partial(RequestLogger, log=runtime.log.access, exempt=(settings.livez_path, settings.readyz_path)),
        partial(SecurityLog, record=runtime.security.note),
        SecurityHeaders,
        _ip_filter(runtime),
        partial(BodyLimit, limit=settings.body_limit),
    ]


class Nexus:
    """An app with every layer in the standard order around it, and the dashboard beside it.

    As an ASGI app it serves the dashboard, its JSON API and the probes too; `wsgi` is the same stack with the probes,
    and without the dashboard.

    >>> async def app(scope, receive, send): ...
    >>> app = Nexus(app, Settings(rate_limit="10/second"))

    Args:
        app: The ASGI or WSGI app.
        settings: None to read them from the environment.
        access: Who may see the dashboard, `access(scope) -> "all" | "read_only" | set | None`, instead of a token.
        rules: More limits than the settings' one for all.
        cache_rules: How long answers are kept that say nothing of it themselves.
        layers: What makes the list of layers from the standard one, to put in a layer of one's own or take one out.

    Raises:
        SettingsError: a setting or a rule does not fit.
    """

    def __init__(
        self,
        app: App,
        settings: Settings | None = None,
        *,
        access: Hook | None = None,
        rules: Sequence[Rule] = (),
        cache_rules: Sequence[CacheRule] = (),
        layers: Callable[[list[Make]], Iterable[Make]] = list,
    ) -> None:
        self.settings = settings or Settings.from_env()
        self.runtime = Runtime(self.settings)
        self.app = app
        made = [] if self.settings.off else layers(standard(self.runtime, rules=rules, cache_rules=cache_rules))
        self.stack = wrap(app, made)
        self.access, self.runtime.front = access, self
        self._beside = Beside(self.runtime, access)
        self._pid = 0

    @property
    def cache(self) -> Cache:
        """The cache for the app's own values."""
        return self.runtime.cache

    @property
    def pages(self) -> PageCache:
        """The stored responses, to be purged."""
        return self.runtime.pages

    @property
    def queues(self) -> Queues:
        """Jobs for the worker."""
        return self.runtime.queues

    @property
    def monitor(self) -> Monitor:
        """What is measured."""
        return self.runtime.monitor

    @property
    def security(self) -> Security:
        """Who is blocked."""
        return self.runtime.security

    @property
    def log(self) -> Log:
        """Where events and requests are written."""
        return self.runtime.log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(self._asgi, scope, receive, send, start=self._start, stop=self.runtime.aclose)
            return
        if self._pid != THIS.pid:
            await self._start()
        beside = self._beside.app_at(scope) if scope["type"] == "http" else None
        if beside is None:
            await self._asgi(scope, receive, send)
        else:
            app, inner = beside
            await app(inner, receive, send)

    def wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as a WSGI app (PEP 3333)."""
        if self._pid != THIS.pid:
            self._begin()
            atexit.register(self.runtime.close)  # WSGI says nothing of its end
        if environ.get("PATH_INFO") in self._beside.probes:
            return self._beside.wsgi(environ, start_response)
        stack = cast("WSGIApplication", getattr(self.stack, "wsgi", self.stack))
        return stack(environ, start_response)

    @property
    def _asgi(self) -> ASGIApp:
        return self.stack  # type: ignore[return-value]  # which door is used says which kind of app it is

    async def _start(self) -> None:
        self._begin()
        await self.runtime.store.aopen()
        self.runtime.monitor.lag.watch(asyncio.get_running_loop())

    def _begin(self) -> None:
        self._pid = THIS.pid
        self.runtime.start()


def wrap(app: App, layers: Iterable[Make]) -> App:
    """Put `layers`, outermost first, around `app`."""
    for make in reversed([*layers]):
        app = make(app)
    return app


class Beside:
    """What `Nexus` serves itself: the dashboard, its API and the probes, which tell no more than ok or not."""

    def __init__(self, runtime: Runtime, access: Hook | None) -> None:
        self._runtime, self._access = runtime, access
        settings = runtime.settings
        self.probes = frozenset(path for path in (settings.livez_path, settings.readyz_path) if path)
        opened = bool(settings.admin_token) or access is not None
        paths = [settings.dashboard_path, settings.api_path, *([settings.metrics_path] if opened else [])]
        self._mounts = [(path, path + "/") for path in paths if path]
        self._maybe = (*self.probes, *[mount for mount, _ in self._mounts])  # how the paths begin that are looked at
        self._probe: Any = wrap(self._probe_asgi, around_admin(runtime))
        self.wsgi = cast("Layer[Any]", wrap(self._probe_wsgi, around_admin(runtime))).wsgi
        self._apps: dict[str, ASGIApp] = {}

    def app_at(self, scope: Scope) -> tuple[ASGIApp, Scope] | None:
        """Return what serves this path, and the scope as a mount gives it; None if it is the app's after all."""
        root = scope.get("root_path", "")
        path = scope["path"].removeprefix(root)
        if not path.startswith(self._maybe):  # nearly always
            return None
        if path in self.probes:
            return self._probe, scope
        for mount, below in self._mounts:
            if path == mount or path.startswith(below):
                return self._admin(mount), {**scope, "root_path": root + mount}
        return None

    def _admin(self, mount: str) -> ASGIApp:
        if not self._apps:
            from .admin import Admin  # Starlette is loaded when somebody looks

            admin, settings = Admin(self._runtime, access=self._access), self._runtime.settings
            paths = (settings.dashboard_path, settings.api_path, settings.metrics_path)
            apps: list[ASGIApp] = [admin, admin.api, admin.metrics]
            if hosts := _allowed_hosts(self._runtime):  # not around what machines ask by address
                apps[:2] = [cast("ASGIApp", hosts(app)) for app in apps[:2]]
            for path, served in zip(paths, apps, strict=True):
                self._apps[path] = cast("ASGIApp", wrap(served, around_admin(self._runtime)))
        return self._apps[mount]

    def _ok(self, path: str) -> bool:
        return path != self._runtime.settings.readyz_path or self._runtime.ready

    async def _probe_asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        ok = self._ok(scope["path"].removeprefix(scope.get("root_path", "")))
        headers = [(name.encode(), value.encode()) for name, value in PROBE_HEADERS]
        await send({"type": "http.response.start", "status": 200 if ok else 503, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok\n" if ok else b"not ready\n"})

    def _probe_wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        ok = self._ok(environ["PATH_INFO"])
        start_response("200 OK" if ok else "503 Service Unavailable", [*PROBE_HEADERS])
        return [b"ok\n" if ok else b"not ready\n"]
