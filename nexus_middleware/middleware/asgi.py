"""The ASGI door: runs a chain as an ASGI app."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from ..errors import StoreError
from ..http import FAILED, Head, Message, Receive, Reply, Scope, Send, problem
from ..lifespan import lifespan
from .chain import Chain, log
from .passage import PATIENCE, Flow, Passage, Want
from .requests import STATE, ASGIRequest, asgi_request

if TYPE_CHECKING:
    from ..stores.commands import Command
    from .layer import Layer

REQUESTS = frozenset(("http", "websocket"))
STARTS = frozenset(("http.response.start", "websocket.http.response.start"))
BODIES = frozenset(("http.response.body", "websocket.http.response.body"))
LASTS = frozenset(("http.response.pathsend", "websocket.close"))
GONE = {"type": "http.disconnect"}


async def serve(layer: Layer[Any], scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as an ASGI app; it is `Layer.__call__`, and one coroutine from the server to the app, for each is dear."""
    chain = layer.compiled or layer.chain
    if scope["type"] not in REQUESTS:
        return await _serve_rest(chain, scope, receive, send)
    passage = _entered(chain, scope, receive, send)
    request = passage.request
    try:
        step = chain.go_in(passage)
        while step is not None and not isinstance(step, Reply):
            step = await passage.wait(step)
        if step is not None:
            await passage.answer(step)
        elif not request.body_limits:
            await chain.asgi_app(request.scope, passage.receive, passage.send_on)
        else:
            await chain.asgi_app(request.scope, passage.receive_metered, passage.send_on)
    except Exception:
        if passage.too_long:
            log.debug("the app failed after its client had been told 413", exc_info=True)
            return None
        if not passage.started and scope["type"] == "http":
            request.notes[FAILED] = True
            await passage.answer(problem(request, 500, "The server failed to answer this request."), last=True)
        raise
    finally:
        if not passage.finished and (commands := passage.finish()):
            await passage.ask(commands)
        if passage.began is not None:  # what it holds holds it, and a circle of objects is dear to free
            passage.began.pop(STATE, None)


