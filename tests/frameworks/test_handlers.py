"""Limits on handlers of Quart, Litestar and Falcon, written as their people write them."""

from __future__ import annotations

import asyncio
import json

import falcon
import falcon.asgi
import pytest
from litestar import Litestar, Request, get, websocket
from litestar.connection import ASGIConnection, WebSocket
from litestar.handlers.base import BaseRouteHandler
from quart import Quart
from quart import websocket as quart_socket

from nexus_middleware import Nexus, RateLimit, Settings, allow, limit
from tests.connection import Connection
from tests.helpers import ASGIDoor, WSGIDoor


def quart():
    app = Quart(__name__)

    @app.get("/limited")
    @limit("2/minute")
    async def limited():
        return "ok"

    @app.get("/plain")
    @limit("2/minute")
    async def plain():
        return "ok"

    @app.get("/sync")
    @limit("2/minute")
    def sync():
        return "ok"

    @app.websocket("/live")
    @limit("1/minute")
    async def live():
        await quart_socket.accept()

    @app.get("/asked")
    async def asked():
        from quart import request

        return str((await allow(request, "1/minute")).allowed)

    return app


def litestar():
    @get("/limited")
    @limit("2/minute")
    async def limited(request: Request) -> dict[str, bool]:
        return {"ok": True}

    @limit("2/minute", name="plain")
    async def guard(connection: ASGIConnection, handler: BaseRouteHandler) -> None: ...

    @get("/plain", guards=[guard])
    async def plain() -> dict[str, bool]:
        return {"ok": True}

    @websocket("/live")
    @limit("1/minute")
    async def live(socket: WebSocket) -> None:
        await socket.accept()

    @get("/asked")
    async def asked(request: Request) -> str:
        return str((await allow(request, "1/minute")).allowed)

    return Litestar([limited, plain, live, asked])


class Limited:
    @limit("2/minute", name="limited")
    async def on_get(self, req, resp):
        resp.text = "ok"


@limit("2/minute", name="plain")
async def hook(req, resp, resource, params): ...


@falcon.before(hook)
class Hooked:
    async def on_get(self, req, resp):
        resp.text = "ok"


class Asked:
    async def on_get(self, req, resp):
        resp.text = str((await allow(req, "1/minute")).allowed)


class Live:
    @limit("1/minute", name="live")
    async def on_websocket(self, req, ws):
        await ws.accept()


def falcon_asgi():
    app = falcon.asgi.App()
    for path, resource in (("/limited", Limited()), ("/plain", Hooked()), ("/asked", Asked()), ("/live", Live())):
        app.add_route(path, resource)
    return app


@pytest.fixture(autouse=True)
def _fresh():
    """Handlers that know no layers around them count in this process, in one place."""
    from nexus_middleware.middleware import handlers

    handlers.HERE.forget()


@pytest.fixture(params=[quart, litestar, falcon_asgi])
def app(request):
    return request.param()


@pytest.mark.parametrize("path", ["/limited", "/plain"])
@pytest.mark.parametrize("inside", [False, True])
def test_a_handler_is_limited_by_decorator_guard_and_hook(app, path, inside):
    door = ASGIDoor()
    around = RateLimit(app, "99/minute", headers="none") if inside else app
    seen = [door.get(around, path) for _ in range(3)]

    assert [each.status for each in seen] == [200, 200, 429]
    assert b"ok" in seen[0].body
    headers = seen[2].headers
    assert (headers["retry-after"], headers["ratelimit"]) == ("60", f'"{path[1:]}";r=0;t=60')
    assert headers["content-type"].startswith(("application/problem+json", "application/json"))
    assert json.loads(seen[2].body)["detail"] == "Too many requests: try again in 60 s."
    assert door.get(around, path, client="203.0.113.8").status == 200
    door.close()


def test_a_handler_may_ask_whether_one_more_call_is_allowed(app):
    door = ASGIDoor()
    assert [door.get(app, "/asked").body for _ in range(2)] == [b"True", b"False"]
    door.close()


def test_a_websocket_that_comes_too_often_is_not_accepted(app):
    async def sent(scope, receive, send):
        scope.pop("method")  # no server sends one with a handshake
        await app(scope, receive, send)

    async def handshake():
        server = Connection(sent, type="websocket", scheme="ws", path="/live")
        server.tell(type="websocket.connect")
        told = await server.hear()
        server.tell(type="websocket.disconnect", code=1000)
        await asyncio.wait([server.task], timeout=5)
        return told["type"]

    async def both():
        return [await handshake(), await handshake()]

    first, second = asyncio.run(both())
    assert first == "websocket.accept"
    assert second in ("websocket.close", "websocket.http.response.start")


def test_a_view_of_quart_that_is_not_async_too():
    async def three():
        client = quart().test_client()
        return [(await client.get("/sync")).status_code for _ in range(3)]

    assert asyncio.run(three()) == [200, 200, 429]


def test_falcon_under_wsgi_too():
    @limit("2/minute", name="plain")
    def plain_hook(req, resp, resource, params): ...

    class Plain:
        @limit("2/minute", name="limited")
        def on_get(self, req, resp):
            resp.text = "ok"

        @falcon.before(plain_hook)
        def on_post(self, req, resp):
            resp.text = "ok"

    app, door = falcon.App(), WSGIDoor()
    app.add_route("/", Plain())
    around = Nexus(app, Settings(rate_limit="", namespace="falcon-wsgi"))
    for method in ("GET", "POST"):
        seen = [door.get(around, method=method) for _ in range(3)]
        assert [each.status for each in seen] == [200, 200, 429]
        assert seen[2].headers["content-type"] == "application/problem+json"
    around.runtime.close()
