"""The whole stack in one line: the layers around the app, the dashboard and the probes beside it."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from .forks import THIS
from .http import App, ASGIApp, Receive, Scope, Send
from .lifespan import lifespan
from .middleware.costs import timed
from .middleware.layer import Layer
from .middleware.limits import Rule
from .middleware.live import LiveRules
from .middleware.response_cache import CacheRule
from .runtime import Runtime
from .settings import Settings
from .standard import Make, allowed_hosts, around_admin, limits_of, standard, wrap

if TYPE_CHECKING:
    from .admin.rights import Hook
    from .services.cache import Cache
    from .services.cache.pages import PageCache
    from .services.limits import Limits
    from .services.logs import Log
    from .services.monitor import Monitor
    from .services.queues import Queues
    from .services.security import Security

PROBE_HEADERS = (("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store"))


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
        layers: What makes the list of layers from the standard one, to put in a layer of one's own or take one out;
            `with_options` gives some of them options that no setting has.

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
        made = [] if self.settings.off else [*layers(standard(self.runtime, rules=rules, cache_rules=cache_rules))]
        self.stack = wrap(app, timed(made) if self.settings.server_timing else made)
        if made:
            live = LiveRules(self.stack, limits_of(self.settings, rules), cache_rules, self.runtime.filters)
            self.runtime.policies.begin(live.prepare)
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
    def limits(self) -> Limits:
        """How far callers have used their limits, and what gives one back."""
        return self.runtime.limits

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


class Beside:
    """What `Nexus` serves itself: the dashboard, its API and the probes, which tell no more than ok or not."""

    def __init__(self, runtime: Runtime, access: Hook | None) -> None:
        self._runtime, self._access = runtime, access
        settings = runtime.settings
        self.probes = frozenset(path for path in (settings.livez_path, settings.readyz_path) if path)
        opened = bool(settings.admin_secret) or access is not None
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
            if hosts := allowed_hosts(self._runtime):  # not around what machines ask by address
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
