"""The strategies of `limits`, through RateLimit: in memory, in Redis, in a Redis that is gone."""

import pytest
from limits import RateLimitItemPerSecond
from starlette.requests import Request

from nexus_middleware.errors import SettingsError, StoreError
from nexus_middleware.middleware.handlers import limit
from nexus_middleware.middleware.limits import Rule
from nexus_middleware.middleware.rate_limit import RateLimit
from nexus_middleware.rules.windows import BORROWED, Limit
from nexus_middleware.stores.borrowed import BorrowedStore, borrowed
from nexus_middleware.stores.commands import Get, Hit
from nexus_middleware.stores.redis import RedisStore
from tests.helpers import Origin


def statuses(door, app, n, **options):
    return [door.get(app, **options).status for _ in range(n)]


@pytest.fixture(params=["memory", "redis"])
def url(request):
    return "memory://" if request.param == "memory" else request.getfixturevalue("redis_url")


@pytest.mark.parametrize("strategy", BORROWED)
def test_each_strategy_admits_the_limit_and_tells_what_is_left(door, url, strategy):
    app = RateLimit(door.app(Origin()), "3/hour", strategy=strategy, store=url)

    first = door.get(app)
    assert first.headers["ratelimit-policy"] == '"default";q=3;w=3600'
    assert first.headers["ratelimit"].startswith('"default";r=2;t=')
    assert statuses(door, app, 3) == [200, 200, 429]
    refused = door.get(app)
    assert 0 < int(refused.headers["retry-after"]) <= 7200
    assert statuses(door, app, 1, client="203.0.113.8") == [200]


@pytest.mark.parametrize("strategy", BORROWED)
def test_several_limits_and_costs_are_judged_before_any_is_counted(door, url, strategy):
    rules = [Rule("2/hour", name="few"), Rule("9/hour", name="dear", cost=3)]
    app = RateLimit(door.app(Origin()), rules, strategy=strategy, store=url)

    assert statuses(door, app, 4) == [200, 200, 429, 429]
    told = door.get(app)
    assert told.headers["ratelimit-policy"] == '"few";q=2;w=3600, "dear";q=9;w=3600'


def test_a_shadow_refuses_nobody(door, url):
    origin = Origin()
    app = RateLimit(
        door.app(origin), [Rule("9/hour"), Rule("1/hour", name="s", mode="shadow")], strategy="fixed-window", store=url
    )
    assert statuses(door, app, 3) == [200] * 3
    assert "would refuse" in origin.seen.decisions[0].why


def test_one_url_and_strategy_are_one_count_and_one_redis_needs_no_second_url(redis_url):
    store = RedisStore(redis_url, budget=5)
    layers = [RateLimit(None, "3/hour", strategy="moving-window", store=where) for where in (redis_url, store)]
    assert layers[0].store is layers[1].store is borrowed(redis_url, "moving-window")
    assert layers[0].store is not borrowed(redis_url, "fixed-window")


def test_while_the_storage_is_away_calls_are_counted_here(door, own_server):
    app = RateLimit(door.app(Origin()), "2/hour", strategy="moving-window", store=own_server.url)
    assert statuses(door, app, 1) == [200]
    app.store.check()
    own_server.stop(kill=True)
    assert statuses(door, app, 2) == [200, 429]
    with pytest.raises(StoreError):
        app.store.check()


def test_a_handler_may_have_one_too():
    with pytest.raises(SettingsError, match="moving-window"):
        limit("5/minute", strategy="moving-window", store="etcd://127.0.0.1")(Origin.answer)

    @limit("2/minute", strategy="fixed-window", store="memory://")
    def handler(request):
        return 200

    request = Request({"type": "http", "path": "/", "headers": [], "client": ("203.0.113.7", 1)})
    assert [handler(request), handler(request), handler(request).status_code] == [200, 200, 429]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"store": "etcd://127.0.0.1:1"}, "unknown storage scheme"),
        ({"count_when": lambda request, status: True}, "count_when takes calls back"),
    ],
)
def test_what_cannot_be_is_told_at_construction(options, told):
    with pytest.raises(SettingsError, match=told):
        RateLimit(None, "3/hour", strategy="fixed-window", **options)


@pytest.mark.parametrize(("url", "told"), [("memcached://127.0.0.1", "pymemcache"), ("mongodb://127.0.0.1", "pymongo")])
def test_a_client_library_that_is_missing_is_named(monkeypatch, url, told):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=f"install {told}"):
        RateLimit(None, "3/hour", strategy="fixed-window", store=url)


@pytest.mark.parametrize("strategy", BORROWED)
def test_a_dear_call_that_is_refused_uses_up_nothing(door, url, strategy):
    rules = [Rule("4/hour", name="n", cost=3, path="/dear"), Rule("4/hour", name="m")]
    app = RateLimit(door.app(Origin()), rules, strategy=strategy, store=url)
    assert [door.get(app, "/dear").status for _ in range(3)] == [200, 429, 429]
    assert statuses(door, app, 4) == [200, 200, 200, 429], "the refused calls counted on neither"
    alone = RateLimit(door.app(Origin()), [Rule("4/hour", name="n", cost=3)], strategy=strategy, store=url)
    door.get(alone, client="203.0.113.9")
    assert statuses(door, alone, 2, client="203.0.113.9") == [429, 429]
    left = alone.store._limiter.get_window_stats(
        RateLimitItemPerSecond(4, 3600, alone.store._kind), f"rate:n:{strategy}:4/3600:203.0.113.9"
    )
    assert left.remaining == 1, "and a cheaper one would still be let in"


@pytest.mark.parametrize("first", [True, False])
def test_where_another_takes_the_last_call_between_test_and_hit_no_further_limit_is_hit(monkeypatch, first):
    store = BorrowedStore("memory://", "fixed-window")
    limiter, hits = store._limiter, []
    monkeypatch.setattr(limiter, "test", lambda *x, cost: True)
    monkeypatch.setattr(limiter, "hit", lambda item, key, cost: hits.append(key) or (key == "b" or not first))
    asked = tuple((key, Limit(9, 60.0, 1, "fixed-window")) for key in "ab")
    assert [x.allowed for x in store.run([Hit(asked)])[0]] == ([False, True] if first else [True, True])
    assert hits == (["a"] if first else ["a", "b"])


def test_every_key_begins_with_the_namespace_of_the_store(redis_url):
    store = RedisStore(redis_url, budget=5, namespace="shop")
    layers = [RateLimit(None, "3/hour", strategy="fixed-window", store=where) for where in (store, redis_url)]
    for layer in layers:
        layer.store.run([Hit((("k", Limit(3, 60.0, 1, "fixed-window")),))])
    assert {key.partition(b"/")[0] for key in store.client.keys("*")} == {
        b"shop:limits:LIMITER",
        b"nexus:limits:LIMITER",
    }
    layers[0].store.forget()
    assert {key.partition(b":")[0] for key in store.client.keys("*")} == {b"nexus"}
    store.close()


def test_it_answers_hits_alone():
    store = BorrowedStore("memory://", "fixed-window")
    with pytest.raises((SettingsError, StoreError), match="only how often"):
        store.run([Get("k")])
