"""ResponseCache: what RFC 9111 and its companions say of parts, changes, rules and purges."""

from __future__ import annotations

import asyncio

import pytest

from nexus_middleware import CachePolicy, CacheRule, SettingsError
from nexus_middleware.middleware.layer import Layer
from nexus_middleware.middleware.response_cache import ResponseCache
from nexus_middleware.stores.purges import Purge
from tests.connection import START, Connection, body
from tests.helpers import Answer, Origin

TAGGED = [("cache-control", "max-age=10"), ("etag", '"1"'), ("x-kept", "1")]


def kept(*headers, **more):
    return Origin(lambda path, _: Answer([b"ab", b"cd"], headers=[*headers], **more))


def test_parts_and_the_head_of_what_is_kept_are_given(door, clock):
    origin = kept(*TAGGED)
    app = ResponseCache(door.app(origin), clock=clock)
    door.get(app)

    part = door.get(app, headers=[("range", "bytes=1-2")])
    assert (part.status, part.body, part.headers["content-range"]) == (206, b"bc", "bytes 1-2/4")
    assert door.get(app, headers=[("range", "bytes=9-")]).status == 416
    assert door.get(app, headers=[("range", "bytes=0-0,2-3")]).body == b"abcd"
    assert door.get(app, headers=[("range", "bytes=0-1"), ("if-range", '"0"')]).body == b"abcd"
    head = door.get(app, method="HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "4")
    assert len(origin.asked) == 1


@pytest.mark.parametrize(("status", "asked"), [(200, 4), (302, 4), (500, 3)])
def test_a_change_that_succeeds_drops_the_page_and_those_it_names(door, clock, status, asked):
    origin = kept(*TAGGED)
    app = ResponseCache(door.app(origin), clock=clock)
    for path in ("/items", "/items/1"):
        door.get(app, path)
    origin.say = lambda path, headers: Answer([b"x"], status, [("location", "/items/1"), ("content-location", "//x/")])
    door.get(app, "/items", method="POST")
    origin.say = lambda path, headers: Answer([b"x"], headers=TAGGED)
    door.get(app, "/items/1")

    assert len(origin.asked) == asked


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
def test_safe_methods_drop_nothing(door, clock, method):
    origin = kept(*TAGGED)
    app = ResponseCache(door.app(origin), clock=clock)
    door.get(app)
    door.get(app, method=method)
    assert len(app.pages) == 1


def test_a_rule_s_key_keeps_each_caller_s_answer_apart_and_none_of_it_none(door, clock):
    origin = Origin(lambda path, headers: Answer([headers.get("cookie", "-").encode()]))
    rule = CacheRule("/mine", ttl=60, key=lambda request: (request.header(b"cookie") or b"").decode() or None)
    app = ResponseCache(door.app(origin), clock=clock, rules=[rule])
    for who in ("u=a", "u=b", "u=a"):
        assert door.get(app, "/mine", headers=[("cookie", who)]).body == who.encode()
    assert len(origin.asked) == 2
    for _ in range(2):
        assert door.get(app, "/mine").body == b"-"
    assert len(origin.asked) == 4


@pytest.mark.parametrize("name", ["Cookie", "authorization", "X-API-Key"])
def test_a_rule_that_would_keep_personal_pages_for_all_must_name_its_key(name):
    with pytest.raises(SettingsError, match="say whose it is by key="):
        CacheRule("/mine", ttl=60, vary=(name,))


def test_tags_of_rules_and_answers_are_purged_and_go_no_further(door, clock):
    origin = kept(*TAGGED, ("surrogate-key", "a b"))
    app = ResponseCache(door.app(origin), clock=clock, rules=[CacheRule("/c/*", tags=("courses",))])
    for number, tag in enumerate(("a", "b", "courses"), 1):
        assert "surrogate-key" not in door.get(app, "/c/1").headers
        assert app.pages.apply(Purge(number, "tag", tag)) == 1
    assert len(origin.asked) == 3


class Nonce(Layer):
    def before(self, request, answer):
        request.notes["csp_nonce"] = "r4nd0m"


def test_a_page_with_a_nonce_is_never_kept(door, clock):
    origin = kept(*TAGGED)
    app = Nonce(door.inner(ResponseCache(door.app(origin), clock=clock)))
    for _ in range(2):
        door.get(app)
    assert len(origin.asked) == 2


LOOKS = {
    "decodes it": lambda value: value.decode(),
    "compares it": lambda value: value == b"u=a",
    "looks it up": lambda value: {b"u=a": 1}[value],
    "takes a letter": lambda value: value[0],
    "takes a part": lambda value: value[2:],
    "does nothing": lambda value: None,
}


@pytest.mark.parametrize("look", [*LOOKS])
def test_strict_keeps_no_answer_to_a_request_whose_cookie_the_app_looked_at(asgi_door, clock, look):
    calls = []
    asked = 1 if look == "does nothing" else 2

    async def app(scope, receive, send):
        calls.append(scope)
        LOOKS[look](dict(scope["headers"])[b"cookie"])
        await send({**START, "headers": [(b"cache-control", b"max-age=60")]})
        await send(body(b"page"))

    cache = ResponseCache(app, clock=clock, policy=CachePolicy(cookies=True, strict=True))
    for _ in range(2):
        asgi_door.get(cache, headers=[("cookie", "u=a")])
    assert len(calls) == asked


@pytest.mark.parametrize("credential", ["cookie", "authorization"])
def test_strict_keeps_no_answer_to_a_request_whose_credentials_may_be_read_and_all_others(door, clock, credential):
    """Here the app reads all headers. A WSGI environ is a plain dict of plain strings: nobody can watch who reads it."""
    origin = kept(("cache-control", "public, max-age=60"))
    cache = ResponseCache(door.app(origin), clock=clock, policy=CachePolicy(cookies=True, strict=True))
    for _ in range(2):
        assert door.get(cache, headers=[(credential, "alice")]).body == b"abcd"
    assert len(origin.asked) == 2
    for _ in range(2):
        door.get(cache)
    assert len(origin.asked) == 3
    assert type(origin.scope) is dict
    assert {type(value) for key, value in origin.scope.items() if key.startswith("HTTP_")} <= {str}


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ([], "it does not say how long it is fresh"),
        ([("cache-control", "private")], "it says private"),
        ([("cache-control", "no-store")], "it says no-store"),
        ([("cache-control", "max-age=60"), ("set-cookie", "a=1")], "it sets a cookie"),
        ([("cache-control", "max-age=60"), ("vary", "*")], "it varies by everything"),
        ([("cache-control", "max-age=0")], "it is stale at once"),
    ],
)
def test_a_decision_says_why_an_answer_was_not_kept(asgi_door, clock, headers, why):
    seen = []

    class Reader(Layer):
        def done(self, request, status):
            seen.append(app.why(request))

    origin = kept(*headers)
    app = ResponseCache(origin.asgi, clock=clock)
    asgi_door.get(Reader(app))
    assert seen == [why]


