"""Seven probes of what is said: every message and header of the protocol passes as it is."""

from __future__ import annotations

import contextvars

from ...http import Message, Receive, Scope, Send
from .server import START, Probe, Stage, body, must

MARK = contextvars.ContextVar("mark", default="none")


async def a_path_to_send_passes(stage: Stage) -> None:
    """`http.response.pathsend`, by which a server sends a file without reading it into Python."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        must("http.response.pathsend" in scope.get("extensions", {}), "the app is not told that the server can")
        await send(START)
        await send({"type": "http.response.pathsend", "path": "/etc/hostname"})

    async with stage.open(app, extensions={"http.response.pathsend": {}}) as server:
        await server.hear("http.response.start")
        must((await server.hear("http.response.pathsend"))["path"] == "/etc/hostname", "another path came")
        await server.end()


async def trailers_pass(stage: Stage) -> None:
    """`http.response.trailers`, after the body."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({**START, "trailers": True})
        await send(body(b"all"))
        await send({"type": "http.response.trailers", "headers": [(b"digest", b"x")], "more_trailers": False})

    async with stage.open(app, extensions={"http.response.trailers": {}}) as server:
        must((await server.hear("http.response.start")).get("trailers"), "the head does not announce them")
        must((await server.hear("http.response.body"))["body"] == b"all", "another body came")
        must((await server.hear("http.response.trailers"))["headers"] == [(b"digest", b"x")], "others came")


async def early_hints_pass(stage: Stage) -> None:
    """What comes before the head, and a message that nobody knows yet."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.early_hint", "links": [b"</style.css>; rel=preload"]})
        await send({"type": "http.response.of_the_future", "field": 1})
        await send(START)
        await send(body(b""))

    async with stage.open(app, extensions={"http.response.early_hint": {}}) as server:
        must((await server.hear("http.response.early_hint"))["links"], "the hint came empty")
        must((await server.hear("http.response.of_the_future"))["field"] == 1, "it was changed")
        await server.hear("http.response.start")


async def websockets_work(stage: Stage) -> None:
    """A handshake with a header of the app's, an echo, a close."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        must((await receive())["type"] == "websocket.connect", "the app is not told of the handshake")
        await send({"type": "websocket.accept", "headers": [(b"x-app", b"1")]})
        message = await receive()
        await send({"type": "websocket.send", "text": message["text"].upper()})
        await receive()

    async with stage.open(app, type="websocket", scheme="ws", subprotocols=[]) as server:
        server.tell(type="websocket.connect")
        must((b"x-app", b"1") in (await server.hear("websocket.accept"))["headers"], "a header of the app's is lost")
        server.tell(type="websocket.receive", text="hello")
        must((await server.hear("websocket.send"))["text"] == "HELLO", "another text came")
        server.tell(type="websocket.disconnect", code=1000)
        await server.end()


async def context_variables_pass_both_ways(stage: Stage) -> None:
    """What is set outside is seen in the app, and what the app sets is seen outside."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        must(MARK.get() == "outside", "what is set outside is not seen in the app")
        MARK.set("inside")
        await send(START)
        await send(body(b""))

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None: ...

    before = MARK.set("outside")
    try:
        await stage.wrapped(app)(stage.scope(), receive, send)
        must(MARK.get() == "inside", "what the app sets is not seen outside")
    finally:
        MARK.reset(before)


async def two_cookies_stay_two(stage: Stage) -> None:
    """Two Set-Cookie lines, in order."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({**START, "headers": [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]})
        await send(body(b""))

    async with stage.open(app) as server:
        head = await server.hear("http.response.start")
        cookies = [value for name, value in head["headers"] if name == b"set-cookie"]
        must(cookies == [b"a=1", b"b=2"], f"{len(cookies)} came, or others")


async def what_the_lifespan_leaves_is_there_in_requests(stage: Stage) -> None:
    """Start-up and shut-down pass, and `scope["state"]` with them."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            scope["state"]["pool"] = "open"
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send(START)
        await send(body(scope["state"].get("pool", "lost").encode()))

    state: dict[str, str] = {}
    async with stage.open(app, type="lifespan", state=state) as life:
        life.tell(type="lifespan.startup")
        await life.hear("lifespan.startup.complete")
        async with stage.open(app, state=state.copy()) as server:
            await server.hear("http.response.start")
            must((await server.hear("http.response.body"))["body"] == b"open", "the state is lost")
        life.tell(type="lifespan.shutdown")
        await life.hear("lifespan.shutdown.complete")
        await life.end()


MESSAGES: tuple[Probe, ...] = (
    a_path_to_send_passes,
    trailers_pass,
    early_hints_pass,
    websockets_work,
    context_variables_pass_both_ways,
    two_cookies_stay_two,
    what_the_lifespan_leaves_is_there_in_requests,
)
