"""Twelve probes of transparency: what an app and its server say to each other passes every layer and the whole stack."""

import asyncio
import contextvars

import pytest

from nexus_middleware import (
    CORS,
    APIKey,
    BodyLimit,
    IPFilter,
    Nexus,
    RateLimit,
    RequestID,
    RequestLogger,
    RequestTiming,
    ResponseCache,
    SecurityHeaders,
    Settings,
    TrustedProxies,
)
from nexus_middleware.http import Head, Request
from nexus_middleware.middleware.layer import Layer
from tests.connection import START, Connection, body

MARK = contextvars.ContextVar("mark", default="none")


class Reader(Layer):
    """Reads bodies, but not those of this type: as a guard would."""

    reads_body = True

    def reads(self, request: Request) -> bool:
        return request.header(b"content-type") != b"application/octet-stream"

    def before(self, request, answer):
        return None


class Tapped(Layer):
    def after(self, request: Request, head: Head):
        return lambda chunk, last: None


STACKS = {
    "nothing": lambda app: app,
    "TrustedProxies": lambda app: TrustedProxies(app, ["10.0.0.0/8"]),
    "RequestID": RequestID,
    "RequestTiming": lambda app: RequestTiming(app, server_timing=True),
    "RequestLogger": lambda app: RequestLogger(app, log=lambda line: None),
    "SecurityHeaders": SecurityHeaders,
    "CORS": lambda app: CORS(app, origins=["https://shop.example"]),
    "APIKey": lambda app: APIKey(app, ["a key"]),
    "IPFilter": lambda app: IPFilter(app, deny=["198.51.100.0/24"]),
    "BodyLimit": BodyLimit,
    "RateLimit": RateLimit,
    "ResponseCache": ResponseCache,
    "Reader": Reader,
    "Tapped": Tapped,
    "six fused": lambda app: RequestID(SecurityHeaders(IPFilter(BodyLimit(RateLimit(ResponseCache(app)))))),
    "Nexus": lambda app: Nexus(app, Settings()),
    "Nexus with all": lambda app: Nexus(app, Settings(cors_origins=("https://shop.example",), api_keys=("a key",))),
}


@pytest.fixture(params=STACKS)
def wrap(request):
    return STACKS[request.param]


def probe(test):
    """Run a coroutine function as a test, on a loop of its own."""

    def run(wrap):
        asyncio.run(test(wrap))

    run.__name__ = test.__name__
    return run


@probe
async def test_a_stream_flushes_chunk_by_chunk(wrap):
    go_on = asyncio.Event()

    async def app(scope, receive, send):
        await send(START)
        await send(body(b"one", more=True))
        await go_on.wait()
        await send(body(b"two"))

    server = Connection(wrap(app))
    assert (await server.hear())["type"] == "http.response.start"
    assert (await server.hear())["body"] == b"one"
    go_on.set()
    assert (await server.hear())["body"] == b"two"
    await server.task


@probe
async def test_a_path_to_send_passes(wrap):
    async def app(scope, receive, send):
        await send(START)
        await send({"type": "http.response.pathsend", "path": "/etc/hostname"})

    server = Connection(wrap(app), extensions={"http.response.pathsend": {}})
    await server.hear()
    assert await server.hear() == {"type": "http.response.pathsend", "path": "/etc/hostname"}
    await server.task


@probe
async def test_trailers_pass(wrap):
    async def app(scope, receive, send):
        await send({**START, "trailers": True})
        await send(body(b"all"))
        await send({"type": "http.response.trailers", "headers": [(b"digest", b"x")], "more_trailers": False})

    server = Connection(wrap(app), extensions={"http.response.trailers": {}})
    assert (await server.hear())["trailers"] is True
    assert (await server.hear())["body"] == b"all"
    assert (await server.hear())["headers"] == [(b"digest", b"x")]
    await server.task


@probe
async def test_early_hints_and_types_not_known_yet_pass(wrap):
    async def app(scope, receive, send):
        await send({"type": "http.response.early_hint", "links": [b"</style.css>; rel=preload"]})
        await send({"type": "http.response.of_the_future", "field": 1})
        await send(START)
        await send(body(b""))

    server = Connection(wrap(app))
    assert (await server.hear())["links"] == [b"</style.css>; rel=preload"]
    assert (await server.hear())["field"] == 1
    assert (await server.hear())["type"] == "http.response.start"
    await server.hear()
    await server.task


