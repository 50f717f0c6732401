"""Share the ASGI lifespan with a wrapped app, whether or not it speaks it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from .http import ASGIApp, Message, Receive, Scope, Send

Hook = Callable[[], Awaitable[None]]


async def lifespan(app: ASGIApp, scope: Scope, receive: Receive, send: Send, *, start: Hook, stop: Hook) -> None:
    """Run `start` before the app's start-up and `stop` after its shut-down.

    An app that ends or raises before it has answered the start-up is one without a lifespan (ASGI specification,
    "Lifespan Protocol"); then this answers in its place, and `stop` still runs.
    """
    told: list[str] = []  # the types of what the server has told the app
    said: list[str] = []  # the types of what the app has told the server

    async def receive_noted() -> Message:
        message = await receive()
        told.append(message["type"])
        if message["type"] == "lifespan.startup":
            await start()
        return message

    async def send_noted(message: Message) -> None:
        said.append(message["type"])
        if message["type"].startswith("lifespan.shutdown") or message["type"] == "lifespan.startup.failed":
            await stop()
        await send(message)

    try:
        await app(scope, receive_noted, send_noted)
    except Exception:
        if said:
            if said == ["lifespan.startup.complete"]:
                await stop()
            raise
    if said:
        return
    if not told:
        await receive_noted()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await stop()
    await send({"type": "lifespan.shutdown.complete"})
