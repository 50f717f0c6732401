"""The dashboard and its API as one ASGI app that works wherever it is mounted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import BaseRoute, Mount, Route, Router

from ..http import ASGIApp, Receive, Scope, Send
from .access import Access
from .answers import Answer, Problem, nothing_here
from .api import RESOURCES
from .exchange import Exchange, House
from .mounts import local_path, with_slash
from .page import pages
from .panels import Panels
from .resource import EXCHANGE
from .rights import Hook

if TYPE_CHECKING:
    from ..runtime import Runtime


class Admin:
    """The dashboard, with its API under `api/`; `.api` is the JSON alone, to be mounted elsewhere too.

    `.metrics` is the page for Prometheus alone.

    >>> from starlette.applications import Starlette
    >>> from nexus_middleware.runtime import Runtime
    >>> from nexus_middleware.settings import Settings
    >>> app = Starlette()
    >>> app.mount("/infrastructure", Admin(Runtime(Settings(admin_token="a long secret"))))

    Args:
        runtime: The services it shows. Without an admin token in its settings, and without `access`, all is a 404.
        access: Who may do what, `access(scope) -> "all" | "read_only" | set of rights | None`, instead of the token.
    """

    def __init__(self, runtime: Runtime, *, access: Hook | None = None) -> None:
        house = House(runtime, Access(runtime, access), Panels(runtime))
        routes: list[BaseRoute] = [Route(path, endpoint=resource) for path, resource in RESOURCES.items()]
        below: Any = Router(routes, redirect_slashes=False, default=_nothing)
        shown = [Route(path, endpoint=resource) for path, resource in pages().items()]
        whole: Any = Router([*shown, Mount("/api", app=below)], redirect_slashes=False, default=_nothing)
        self.api: ASGIApp = Door(house, below)
        alone: Any = Router([Route("/", endpoint=RESOURCES["/metrics"])], redirect_slashes=False, default=_nothing)
        self.metrics: ASGIApp = Door(house, alone)
        self._door = Door(house, whole, slash=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._door(scope, receive, send)


class Door:
    """Finds out what part of the path is ours, and sends what a resource raises as a problem.

    Args:
        house: What all requests share.
        router: Starlette's, which sees the path below the mount alone.
        slash: The mount itself is a folder, so its address ends with a slash.
    """

    def __init__(self, house: House, router: ASGIApp, *, slash: bool = False) -> None:
        self._house, self._router, self._slash = house, router, slash

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
            return
        if scope["type"] != "http":
            raise RuntimeError(f"the dashboard answers requests, not {scope['type']!r}: mount it in an app")
        exchange = Exchange(self._house, {**scope}, receive)
        try:
            await self._serve(exchange, receive, send)
        except Problem as why:
            answer = why.answer(exchange.path, exchange.request_id)
            await answer.send(send, without_body=exchange.method == "HEAD")

    async def _serve(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        path = local_path(exchange.scope)
        if not path and self._slash:
            self._house.access.check_open()
            location = (b"location", with_slash(exchange.scope).encode())
            await Answer(308, headers=(location,)).send(send)
            return
        inner = {**exchange.scope, "path": path or "/", "root_path": "", "path_params": {}, EXCHANGE: exchange}
        await self._router(inner, receive, send)


async def _nothing(scope: Scope, _receive: Receive, _send: Send) -> None:
    exchange: Exchange = scope[EXCHANGE]
    await exchange.access.admit(exchange)
    raise nothing_here()
