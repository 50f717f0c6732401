"""The test kit, as users' tests use it, and the fixtures of its plugin."""

import subprocess
import sys

import pytest

from nexus_middleware import IPFilter, RateLimit, limit, testing
from nexus_middleware.services.security import Security
from nexus_middleware.stores.redis import RedisStore
from tests.helpers import Origin


@pytest.fixture(params=["memory", "redis"])
def url(request):
    return "memory://" if request.param == "memory" else request.getfixturevalue("redis_url")


def test_time_stands_still_until_it_is_told_to_pass(door, url):
    app = RateLimit(door.app(Origin()), "2/minute", store=url)
    with testing.freeze() as clock:
        refused = testing.assert_limited(lambda: door.get(app), after=2)
        assert refused.headers["retry-after"] == "60"
        clock.advance(59)
        assert door.get(app).headers["retry-after"] == "1"
        clock.advance(1)
        testing.assert_limited(lambda: door.get(app), after=2)


def test_stores_and_blocks_made_meanwhile_stand_still_too(door):
    with testing.freeze() as clock:
        security = Security()
        app = IPFilter(RateLimit(door.app(Origin()), "1/hour"), blocked=security)
        security.block("203.0.113.7", lasts=60)
        assert door.get(app).status == 403
        clock.advance(60)
        assert door.get(app).status == 200


def test_reset_forgets_counts_refusals_and_blocks(door, url):
    security = Security(url)
    app = IPFilter(RateLimit(door.app(Origin()), "1/hour", store=url), blocked=security)
    assert [door.get(app).status for _ in range(3)] == [200, 429, 429]
    security.block("203.0.113.7")
    testing.reset()
    assert [door.get(app).status for _ in range(2)] == [200, 429]


def test_a_store_whose_server_is_gone_is_named_and_the_others_are_reset(door, caplog):
    gone = RedisStore("redis://127.0.0.1:1")
    app = RateLimit(door.app(Origin()), "1/hour")
    assert [door.get(app).status for _ in range(2)] == [200, 429]
    testing.reset()
    assert door.get(app).status == 200
    assert any("a store was not reset" in record.message for record in caplog.records)
    gone.close()


def test_reset_leaves_alone_what_is_not_counts_or_blocks(redis_url):
    store = RedisStore(redis_url, budget=5)
    store.client.set("nexus:1:cache:k", "v")
    store.client.set("theirs", "v")
    store.client.set("nexus:1:rate:default:k", "v")
    testing.reset()
    assert sorted(store.client.keys()) == [b"nexus:1:cache:k", b"theirs"]
    store.close()


def test_the_strategies_of_limits_are_reset_too(door, url):
    app = RateLimit(door.app(Origin()), "1/hour", store=url, strategy="fixed-window")
    assert [door.get(app).status for _ in range(2)] == [200, 429]
    testing.reset()
    assert door.get(app).status == 200


def test_disabled_limits_count_nothing_in_layers_and_handlers(door):
    app = RateLimit(door.app(Origin()), "1/hour")
    handler = limit("1/hour")(lambda request: "ok")
    with testing.disable():
        assert [door.get(app).status for _ in range(3)] == [200] * 3
        request = type("Request", (), {"scope": {"type": "http", "path": "/", "headers": []}})()
        del handler, request
    assert [door.get(app).status for _ in range(2)] == [200, 429]


class Said:
    def __init__(self, status, headers=()):
        self.status_code, self.headers = status, dict(headers)


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([Said(200), Said(429)], "call 2 of 2 was refused already"),
        ([Said(200), Said(200), Said(200)], "call 3 was answered 200, not refused"),
        ([Said(200), Said(500), Said(429)], "does not say in Retry-After"),
    ],
)
def test_what_is_not_limited_as_said_fails_the_test(answers, told):
    with pytest.raises(AssertionError, match=told):
        testing.assert_limited(lambda: answers.pop(0), after=2)


SUITE = """
from nexus_middleware import RateLimit
from nexus_middleware.testing import assert_limited
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
import httpx, anyio

app = RateLimit(Starlette(routes=[Route("/", lambda request: PlainTextResponse("ok"))]), "2/minute")

def get():
    async def call():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.get("/")
    return anyio.run(call)

def test_limited(nexus_clock):
    assert_limited(get, after=2)
    nexus_clock.advance(60)
    assert get().status_code == 200

def test_fresh(nexus_fresh):
    assert_limited(get, after=2)

def test_unlimited(nexus_unlimited):
    assert {get().status_code for _ in range(9)} == {200}
"""


def test_the_fixtures_work_in_a_suite_of_its_own(tmp_path):
    (tmp_path / "test_app.py").write_text(SUITE)
    options = ["-p", "nexus_middleware.testing.plugin", "-p", "no:cacheprovider", "-q", str(tmp_path)]
    told = subprocess.run(
        [sys.executable, "-m", "pytest", *options], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert "3 passed" in told.stdout, told.stdout + told.stderr