async def _serve_rest(chain: Chain, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve what is neither a request nor a websocket: the lifespan, and what is not known yet."""
    if scope["type"] == "lifespan":
        await lifespan(chain.asgi_app, scope, receive, send, start=_nothing, stop=lambda: _close(chain))
    else:
        await chain.asgi_app(scope, receive, send)


def _entered(chain: Chain, scope: Scope, receive: Receive, send: Send) -> ASGIPassage:
    """Begin the passage of a request through `chain`, where the app finds it, or in the one that the app finds."""
    state = scope.get("state")
    if state is None:
        state = scope["state"] = {}
    trace = state.get(STATE)
    if trace is None:
        state[STATE] = passage = ASGIPassage(chain, asgi_request(scope, {}), state, receive=receive, send=send)
    else:
        passage = ASGIPassage(chain, asgi_request(scope, trace.request.notes), None, receive=receive, send=send)
        trace.inside = [*(trace.inside or ()), passage]
    return passage


class ASGIPassage(Passage[ASGIRequest], kw_only=True, eq=False):
    """A passage, and the way back to its client."""

    receive: Receive
    send: Send
    trailers: bool = False
    watched: bool = False  # the body does not go by unseen
    too_long: bool = False  # the body was, and the client has been told
    taken: int = 0  # bytes of the body that have gone by

    async def wait(self, step: Any) -> Any:
        if step is Want.BODY:
            return await self._read_body() or self.advance()
        if isinstance(step, Future):  # shielded: one caller's cancellation must not break the others' promise
            return self.advance(await _kept(step))
        return self.advance(await self.ask(step))

    async def ask(self, commands: list[Command[Any]]) -> list[Any]:
        store = self.chain.store
        try:
            return await store.arun(commands) if store is not None else []
        except StoreError as error:
            return self.chain.store_failed(self, commands, error)

    def send_on(self, message: Message) -> Awaitable[None]:
        """Pass on what the app sends: the head dressed, the body shown to the taps, all else untouched.

        No coroutine of its own where nothing is left to do once the server has the message: each is dear.
        """
        kind = message["type"]
        if kind == "http.response.body" and not self.watched:
            return self.send(message) if message.get("more_body", False) else self._send_last(message)
        if self.too_long:
            return _nothing()
        if kind in STARTS:
            message = self._dressed(message)
            return self.send(message) if self.instead is None else self._send_instead(message, self.instead)
        return self._send_rest(kind, message)

    async def _send_last(self, message: Message) -> None:
        await self.send(message)
        if commands := self.finish():
            await self.ask(commands)

    async def _send_rest(self, kind: str, message: Message) -> None:
        """Pass on what is no head, nor a body that nobody looks at."""
        last = False
        if kind in BODIES:
            ended = not message.get("more_body", False)
            last = ended and not self.trailers
            if self.flow is not None:
                await self._show(self.flow, message.get("body", b""), ended=ended)
        elif kind == "websocket.accept":
            self.status = 101
        else:
            last = kind in LASTS or (kind == "http.response.trailers" and not message.get("more_trailers", False))
        if self.instead is None:
            await self.send(message)
        if last and (commands := self.finish()):
            await self.ask(commands)

    async def _send_instead(self, start: Message, body: bytes) -> None:
        if self.tail is not None:
            await self._show(self.tail, body, ended=True)
        await self.send(start)
        await self.send({"type": start["type"].replace("start", "body"), "body": body})

    async def _show(self, flow: Flow, chunk: bytes, *, ended: bool) -> None:
        if commands := flow.show(chunk, ended=ended):
            await self.ask(commands)

    def _dressed(self, message: Message) -> Message:
        headers = [*message.get("headers", ())]
        for name, _ in headers:
            if not name.islower():
                headers = [(name.lower(), value) for name, value in headers]
                break
        head = Head(message["status"], headers)
        self.started = True  # whatever comes of it: a step that fails shall not be run again
        if not self.chain.go_out(self, head):
            self.watched = True
        start = {"type": message["type"], "status": head.status, "headers": head.headers}
        if len(message) == 3:  # nearly always: no trailers, nor what is not known yet
            return start
        self.trailers = message.get("trailers", False)
        self.watched = self.watched or self.trailers
        return {**message, **start}

    async def answer(self, reply: Reply, *, last: bool = False) -> None:
        scope = self.request.scope
        prefix = "http"
        if scope["type"] == "websocket":
            await self.receive()  # websocket.connect
            if "websocket.http.response" not in scope.get("extensions", {}):
                self.status = reply.status
                await self.send({"type": "websocket.close", "code": 1008})
                return
            prefix = "websocket.http"
        head = reply.head()
        self.started = True  # whatever comes of it: a step that fails shall not be run again
        if not (self.chain.go_out(self, head) if self.cutter is None else self.dress(head)):
            self.watched = True
        if last and scope.get("http_version", "").startswith("1"):
            head.set(b"connection", b"close")  # servers close it when the app has failed: no next call shall be lost
        start = {"type": f"{prefix}.response.start", "status": head.status, "headers": head.headers}
        await (self.send(start) if self.instead is None else self._send_instead(start, self.instead))
        await self.send_on({"type": f"{prefix}.response.body", "body": reply.body})
        if reply.again:
            self._repeat()

    async def _read_body(self) -> Reply | None:
        """Hold the request's body, and give it to the app again; return the refusal of one that is too long."""
        request, binds, held = self.request, self.binds, list[Message]()
        source = self if binds else self._source
        size, more = 0, True
        while more and size <= self.room:
            message = await source.receive()
            held.append(message)
            size += len(message.get("body", b""))
            more = message["type"] == "http.request" and message.get("more_body", False)
            if binds and (refused := self.cut(size)) is not None:
                return refused
        if held[-1]["type"] == "http.request" and size <= self.room:
            request.body = b"".join([message.get("body", b"") for message in held])
        held.reverse()
        receive = source.receive

        async def replay() -> Message:
            return held.pop() if held else await receive()

        source.receive = replay
        return None

    @property
    def _source(self) -> ASGIPassage:
        """The passage through whose hands the body goes first, of those directly around this one that meter it."""
        source = self
        while isinstance(outer := getattr(source.receive, "__self__", None), ASGIPassage):
            source = outer
        return source

    async def receive_metered(self) -> Message:
        message = await self.receive()
        self.taken += len(message.get("body", b""))
        refused = self.cut(self.taken)
        if refused is None:
            return message
        if not self.started:
            await self.answer(refused)
        self.too_long = self.watched = True
        return GONE

    def _repeat(self) -> None:
        """Run the request once more, from the layer that answered inward; nobody sees the response."""
        scope = self.request.scope
        state = {key: value for key, value in scope["state"].items() if key != STATE}
        layer = self.chain.layers[self.depth]
        twin = {**scope, "state": state, "nexus.again": True}
        task = asyncio.get_running_loop().create_task(layer(twin, _no_body, _nowhere))
        self.chain.background.add(task)  # the loop itself keeps only a weak reference
        task.add_done_callback(self.chain.ended)


async def _kept(promise: Future[Any]) -> Any:
    """Return the outcome of a promise; None if it takes too long."""
    try:
        return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(promise)), PATIENCE)
    except TimeoutError:
        return None


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _nowhere(message: Message) -> None: ...


async def _nothing() -> None: ...


async def _close(chain: Chain) -> None:
    for layer in chain.layers:
        if layer.store is not None and layer.owns_store:
            await layer.store.aclose()
