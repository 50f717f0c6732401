"""ResponseCache: what is stale is asked after, given while it is fetched anew, and stands in where the app fails."""

from __future__ import annotations

import contextlib

import pytest

from nexus_middleware import CachePolicy
from nexus_middleware.middleware.response_cache import ResponseCache
from tests.helpers import Answer, Origin

TAGGED = [("cache-control", "max-age=10"), ("etag", '"1"'), ("x-kept", "1")]


def kept(*headers, **more):
    return Origin(lambda path, _: Answer([b"ab", b"cd"], headers=[*headers], **more))


def revalidating(*, said=()):
    """An app that answers 304 to who has its tag."""
    return Origin(
        lambda path, headers: (
            Answer([], 304, [("etag", '"1"'), ("cache-control", "max-age=10"), *said])
            if headers.get("if-none-match") == '"1"'
            else Answer([b"abcd"], headers=TAGGED)
        )
    )


def test_a_stale_answer_is_asked_after_and_a_304_renews_it(door, clock):
    origin = revalidating(said=[("x-new", "2")])
    app = ResponseCache(door.app(origin), clock=clock)
    door.get(app)
    clock.now += 11
    seen = door.get(app)

    assert (seen.status, seen.body, seen.headers["x-kept"], seen.headers["x-new"]) == (200, b"abcd", "1", "2")
    assert seen.headers["cache-status"] == "nexus; fwd=stale; fwd-status=304; stored"
    assert door.get(app).headers["cache-status"].startswith("nexus; hit")
    assert len(origin.asked) == 2


def test_who_asks_with_a_tag_of_its_own_while_it_is_revalidated_is_answered_by_it(door, clock):
    origin = revalidating()
    app = ResponseCache(door.app(origin), clock=clock)
    door.get(app)
    clock.now += 11
    assert door.get(app, headers=[("if-none-match", '"1"')]).status == 304
    assert origin.asked[-1][1]["if-none-match"] == '"1"'


def test_no_cache_is_kept_and_asked_after_every_time(door, clock):
    origin = Origin(
        lambda path, headers: Answer(
            [b"x"], 304 if "if-none-match" in headers else 200, [("cache-control", "no-cache"), ("etag", '"1"')]
        )
    )
    app = ResponseCache(door.app(origin), clock=clock)
    assert [door.get(app).status for _ in range(3)] == [200] * 3
    assert ["if-none-match" in headers for _, headers in origin.asked] == [False, True, True]


def test_a_stale_answer_goes_out_at_once_and_is_fetched_anew_behind_it(door, clock):
    origin = kept(("cache-control", "max-age=10, stale-while-revalidate=20"))
    app = ResponseCache(door.app(origin), clock=clock)
    door.get(app)
    clock.now += 15
    assert door.get(app).headers["age"] == "15"
    door.settle(app)
    assert len(origin.asked) == 2
    assert door.get(app).headers["age"] == "0"
    clock.now += 31
    assert "age" not in door.get(app).headers


def test_a_stale_answer_stands_in_for_an_error_only_when_it_says_so(door, clock):
    origin = kept(("cache-control", "max-age=10, stale-if-error=20"))
    app = ResponseCache(door.app(origin), clock=clock)
    door.get(app)
    origin.say = lambda path, headers: Answer([b"failed"], 503)
    clock.now += 15
    assert (door.get(app).status, door.get(app).body) == (200, b"abcd")
    clock.now += 16
    assert door.get(app).status == 503


def told(door, app):
    """What reaches the client of an app that fails; the server hears of the failure besides."""
    chunks = []
    with contextlib.suppress(RuntimeError):
        door.get(app, on_chunk=chunks.append)
    return b"".join(chunks)


@pytest.mark.parametrize(
    ("said", "stands_in"),
    [
        ("max-age=10", True),
        ("max-age=10, stale-if-error=1", False),
        ("max-age=10, stale-if-error=99", True),
        ("max-age=10, must-revalidate", False),
        ("max-age=10, proxy-revalidate", False),
        ("max-age=10, no-cache", False),
        ("s-maxage=10", False),
    ],
)
def test_a_stale_answer_stands_in_for_an_app_that_gives_none_unless_it_forbids_it(door, clock, said, stands_in):
    origin = kept(("cache-control", said))
    app = ResponseCache(door.app(origin), clock=clock)
    door.get(app)
    origin.say = lambda path, headers: Answer(fails=True)
    clock.now += 15
    assert (told(door, app) == b"abcd") is stands_in
    clock.now += 56
    assert (told(door, app) == b"abcd") is ("99" in said)


def test_a_failure_that_is_an_answer_is_passed_on_and_an_app_that_fails_may_have_no_stand_in(door, clock):
    origin = kept(("cache-control", "max-age=10"))
    usual, never = (
        ResponseCache(door.app(origin), clock=clock, policy=CachePolicy(**said)) for said in ({}, {"stale_if_down": 0})
    )
    for app in (usual, never):
        door.get(app)
    clock.now += 15
    origin.say = lambda path, headers: Answer(fails=True)
    assert (told(door, usual), told(door, never) == b"abcd") == (b"abcd", False)
    origin.say = lambda path, headers: Answer([b"failed"], 503)
    assert door.get(usual).status == 503
