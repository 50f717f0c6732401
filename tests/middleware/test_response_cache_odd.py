"""ResponseCache: of apps that break off, begin twice, send too much or in odd ways, nothing is kept that nobody got."""

from __future__ import annotations

import asyncio
import gzip
import sys

import pytest
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from nexus_middleware.middleware.response_cache import ResponseCache
from tests.connection import START, body
from tests.helpers import WSGIDoor

FRESH = (b"cache-control", b"max-age=60")
HEAD = {**START, "headers": [FRESH]}
FILE = {"type": "http.response.pathsend", "path": "/etc/hostname"}
TRAILERS = {"type": "http.response.trailers", "headers": [(b"x-sum", b"1")], "more_trailers": False}


class App:
    """Sends what it is given, and fails then if it shall."""

    def __init__(self, *messages, fails=False):
        self.messages, self.fails, self.runs = messages, fails, 0

    async def __call__(self, scope, receive, send):
        self.runs += 1
        for message in self.messages:
            await send(message)
        if self.fails:
            raise ValueError("the app broke off")


def ask(app, *, leaves_after=99, **more):
    """What a client gets who leaves after so many messages."""
    got = []

    async def send(message):
        got.append(message)
        if len(got) > leaves_after:
            raise OSError("the client has left")

    async def nothing():
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": "GET", "scheme": "http", "path": "/", "raw_path": b"/", "query_string": b""}
    scope |= {"headers": [(b"host", b"example.org")], "state": {}, **more}
    try:
        asyncio.run(app(scope, nothing, send))
    except (ValueError, OSError):
        got.append({"type": "failed"})
    return got


def sized(length):
    return {**HEAD, "headers": [FRESH, (b"content-length", b"%d" % length)]}


@pytest.mark.parametrize(
    ("app", "leaves_after"),
    [
        (App(HEAD, body(b"a", more=True)), 99),
        (App(HEAD, body(b"a", more=True), fails=True), 99),
        (App(HEAD, body(b"a", more=True), body(b"b")), 1),
        (App(HEAD, body(b"a", more=True), HEAD, body(b"b")), 99),
        (App(sized(9), body(b"a")), 99),
        (App(sized(1), body(b"ab")), 99),
        (App(HEAD, FILE), 99),
        (App(), 99),
    ],
    ids=["no end", "broken off", "client left", "began twice", "too short", "too long", "a file", "no answer"],
)
def test_what_does_not_come_whole_is_not_kept(app, leaves_after):
    cache = ResponseCache(app)
    for _ in range(2):
        ask(cache, leaves_after=leaves_after)
    assert (app.runs, len(cache.pages)) == (2, 0)


@pytest.mark.parametrize(
    "app",
    [
        App(HEAD, body(b"a", more=True), body(b"b", more=True), body(b"")),
        App(HEAD, body(b"ab"), fails=True),
        App({**HEAD, "trailers": True}, body(b"ab"), TRAILERS),
        App({"type": "http.response.early_hint", "links": [b"</a>"]}, HEAD, body(b"ab")),
        App({**HEAD, "headers": [FRESH, (b"transfer-encoding", b"chunked")]}, body(b"ab")),
        App({**HEAD, "headers": [FRESH, (b"date", b"yesterday")]}, body(b"ab")),
    ],
    ids=["in chunks", "fails afterwards", "trailers", "early hints", "framed by itself", "no date"],
)
def test_what_came_whole_is_kept_with_a_length_of_its_own(app):
    cache = ResponseCache(app)
    first, second = ask(cache), ask(cache)
    assert [message["type"] for message in first if message["type"] != "failed"] == [m["type"] for m in app.messages]
    headers = dict(second[0]["headers"])
    assert (headers[b"content-length"], second[1]["body"], app.runs) == (b"2", b"ab", 1)
    assert b"transfer-encoding" not in headers


def test_a_view_of_what_the_app_writes_over_is_kept_as_it_was_when_it_went_out():
    async def app(scope, receive, send):
        await send(HEAD)
        buffer = bytearray(1)
        for letter in b"abc":
            buffer[0] = letter
            await send(body(memoryview(buffer), more=True))
        await send(body(b""))

    cache = ResponseCache(app)
    ask(cache)
    assert ask(cache)[1]["body"] == b"abc"


def test_each_coding_of_an_app_that_compresses_is_kept_and_cut_by_itself():
    runs = []

    async def page(request):
        runs.append(request)
        return PlainTextResponse("text " * 200, headers={"cache-control": "max-age=60", "etag": 'W/"1"'})

    app = GZipMiddleware(Starlette(routes=[Route("/", page)]), minimum_size=1)
    cache = ResponseCache(app)
    accepts = [(b"host", b"example.org"), (b"accept-encoding", b"gzip, br")]
    zipped = [ask(cache, headers=accepts) for _ in range(2)][1]
    assert dict(zipped[0]["headers"])[b"content-encoding"] == b"gzip"
    assert gzip.decompress(zipped[1]["body"]) == b"text " * 200
    part = ask(cache, headers=[*accepts, (b"range", b"bytes=0-1")])
    assert (part[0]["status"], part[1]["body"]) == (206, b"\x1f\x8b")
    plain = [ask(cache) for _ in range(2)][1]
    assert (plain[1]["body"], len(runs)) == (b"text " * 200, 2)


def began_again(environ, start_response):
    """An app that fails after it has begun, as PEP 3333 lets it."""
    start_response("200 OK", [("cache-control", "max-age=60")])
    try:
        int("no number")
    except ValueError:
        start_response("500 Failed", [("cache-control", "no-store")], sys.exc_info())
    return [b"failed"]


def broken(environ, start_response):
    start_response("200 OK", [("cache-control", "max-age=60")])
    yield b"a"
    raise ValueError


def written(environ, start_response):
    start_response("200 OK", [("cache-control", "max-age=60")])(b"a")
    return [b"b"]


@pytest.mark.parametrize(("app", "pages"), [(began_again, 0), (broken, 0), (written, 1)])
def test_under_wsgi_too_what_came_whole_alone_is_kept(app, pages):
    cache, door = ResponseCache(app), WSGIDoor()
    for _ in range(2):
        try:
            seen = door.get(cache)
        except ValueError:
            continue
        assert sorted(seen.body) == sorted(b"ab" if pages else b"failed")
    assert len(cache.pages) == pages


def test_under_wsgi_too_the_first_chunk_is_not_held_back_for_the_rest():
    made = []

    def app(environ, start_response):
        start_response("200 OK", [("cache-control", "max-age=60")])
        for chunk in (b"first", b"last"):
            made.append(chunk)
            yield chunk

    cache, door = ResponseCache(app), WSGIDoor()
    seen = []
    door.get(cache, on_chunk=lambda chunk: seen.append((chunk, [*made], len(cache.pages))))
    assert seen == [(b"first", [b"first"], 0), (b"last", [b"first", b"last"], 0)]
    assert len(cache.pages) == 1