def test_the_first_byte_of_a_slow_answer_is_not_held_back(asgi_door, clock):
    gate = asyncio.Event()

    async def app(scope, receive, send):
        await send({**START, "headers": [(b"cache-control", b"max-age=60")]})
        await send(body(b"first", more=True))
        await gate.wait()
        await send(body(b"last"))

    async def run():
        cache = ResponseCache(app, clock=clock)
        connection = Connection(cache)
        await connection.hear()
        first = await connection.hear()
        stored = len(cache.pages)
        gate.set()
        await connection.hear()
        await connection.task
        return first["body"], stored, len(cache.pages)

    assert asgi_door.loop.run_until_complete(run()) == (b"first", 0, 1)


def test_a_client_that_leaves_while_it_waits_holds_nobody_up(asgi_door, clock):
    origin = kept(*TAGGED, pause=0.05)
    app = ResponseCache(origin.asgi, clock=clock)

    async def run():
        first = asyncio.ensure_future(asgi_door.aget(app))
        await asyncio.sleep(0)
        second = asyncio.ensure_future(asgi_door.aget(app))
        await asyncio.sleep(0.01)
        second.cancel()
        return (await first).body, (await asgi_door.aget(app)).body

    assert asgi_door.loop.run_until_complete(run()) == (b"abcd", b"abcd")


def test_who_waits_too_long_goes_on_by_itself(door, clock, monkeypatch):
    for module in ("asgi", "wsgi"):
        monkeypatch.setattr(f"nexus_middleware.middleware.{module}.PATIENCE", 0.05)
    origin = kept(*TAGGED, pause=0.3)
    app = ResponseCache(door.app(origin), clock=clock)
    assert {seen.body for seen in door.many(3, app)} == {b"abcd"}
    assert len(origin.asked) == 3


def test_many_variants_of_a_page_do_not_fill_the_memory(door, clock):
    origin = kept(*TAGGED, ("vary", "x-any"))
    app = ResponseCache(door.app(origin), clock=clock)
    for number in range(50):
        door.get(app, headers=[("x-any", str(number))])
    assert len(app.pages.get("http://example.org/").entries) == 16