@probe
async def test_websockets_work(wrap):
    async def app(scope, receive, send):
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept", "headers": [(b"x-app", b"1")]})
        message = await receive()
        await send({"type": "websocket.send", "text": message["text"].upper()})
        await receive()

    server = Connection(wrap(app), type="websocket", scheme="ws", subprotocols=[])
    server.tell(type="websocket.connect")
    accepted = await server.hear()
    assert accepted["type"] == "websocket.accept"
    assert (b"x-app", b"1") in accepted["headers"]
    server.tell(type="websocket.receive", text="hello")
    assert (await server.hear())["text"] == "HELLO"
    server.tell(type="websocket.disconnect", code=1000)
    await server.task


@probe
async def test_what_the_lifespan_leaves_in_the_state_is_there_in_requests(wrap):
    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            scope["state"]["pool"] = "open"
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send(START)
        await send(body(scope["state"]["pool"].encode()))

    wrapped, state = wrap(app), {}
    life = Connection(wrapped, type="lifespan", state=state)
    life.tell(type="lifespan.startup")
    assert (await life.hear())["type"] == "lifespan.startup.complete"
    server = Connection(wrapped, state=state.copy())
    await server.hear()
    assert (await server.hear())["body"] == b"open"
    await server.task
    life.tell(type="lifespan.shutdown")
    assert (await life.hear())["type"] == "lifespan.shutdown.complete"
    await life.task


@probe
async def test_context_variables_are_seen_in_the_app_and_outside_of_it(wrap):
    async def app(scope, receive, send):
        assert MARK.get() == "outside"
        MARK.set("inside")
        await send(START)
        await send(body(b""))

    async def server():
        MARK.set("outside")
        sent = []

        async def send(message):
            sent.append(message)

        scope = Connection(wrap(_nothing)).scope
        await wrap(app)({**scope, "state": {}}, _empty, send)
        return MARK.get()

    assert await server() == "inside"


async def _nothing(scope, receive, send):
    await send(START)
    await send(body(b""))


async def _empty():
    return {"type": "http.request", "body": b"", "more_body": False}


@probe
async def test_two_cookies_stay_two(wrap):
    async def app(scope, receive, send):
        await send({**START, "headers": [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]})
        await send(body(b""))

    server = Connection(wrap(app))
    head = await server.hear()
    assert [value for name, value in head["headers"] if name == b"set-cookie"] == [b"a=1", b"b=2"]
    await server.hear()
    await server.task


@probe
async def test_the_app_s_own_exception_reaches_the_server(wrap):
    failure = LookupError("the app's own")

    async def app(scope, receive, send):
        raise failure

    server = Connection(wrap(app))
    await asyncio.wait({server.task}, timeout=5)
    assert server.task.exception() is failure


@probe
async def test_work_after_the_body_does_not_hold_the_client(wrap):
    go_on = asyncio.Event()

    async def app(scope, receive, send):
        await send(START)
        await send(body(b"whole"))
        await go_on.wait()

    server = Connection(wrap(app))
    await server.hear()
    assert await server.hear() == body(b"whole")
    assert not server.task.done()
    go_on.set()
    await server.task


@probe
async def test_the_app_sees_a_client_that_leaves(wrap):
    async def app(scope, receive, send):
        await receive()
        await send(START)
        await send(body(b"first", more=True))
        assert (await receive())["type"] == "http.disconnect"

    server = Connection(wrap(app))
    await server.hear()
    await server.hear()
    server.tell(type="http.disconnect")
    await asyncio.wait_for(server.task, 5)


@probe
async def test_the_first_chunk_of_an_upload_reaches_the_app_before_the_second_exists(wrap):
    first = asyncio.Event()

    async def app(scope, receive, send):
        assert (await receive())["body"] == b"one"
        first.set()
        assert (await receive())["body"] == b"two"
        await send({**START, "status": 201})
        await send(body(b""))

    headers = [(b"host", b"example.org"), (b"content-type", b"application/octet-stream")]
    server = Connection(wrap(app), method="POST", headers=headers)
    server.tell(type="http.request", body=b"one", more_body=True)
    await asyncio.wait_for(first.wait(), 5)
    server.tell(type="http.request", body=b"two", more_body=False)
    assert (await server.hear())["status"] == 201
    await server.hear()
    await server.task
