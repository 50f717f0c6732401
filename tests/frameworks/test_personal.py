"""No answer that was made for one caller reaches another, whatever framework made it and however it says so."""

from __future__ import annotations

import asyncio

import pytest

from nexus_middleware.middleware.response_cache import ResponseCache
from tests.frameworks import personal
from tests.helpers import ASGIDoor, WSGIDoor

MAKES = [*((ASGIDoor, make) for make in personal.ASGI), *((WSGIDoor, make) for make in personal.WSGI)]
CREDENTIALS = {
    "cookie": lambda who: [("cookie", f"user={who}")],
    "authorization": lambda who: [("authorization", f"Bearer {who}")],
    "key": lambda who: [("x-api-key", who)],
}
ORDERS = [("alice", "bob", "nobody", "alice", "bob"), ("nobody", "alice", "bob", "nobody", "alice")]
MORE = [[], [], [], [("range", "bytes=0-3")], [("if-none-match", '"0"')]]
EVERYONE = {"alice", "bob", "nobody"}


@pytest.fixture(params=MAKES, ids=[make.__name__ for _, make in MAKES])
def served(request):
    kind, make = request.param
    app = ResponseCache(make())
    door = kind()
    yield door, app
    door.close()


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order[0] + " first")
@pytest.mark.parametrize("credential", CREDENTIALS)
def test_no_byte_of_one_callers_answer_reaches_another(served, credential, order):
    door, app = served
    for number, shape in enumerate(personal.NAMES):
        if credential == "authorization" and shape in personal.FOR_ALL:
            continue
        app.pages.clear()
        for who, more in zip(order, MORE, strict=True):
            headers = CREDENTIALS[credential](who) if who != "nobody" else []
            seen = door.get(app, f"/{number}", headers=[*headers, *more])
            told = seen.headers["x-owner"].encode() + seen.body
            assert who.encode() in told, (shape, who, told[:80])
            assert not any(other.encode() in told for other in EVERYONE - {who}), (shape, who, told[:80])


def test_no_byte_reaches_another_when_all_ask_at_the_same_time():
    door = ASGIDoor()
    app = ResponseCache(personal.starlette())
    callers = ["alice", "bob", "nobody"] * 20

    async def all_at_once(number):
        asked = [CREDENTIALS["cookie"](who) if who != "nobody" else [] for who in callers]
        return await asyncio.gather(*[door.aget(app, f"/{number}", headers=headers) for headers in asked])

    for number in range(len(personal.NAMES)):
        for who, seen in zip(callers, door.loop.run_until_complete(all_at_once(number)), strict=True):
            assert seen.headers["x-owner"] == who
    door.close()
