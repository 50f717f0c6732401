"""The ASGI door: runs a chain as an ASGI app."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from ..errors import StoreError
from ..http import Head, Message, Receive, Reply, Scope, Send, problem
from ..lifespan import lifespan
from .chain import Chain, log
from .passage import Flow, Passage, Want
from .requests import STATE, ASGIRequest

if TYPE_CHECKING:
    from ..stores.commands import Command

REQUESTS = frozenset(("http", "websocket"))
STARTS = frozenset(("http.response.start", "websocket.http.response.start"))
BODIES = frozenset(("http.response.body", "websocket.http.response.body"))
LASTS = frozenset(("http.response.pathsend", "websocket.close"))
BUFFER = 500 * 1024  # bytes of a body that are held for `reads_body`, where no layer limits it
GONE = {"type": "http.disconnect"}


async def serve_rest(chain: Chain, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve what is neither a request nor a websocket: the lifespan, and what is not known yet."""
    if scope["type"] == "lifespan":
        await lifespan(chain.asgi_app, scope, receive, send, start=_nothing, stop=lambda: _close(chain))
    else:
        await chain.asgi_app(scope, receive, send)


class ASGIPassage(Passage[ASGIRequest]):
    """A passage, and the way back to its client."""

    _trailers = False
    _plain = False  # the body goes by unseen
    _too_long = False  # the body was, and the client has been told
    _taken = 0  # bytes of the body that have gone by

    def __init__(self, chain: Chain, scope: Scope, receive: Receive, send: Send) -> None:
        self.chain = chain
        self.request = request = ASGIRequest(scope)
        self._receive, self._send = receive, send
        request.enter(self)

    async def run(self) -> None:
        """Serve the request, and tell the layers when it is over, however it ends."""
        request = self.request
        try:
            step = self.advance()
            while step is not None and not isinstance(step, Reply):
                step = await self._wait(step)
            if step is not None:
                await self._answer(step)
            elif request.body_limit is None:
                await self.chain.asgi_app(request.scope, self._receive, self._send_on)
            else:
                await self.chain.asgi_app(request.scope, self._receive_metered, self._send_on)
        except Exception:
            if self._too_long:
                log.debug("the app failed after its client had been told 413", exc_info=True)
                return
            if not self.started and request.scope["type"] == "http":
                await self._answer(problem(request, 500, "The server failed to answer this request."))
            raise
        finally:
            if not self.finished and (commands := self.finish()):
                await self._ask(commands)
            if self.outermost:
                request.leave()

    async def _wait(self, step: Any) -> Any:
        if step is Want.BODY:
            return await self._read_body() or self.advance()
        if isinstance(step, Future):  # shielded: one caller's cancellation must not break the others' promise
            return self.advance(await asyncio.shield(asyncio.wrap_future(step)))
        return self.advance(await self._ask(step))

    async def _ask(self, commands: list[Command[Any]]) -> list[Any]:
        store = self.chain.store
        try:
            return await store.arun(commands) if store is not None else []
        except StoreError as error:
            return self.chain.store_failed(self, commands, error)

    async def _send_on(self, message: Message) -> None:
        """Pass on what the app sends: the head dressed, the body shown to the taps, all else untouched."""
        kind = message["type"]
        if kind == "http.response.body" and self._plain:
            await self._send(message)
            if not message.get("more_body", False) and (commands := self.finish()):
                await self._ask(commands)
        elif self._too_long:
            return
        elif kind in STARTS:
            message = self._dressed(message)
            if self.instead is None:
                await self._send(message)
            else:
                await self._send_instead(message, self.instead)
        else:
            await self._send_rest(kind, message)

    async def _send_rest(self, kind: str, message: Message) -> None:
        """Pass on what is no head, nor a body that nobody looks at."""
        last = False
        if kind in BODIES:
            ended = not message.get("more_body", False)
            last = ended and not self._trailers
            if self.flow is not None:
                await self._show(self.flow, message.get("body", b""), ended=ended)
        elif kind == "websocket.accept":
            self.status = 101
        else:
            last = kind in LASTS or (kind == "http.response.trailers" and not message.get("more_trailers", False))
        if self.instead is None:
            await self._send(message)
        if last and (commands := self.finish()):
            await self._ask(commands)

    async def _send_instead(self, start: Message, body: bytes) -> None:
        if self.tail is not None:
            await self._show(self.tail, body, ended=True)
        await self._send(start)
        await self._send({"type": start["type"].replace("start", "body"), "body": body})

    async def _show(self, flow: Flow, chunk: bytes, *, ended: bool) -> None:
        if commands := flow.show(chunk, ended=ended):
            await self._ask(commands)

    def _dressed(self, message: Message) -> Message:
        self.started = True
        lines = message.get("headers", ())
        head = Head(message["status"], [x if x[0].islower() else (x[0].lower(), x[1]) for x in lines])
        self.dress(head)
        self._trailers = message.get("trailers", False)
        self._plain = self.flow is None and self.instead is None and not self._trailers
        return {**message, "status": head.status, "headers": head.headers}

    async def _answer(self, reply: Reply) -> None:
        scope = self.request.scope
        prefix = "http"
        if scope["type"] == "websocket":
            await self._receive()  # websocket.connect
            if "websocket.http.response" not in scope.get("extensions", {}):
                self.status = reply.status
                await self._send({"type": "websocket.close", "code": 1008})
                return
            prefix = "websocket.http"
        head = reply.head()
        await self._send_on({"type": f"{prefix}.response.start", "status": head.status, "headers": head.headers})
        await self._send_on({"type": f"{prefix}.response.body", "body": reply.body})
        if reply.again:
            self._repeat()

    async def _read_body(self) -> Reply | None:
        """Hold the request's body, and give it to the app again; return the refusal of one that is too long."""
        request, held = self.request, list[Message]()
        limit, size, more = request.body_limit or BUFFER, 0, True
        while more and size <= limit:
            message = await self._receive()
            held.append(message)
            size += len(message.get("body", b""))
            more = message["type"] == "http.request" and message.get("more_body", False)
        if size > limit and request.refuse_body is not None:
            return request.refuse_body(request, limit)
        if held[-1]["type"] == "http.request" and size <= limit:
            request.body = b"".join([message.get("body", b"") for message in held])
        held.reverse()
        receive = self._receive

        async def replay() -> Message:
            return held.pop() if held else await receive()

        self._receive = replay
        return None

    async def _receive_metered(self) -> Message:
        message = await self._receive()
        self._taken += len(message.get("body", b""))
        request = self.request
        if request.body_limit is None or self._taken <= request.body_limit or request.refuse_body is None:
            return message
        if not self.started:
            await self._answer(request.refuse_body(request, request.body_limit))
        self._too_long, self._plain = True, False
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


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _nowhere(message: Message) -> None: ...


async def _nothing() -> None: ...


async def _close(chain: Chain) -> None:
    for layer in chain.layers:
        if layer.store is not None and layer.owns_store:
            await layer.store.aclose()
