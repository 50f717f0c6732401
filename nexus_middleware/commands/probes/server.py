"""A server's side of one request, with an app of the probe's own behind the stack that is tried."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self, TypeAlias

from ...http import ASGIApp, Message, Receive, Scope, Send

PATIENCE = 5.0  # seconds until a message that does not come counts as held back
START: Message = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/plain"), (b"cache-control", b"no-store")],
}


class Broken(Exception):
    """What came instead of what should have passed."""


def body(chunk: bytes, *, more: bool = False) -> Message:
    """Return a piece of a response's body."""
    return {"type": "http.response.body", "body": chunk, "more_body": more}


def must(held: object, otherwise: str) -> None:
    """Raise `Broken(otherwise)` unless `held`."""
    if not held:
        raise Broken(otherwise)


class Connection:
    """One request, message by message; a block in which it is open, and after which nothing of it runs."""

    def __init__(self, app: ASGIApp, scope: Scope, patience: float, see: Callable[[Message], None]) -> None:
        self._inbox, self._outbox = asyncio.Queue[Message](), asyncio.Queue[Message]()
        self._patience, self._see = patience, see
        if scope["type"] == "http" and scope["method"] == "GET":
            self.tell(type="http.request", body=b"", more_body=False)
        self.task = asyncio.ensure_future(_run(app, scope, self._inbox.get, self._outbox.put))

    def tell(self, **message: Any) -> None:
        """Say something to the app."""
        self._inbox.put_nowait(message)

    async def hear(self, kind: str) -> Message:
        """Return the app's next message.

        Raises:
            Broken: it is of another type, or none comes.
        """
        getter = asyncio.ensure_future(self._outbox.get())
        await asyncio.wait({getter, self.task}, return_when=asyncio.FIRST_COMPLETED, timeout=self._patience)
        await asyncio.sleep(0)  # both may have ended: the message is then the one to hear
        if not getter.done():
            getter.cancel()
            must(self.task.done(), f"{kind} is held back")
            if error := self.task.exception():
                raise error
            raise Broken(f"{kind} never came")
        message = getter.result()
        self._see(message)
        must(message["type"] == kind, f"{message['type']} came in place of {kind}")
        return message

    async def end(self) -> None:
        """Wait until the app has ended."""
        done, _ = await asyncio.wait({self.task}, timeout=self._patience)
        must(done, "the app is never heard to end")
        self.task.result()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})
        if not self.task.cancelled():
            self.task.exception()  # seen


async def _run(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


class Stage:
    """Where one probe plays: the stack, and whether it let a request through to the app.

    Args:
        wrap: Puts the stack around an app.
        scope: What a request has besides: `path`, `headers`, `client`.
        patience: Seconds for each message.
    """

    def __init__(
        self, wrap: Callable[[ASGIApp], ASGIApp], scope: Scope | None = None, *, patience: float = PATIENCE
    ) -> None:
        self._wrap, self._scope, self.patience = wrap, scope or {}, patience
        self.reached = False
        self.status: int | None = None  # of the last response's head

    def wrapped(self, app: ASGIApp) -> ASGIApp:
        """Put the stack around `app`."""

        async def reached(scope: Scope, receive: Receive, send: Send) -> None:
            self.reached = self.reached or scope["type"] != "lifespan"
            await app(scope, receive, send)

        return self._wrap(reached)

    def scope(self, **scope: Any) -> Scope:
        """Return the scope of a request."""
        base: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
        }
        base |= {"method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "scheme": "http", "root_path": ""}
        base |= {"client": ("203.0.113.7", 1), "server": ("example.org", 80), "headers": [(b"host", b"example.org")]}
        base |= {"state": {}, "extensions": {}, **self._scope}
        base["headers"] = [*base["headers"], *scope.pop("headers", ())]
        return {**base, **scope}

    def open(self, app: ASGIApp, **scope: Any) -> Connection:
        """Send `app`, behind the stack, a request."""
        return Connection(self.wrapped(app), self.scope(**scope), self.patience, self._see)

    def _see(self, message: Message) -> None:
        self.status = message.get("status", self.status)


Probe: TypeAlias = Callable[[Stage], Awaitable[None]]
