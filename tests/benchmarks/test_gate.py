"""What a request may cost: steps of the interpreter and trips to Redis, which no load on the machine can change."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

import pytest

from nexus_middleware import RateLimit, ResponseCache, Settings
from nexus_middleware.runtime import Runtime
from nexus_middleware.stores.redis import RedisStore
from tests.benchmarks import subjects
from tests.benchmarks.measure import SCOPE as ASKED
from tests.benchmarks.measure import Race, receive

MOST = {  # bytecodes that are added to a bare Starlette route, in those of such a route: some 5 % above what they are
    "the six layers": 1.37,
    "the six of the name, uncacheable": 1.58,
    "the six of the name, a cache hit": 0.55,
    "the whole stack": 2.1,
    "the whole stack, a cache hit": 1.12,
}


@pytest.fixture
def race():
    """The subjects, and a log that writes nowhere."""
    with (
        asyncio.Runner() as runner,
        contextlib.ExitStack() as stack,
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
    ):
        race, runtime = Race(runner.get_loop()), Runtime(Settings())
        race.asgi("bare", subjects.starlette())
        apps = {"the six layers": subjects.around(subjects.starlette(), subjects.layers(runtime))}
        for name, handler in (("uncacheable", subjects.items), ("a cache hit", subjects.kept_items)):
            named = subjects.named(Runtime(Settings()))
            apps[f"the six of the name, {name}"] = subjects.around(subjects.starlette(handler), named)
        for name, handler in (
            ("the whole stack", subjects.items),
            ("the whole stack, a cache hit", subjects.kept_items),
        ):
            apps[name] = nexus = subjects.stack(handler)
            stack.callback(nexus.runtime.close)
        for name, app in apps.items():
            race.asgi(name, app)
        yield race


def test_no_layer_takes_more_steps_than_it_did(race):
    for subject in race.subjects.values():
        subject.run(1_100)  # every caller is known, every page kept
        subject.count()
    unit = race.subjects["bare"].bytecodes

    adds = {name: round((race.subjects[name].bytecodes - unit) / unit, 2) for name in MOST}

    assert {name: (add, MOST[name]) for name, add in adds.items() if add > MOST[name]} == {}


@pytest.mark.parametrize(
    ("counts", "handler", "trips"),
    [
        (True, subjects.items, 50),  # a limit is one trip, and what cannot be kept takes no other
        (True, subjects.kept_items, 50),  # so is one before a page that is kept
        (False, subjects.kept_items, 0),
    ],
    ids=["a-limit", "a-limit-and-a-hit", "a-hit"],
)
def test_fifty_requests_take_as_many_trips_as_the_server_counts(redis_url, redis_server, counts, handler, trips):
    def reads():
        return redis_server.client.info("stats")["total_reads_processed"]

    async def run():
        store = RedisStore(redis_url, budget=5)
        app = ResponseCache(subjects.starlette(handler), store=store)
        app = RateLimit(app, "100000/minute", store=store) if counts else app

        async def call():
            async def send(message): ...

            await app({**ASKED, "client": ("203.0.113.7", 1), "state": {}}, receive, send)

        for _ in range(20):
            await call()
        await asyncio.sleep(0.3)  # the channel of the purges is joined
        before = reads()
        for _ in range(50):
            await call()
        after = reads()
        await store.aclose()
        return after - before - 1  # of the two looks, one

    assert trips <= asyncio.run(run()) <= trips + 3  # signs of life, one a second
