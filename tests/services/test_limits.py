"""How far limits are used, and what gives them back: in both stores, in this process and in others."""

from __future__ import annotations

import asyncio

import pytest

from nexus_middleware import RateLimit, Rule, SettingsError
from nexus_middleware.services import limits as module
from nexus_middleware.services.limits import Limits
from nexus_middleware.stores.redis import RedisStore
from tests.helpers import Origin, WSGIDoor

RULES = [
    Rule("4/minute", name="sign-in", path="/login"),
    Rule("10/second;100/hour", name="search"),
    Rule("8/minute", name="watched", mode="shadow"),
]


def told(limits, **sought):
    return [(x.name, x.key, x.used, x.limit) for x in limits.used(**sought).items]


@pytest.fixture
def door():
    made = WSGIDoor()
    yield made
    made.close()


@pytest.fixture
def limits(any_store):
    return Limits(any_store)


def call(door, app, path="/", client="192.0.2.1", times=1):
    return [door.get(app, path, client=client).status for _ in range(times)]


def test_who_is_nearest_to_a_limit_comes_first(door, any_store, limits, clock):
    app = RateLimit(Origin().wsgi, RULES, store=any_store)
    call(door, app, "/login", times=3)
    call(door, app, client="2001:db8::7", times=5)

    assert told(limits) == [
        ("sign-in", "192.0.2.1", 3, 4),
        ("watched", "2001:db8::/64", 5, 8),
        ("search-1s", "2001:db8::/64", 5, 10),
        ("watched", "192.0.2.1", 3, 8),
        ("search-1s", "192.0.2.1", 3, 10),
        ("search-3600s", "2001:db8::/64", 5, 100),
        ("search-3600s", "192.0.2.1", 3, 100),
    ]
    assert told(limits, key="192.0.2", name="sign-in") == [("sign-in", "192.0.2.1", 3, 4)]
    assert told(limits, key="*") == told(limits, name="sign") == []
    assert (limits.used(2).complete, limits.used().complete) == (False, True)
    (use,) = limits.used(name="sign-in").items
    assert use.frees_in == pytest.approx(60, abs=0.1)
    clock.now += 60
    assert told(limits, name="sign-in") == []


@pytest.mark.parametrize("strategy", ["sliding-window", "gcra"])
def test_looking_counts_nothing(door, any_store, limits, strategy):
    app = RateLimit(Origin().wsgi, "3/minute", store=any_store, strategy=strategy)
    call(door, app, times=2)

    for _ in range(5):
        assert told(limits) == [("default", "192.0.2.1", 2, 3)]
    assert call(door, app, times=2) == [200, 429]
    assert told(limits) == [("default", "192.0.2.1", 3, 3)]


def test_a_limit_that_is_reset_is_whole_again_and_others_stay(door, any_store, limits):
    app = RateLimit(Origin().wsgi, [Rule("2/minute"), Rule("9/minute", name="wide")], store=any_store)
    for client in ("192.0.2.1", "192.0.2.11"):
        assert call(door, app, client=client, times=3) == [200, 200, 429]

    assert limits.reset("192.0.2.1", name="default") == 1
    assert call(door, app, times=3) == [200, 200, 429]
    assert call(door, app, client="192.0.2.11") == [429]
    assert ("wide", "192.0.2.1", 4, 9) in told(limits)

    async def reset():
        try:
            return await limits.areset("192.0.2.1")
        finally:
            await any_store.aclose()

    assert asyncio.run(reset()) == 2
    assert limits.reset("192.0.2.*") == 0
    assert {key for _, key, _, _ in told(limits)} == {"192.0.2.11"}
    with pytest.raises(SettingsError, match="whose limit"):
        limits.reset("")


def test_who_was_refused_in_another_process_is_let_in_within_a_second(door, redis_url, clock):
    stores = [RedisStore(redis_url, budget=5, clock=clock) for _ in range(2)]
    apps = [RateLimit(Origin().wsgi, "1/hour", store=store) for store in stores]
    first, other = map(Limits, stores)
    assert call(door, apps[1], times=3) == [200, 429, 429]

    assert first.reset("192.0.2.1") == 1
    assert call(door, apps[1]) == [429]  # it remembers, and asks nobody
    other.tick(0.0)
    assert call(door, apps[1], times=2) == [200, 429]
    other.tick(0.0)
    assert stores[1].standby.refusing  # nothing was reset since
    for store in stores:
        store.close()


def test_too_many_counts_are_not_all_looked_at_and_that_is_told(door, any_store, limits, monkeypatch):
    monkeypatch.setattr(module, "MOST", 10)
    monkeypatch.setattr(module, "AT_ONCE", 3)
    app = RateLimit(Origin().wsgi, "2/minute", store=any_store)
    for n in range(30):
        call(door, app, client=f"192.0.2.{n}")

    used = limits.used()
    assert (len(used.items), used.complete) == (10, False)
    assert told(limits, key="192.0.2.29", also=["default:2/60:192.0.2.29", "default:2/60:10.0.0.1", "none"]) == [
        ("default", "192.0.2.29", 1, 2)
    ]
