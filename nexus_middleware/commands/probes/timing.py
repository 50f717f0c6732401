"""Five probes of when things happen: nothing is gathered up, nobody is held, who leaves is missed."""

from __future__ import annotations

import asyncio

from ...http import Receive, Scope, Send
from .server import START, Broken, Probe, Stage, body, must


async def a_stream_flushes_chunk_by_chunk(stage: Stage) -> None:
    """The first chunk is out before the second exists."""
    go_on = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send(body(b"one", more=True))
        await go_on.wait()
        await send(body(b"two"))

    async with stage.open(app) as server:
        await server.hear("http.response.start")
        must((await server.hear("http.response.body"))["body"] == b"one", "another first chunk came")
        go_on.set()
        must((await server.hear("http.response.body"))["body"] == b"two", "another second chunk came")


async def an_upload_reaches_the_app_chunk_by_chunk(stage: Stage) -> None:
    """The first chunk is in before the second exists."""
    first = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        must((await receive()).get("body") == b"one", "the app heard something else first")
        first.set()
        must((await receive()).get("body") == b"two", "the app heard something else then")
        await send({**START, "status": 201})
        await send(body(b""))

    async with stage.open(app, method="POST", headers=[(b"content-type", b"application/octet-stream")]) as server:
        server.tell(type="http.request", body=b"one", more_body=True)
        arrived = asyncio.ensure_future(first.wait())
        await asyncio.wait({arrived, server.task}, return_when=asyncio.FIRST_COMPLETED, timeout=stage.patience)
        arrived.cancel()
        must(first.is_set(), "the first chunk is held back until the second is there")
        server.tell(type="http.request", body=b"two", more_body=False)
        await server.hear("http.response.start")


async def work_after_the_body_does_not_hold_the_client(stage: Stage) -> None:
    """The last chunk is out while the app still runs."""
    go_on = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send(body(b"whole"))
        await go_on.wait()

    async with stage.open(app) as server:
        await server.hear("http.response.start")
        must(not (await server.hear("http.response.body")).get("more_body"), "the end of the body is held back")
        go_on.set()
        await server.end()


async def the_app_sees_a_client_that_leaves(stage: Stage) -> None:
    """`http.disconnect` reaches the app in the middle of its answer."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(START)
        await send(body(b"first", more=True))
        must((await receive())["type"] == "http.disconnect", "the app heard something else")

    async with stage.open(app) as server:
        await server.hear("http.response.start")
        await server.hear("http.response.body")
        server.tell(type="http.disconnect")
        await server.end()


async def the_app_s_own_exception_reaches_the_server(stage: Stage) -> None:
    """The same exception, neither swallowed nor wrapped."""
    failure = LookupError("the app's own")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise failure

    async with stage.open(app) as server:
        try:
            await server.end()
        except LookupError as error:
            must(error is failure, "another LookupError came")
        except Exception as error:
            raise Broken(f"{type(error).__name__} came in its place") from error
        else:
            raise Broken("it was swallowed")


TIMING: tuple[Probe, ...] = (
    a_stream_flushes_chunk_by_chunk,
    an_upload_reaches_the_app_chunk_by_chunk,
    work_after_the_body_does_not_hold_the_client,
    the_app_sees_a_client_that_leaves,
    the_app_s_own_exception_reaches_the_server,
)
