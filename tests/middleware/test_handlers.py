"""`limit` and `allow` in handlers of Starlette, FastAPI and Flask, sync and async, on both stores."""

from __future__ import annotations

import json

import pytest
from fastapi import FastAPI, Request, WebSocket
from flask import Flask
from flask import request as flask_request
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from nexus_middleware import RateLimit, RateLimits, RequestID, SettingsError, allow, allow_now, by_header, limit
from nexus_middleware.middleware import handlers
from nexus_middleware.stores.memory import MemoryStore
from tests.helpers import Down, WSGIDoor


@pytest.fixture(autouse=True)
def _counts_of_its_own(monkeypatch):
    monkeypatch.setattr(handlers, "HERE", MemoryStore())


def starlette_sync(guard):
    @guard
    def handler(request):
        return PlainTextResponse("ok")

    return Starlette(routes=[Route("/{x}", handler)])


def starlette_async(guard):
    @guard
    async def handler(request):
        return PlainTextResponse("ok")

    return Starlette(routes=[Route("/{x}", handler)])


def fastapi_async(guard):
    app = FastAPI()

    @app.get("/{x}")
    @guard
    async def handler(x: str, request: Request, q: int = 1) -> str:
        return "ok" * q

    return app


def fastapi_sync_without_request(guard):
    app = FastAPI()

    @app.get("/{x}")
    @guard
    def handler(x: str, q: int = 1) -> str:
        return "ok" * q

    return app


def flask_sync(guard):
    app = Flask(__name__)

    @app.get("/<x>")
    @guard
    def handler(x):
        return "ok"

    return app


def flask_async(guard):
    app = Flask(__name__)

    @app.get("/<x>")
    @guard
    async def handler(x):
        return "ok"

    return app


MAKERS = [starlette_sync, starlette_async, fastapi_async, fastapi_sync_without_request, flask_sync, flask_async]


class Bare:
    """A Flask app without layers, as the door wants it."""

    def __init__(self, app):
        self.wsgi = app.wsgi_app


@pytest.fixture
def caller(asgi_door):
    """What makes a GET of an app, of either kind, with layers around it: status, headers, text."""

    def make(app, wrap=None, store=None):
        door, inner = (WSGIDoor(), app.wsgi_app) if isinstance(app, Flask) else (asgi_door, app)
        asgi_door.stores |= {store} - {None}
        layer = wrap(inner) if wrap else Bare(app) if isinstance(app, Flask) else app

        def get(path="/a", query=b"", **headers):
            seen = door.get(layer, path, query=query, headers=[*headers.items()])
            return seen.status, {k.lower(): v for k, v in seen.headers.items()}, seen.body.decode()

        return get

    return make


@pytest.mark.parametrize("make", MAKERS)
def test_a_handler_s_limit_refuses_whoever_calls_it_too_often(make, any_store, caller):
    get = caller(make(limit("2/minute", store=any_store)), store=any_store)

    answers = [get() for _ in range(3)]
    assert [status for status, _, _ in answers] == [200, 200, 429]
    _, headers, text = answers[2]
    assert headers["content-type"] == "application/problem+json"
    assert headers["retry-after"] == "60"
    assert headers["ratelimit-policy"] == '"handler";q=2;w=60'
    assert headers["ratelimit"] == '"handler";r=0;t=60'
    assert json.loads(text)["violated-policies"] == ["handler"]


@pytest.mark.parametrize("make", MAKERS)
def test_a_handler_s_limit_counts_in_the_store_of_the_layers_around_the_app(make, clock, caller):
    store = MemoryStore(clock=clock)
    app = make(limit("1/minute", key=by_header("x-team")))
    get = caller(app, lambda app: RequestID(RateLimit(app, "5/minute", store=store)))

    assert [get(**{"x-team": team})[0] for team in "aab"] == [200, 429, 200]
    assert len(store._counts.kept) == 3
    status, headers, text = get(**{"x-team": "a"})
    assert (status, json.loads(text)["request_id"]) == (429, headers["x-request-id"])


@pytest.mark.parametrize("make", MAKERS)
def test_while_the_store_is_down_a_handler_s_calls_are_counted_in_this_process(make, caller):
    get = caller(make(limit("1/minute", store=Down())))

    assert [get()[0] for _ in range(2)] == [200, 429]


def test_of_several_limits_that_are_used_up_the_longest_wait_is_told(caller, any_store):
    get = caller(starlette_async(limit("1/minute;1/hour", store=any_store)), store=any_store)
    get()

    _, headers, text = get()
    assert (headers["retry-after"], headers["ratelimit"]) == ("3600", '"handler-3600s";r=0;t=3600')
    assert json.loads(text)["violated-policies"] == ["handler-60s", "handler-3600s"]


def test_a_fastapi_handler_keeps_its_own_parameters(caller):
    app = fastapi_sync_without_request(limit("5/minute"))

    assert caller(app)("/a", b"q=2")[2] == '"okok"'
    assert [p["name"] for p in app.openapi()["paths"]["/{x}"]["get"]["parameters"]] == ["x", "q"]


def test_two_handlers_of_one_limit_count_apart(caller):
    guard = limit("1/minute")

    @guard
    async def one(request):
        return PlainTextResponse("ok")

    @guard
    async def two(request):
        return PlainTextResponse("ok")

    get = caller(Starlette(routes=[Route("/1", one), Route("/2", two)]))
    assert [get(path)[0] for path in ("/1", "/2", "/1")] == [200, 200, 429]


def test_a_websocket_over_the_limit_is_closed(asgi_door):
    app = FastAPI()

    @app.websocket("/ws")
    @limit("1/minute")
    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("hello")
        await websocket.close()

    def said():
        sent = []

        async def receive():
            return {"type": "websocket.connect"}

        async def send(message):
            sent.append((message["type"], message.get("code")))

        scope = {"type": "websocket", "path": "/ws", "headers": [], "query_string": b"", "client": ("203.0.113.7", 1)}
        asgi_door.loop.run_until_complete(app(scope, receive, send))
        return sent

    assert said()[0] == ("websocket.accept", None)
    assert said() == [("websocket.close", 1008)]


def test_allow_says_what_is_left_in_an_async_handler(any_store, caller):
    async def handler(request):
        said = await allow(request, RateLimits.AUTH, store=any_store)
        return PlainTextResponse(f"{said.allowed} {said.remaining}")

    get = caller(Starlette(routes=[Route("/a", handler)]), store=any_store)
    assert [get()[2] for _ in range(6)] == ["True 4", "True 3", "True 2", "True 1", "True 0", "False 0"]


def test_allow_now_says_it_in_flask(any_store, caller):
    app = Flask(__name__)

    @app.get("/a")
    def handler():
        said = allow_now(flask_request, "9/hour;2/minute", cost=2, store=any_store)
        free = allow_now(flask_request, "1/minute", key=lambda request: None, store=any_store)
        return f"{said.allowed} {said.remaining} {free.allowed}"

    get = caller(app)
    assert [get()[2] for _ in range(2)] == ["True 0 True", "False 0 True"]


def test_a_limit_that_cannot_be_read_is_told_where_it_is_written():
    with pytest.raises(SettingsError, match="must be like"):
        limit("often")(lambda request: None)


def test_a_handler_that_gets_no_request_says_so():
    with pytest.raises(SettingsError, match="let it take `request`"):
        limit("1/minute")(lambda: None)()
