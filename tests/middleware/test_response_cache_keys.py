"""ResponseCache: what makes another page, so that nobody can plant an answer for others."""

from __future__ import annotations

import pytest

from nexus_middleware import CachePolicy
from nexus_middleware.middleware.response_cache import ResponseCache
from tests.connection import Connection
from tests.helpers import Answer, Origin

TAGGED = [("cache-control", "max-age=10"), ("etag", '"1"')]


def kept(*headers):
    return Origin(lambda path, _: Answer([b"ab", b"cd"], headers=[*headers]))


def test_parameters_that_make_no_other_page_are_left_out_of_the_key(door, clock):
    origin = kept(*TAGGED)
    policy = CachePolicy(ignore_query=("utm_*", "ref"), sort_query=True)
    app = ResponseCache(door.app(origin), clock=clock, policy=policy)
    for query in (b"a=1&b=2", b"b=2&a=1", b"utm_source=x&a=1&b=2", b"ref=3&b=2&a=1&utm%5fid=1"):
        door.get(app, query=query)
    assert len(origin.asked) == 1
    door.get(app, query=b"a=2&b=2")
    assert len(origin.asked) == 2


UNKEYED = [
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-prefix",
    "x-original-url",
    "x-rewrite-url",
    "x-http-method-override",
    "forwarded",
    "origin",
    "x-any",
]


@pytest.mark.parametrize("varies", [True, False])
@pytest.mark.parametrize("name", UNKEYED)
def test_no_header_that_the_key_does_not_hold_poisons_a_page_for_others(door, clock, name, varies):
    """Of a header that no framework heeds by itself, the app must say that it varies by it."""
    varies = varies or name == "x-any"
    origin = Origin(
        lambda path, headers: Answer(
            [headers.get(name, "none").encode()], headers=[*TAGGED, *([("vary", name)] if varies else [])]
        )
    )
    app = ResponseCache(door.app(origin), clock=clock)
    door.get(app, headers=[(name, "evil")])
    assert door.get(app).body == b"none"
    assert door.get(app, headers=[("host", "EXAMPLE.org")]).body == b"none"
    assert len(origin.asked) == 2


def test_two_spellings_of_a_path_are_two_pages(asgi_door, clock):
    origin = Origin(lambda path, headers: Answer([path.encode()], headers=TAGGED))
    app = ResponseCache(origin.asgi, clock=clock)
    for raw, path in ((b"/a%2Fb", "/a/b"), (b"/a/b", "/a/b"), (b"/a%3Fb", "/a?b")):
        connect(asgi_door, app, raw_path=raw, path=path)
    connect(asgi_door, app, raw_path=b"/a", path="/a", query_string=b"b")
    assert len(origin.asked) == 4


def connect(door, app, **scope):
    async def run():
        connection = Connection(app, **scope)
        await connection.hear()
        await connection.task

    door.loop.run_until_complete(run())
