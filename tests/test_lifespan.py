"""The lifespan is shared with an app that has one, and kept for one that has none."""

import asyncio

import pytest

from nexus_middleware.lifespan import lifespan


async def run(app, *messages):
    """Play a server's part; return what it heard, and what was started and stopped."""
    inbox, heard, done = [{"type": f"lifespan.{name}"} for name in messages], [], []

    async def receive():
        if not inbox:
            await asyncio.Event().wait()
        return inbox.pop(0)

    async def send(message):
        heard.append(message["type"].removeprefix("lifespan."))

    async def start():
        done.append("start")

    async def stop():
        done.append("stop")

    await lifespan(app, {"type": "lifespan", "state": {}}, receive, send, start=start, stop=stop)
    return heard, done


def test_an_app_with_a_lifespan_starts_after_and_stops_before_ours():
    order = []

    async def app(scope, receive, send):
        assert (await receive())["type"] == "lifespan.startup"
        order.append("app started")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        order.append("app stopped")
        await send({"type": "lifespan.shutdown.complete"})

    heard, done = asyncio.run(run(app, "startup", "shutdown"))
    assert heard == ["startup.complete", "shutdown.complete"]
    assert done == ["start", "stop"]
    assert order == ["app started", "app stopped"]


async def _raises_at_once(scope, receive, send):
    raise AssertionError("http only")


async def _raises_after_it_heard(scope, receive, send):
    await receive()
    raise KeyError("path")


async def _returns(scope, receive, send):
    return


@pytest.mark.parametrize("app", [_raises_at_once, _raises_after_it_heard, _returns])
def test_an_app_without_a_lifespan_is_answered_for(app):
    heard, done = asyncio.run(run(app, "startup", "shutdown"))
    assert heard == ["startup.complete", "shutdown.complete"]
    assert done == ["start", "stop"]


def test_a_start_that_fails_is_told_to_the_server_and_ours_is_stopped():
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    assert asyncio.run(run(app, "startup")) == (["startup.failed"], ["start", "stop"])
