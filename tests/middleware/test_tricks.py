"""Eighteen tricks by which callers get more than a limit out of other limiters, each of which fails here."""

import asyncio
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from nexus_middleware import CORS, APIKey, RateLimit, RequestID, Rule, SecurityHeaders, TrustedProxies, by_api_key
from nexus_middleware.rules.windows import Limit
from nexus_middleware.stores.commands import Hit
from nexus_middleware.stores.memory import MemoryStore
from nexus_middleware.stores.redis import RedisStore
from tests.helpers import Answer, Clock, Down, Origin, WSGIDoor


def statuses(door, app, n, path="/", **options):
    return [door.get(app, path, **options).status for _ in range(n)]


def passed(door, app, n, **options):
    return statuses(door, app, n, **options).count(200)


def test_01_a_burst_at_the_edge_of_the_window(door, any_store, clock):
    app = RateLimit(door.app(Origin()), "10/minute", store=any_store)
    clock.now += 59.9 - clock.now % 60
    assert passed(door, app, 15) == 10
    clock.now += 0.2  # a new minute of the clock
    assert passed(door, app, 15) == 0
    clock.now += 59.8
    assert passed(door, app, 15) == 10


def test_02_rotating_inside_one_ipv6_network(door, any_store):
    app = RateLimit(door.app(Origin()), "3/minute", store=any_store)
    callers = [f"2001:db8:0:7:{i:x}::{i}" for i in range(1, 9)]
    assert [door.get(app, client=caller).status for caller in callers].count(200) == 3


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X_FORWARDED_FOR", "Forwarded", "X-Real-IP", "CF-Connecting-IP"])
def test_03_a_forged_address_of_origin(door, any_store, name):
    app = TrustedProxies(RateLimit(door.app(Origin()), "3/minute", store=any_store), ["10.0.0.0/8"])
    forged = [[(name, f"for=198.51.100.{i}" if name == "Forwarded" else f"198.51.100.{i}")] for i in range(9)]
    assert [door.get(app, headers=headers).status for headers in forged].count(200) == 3


@pytest.mark.parametrize(
    "spelling",
    [
        "/AUTH/Login",
        "//auth//login",
        "/auth/login/",
        "/auth/%6cogin",
        "/x/%2e%2e/auth/login",
        "/auth;a=1/login",
        "/auth/2",
    ],
)
def test_04_another_spelling_of_the_path_or_another_value_in_it(door, any_store, spelling):
    app = RateLimit(door.app(Origin()), [Rule("1/minute", path="/auth/*")], store=any_store)
    assert [door.get(app, path).status for path in ("/auth/login", spelling)] == [200, 429]


def test_05_head_instead_of_get_and_a_preflight_costs_nothing(door, any_store):
    rules = [Rule("2/minute", methods=("GET",))]
    app = CORS(RateLimit(door.app(Origin()), rules, store=any_store), origins=["https://shop.example"])
    asks = [("origin", "https://shop.example"), ("access-control-request-method", "GET")]
    assert statuses(door, app, 5, method="OPTIONS", headers=asks) == [204] * 5
    assert [door.get(app, method=method).status for method in ("HEAD", "GET", "HEAD")] == [200, 200, 429]


def test_06_a_flood_of_pages_that_are_not_there(door, any_store):
    app = RateLimit(door.app(Origin(lambda path, headers: Answer(status=404))), "3/minute", store=any_store)
    assert [door.get(app, f"/{i}").status for i in range(5)] == [404, 404, 404, 429, 429]


def test_07_a_redis_that_is_down_costs_no_wait_for_each_call(door, own_server):
    own_server.stop(kill=True)
    app = RateLimit(door.app(Origin()), "3/minute", store=RedisStore(own_server.url))
    began = time.monotonic()
    assert passed(door, app, 50) == 3
    assert time.monotonic() - began < 2


def test_08_a_redis_that_is_slow_costs_one_budget_and_then_nothing(door):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        app = RateLimit(door.app(Origin()), "3/minute", store=RedisStore(url, budget=0.05))
        began = time.monotonic()
        assert passed(door, app, 50) == 3
        assert time.monotonic() - began < 2


def test_09_workers_whose_clocks_differ(redis_url, monkeypatch):
    hit = Hit((("k", Limit(3, 60.0)),))
    admitted = 0
    for skew in (0.0, 3600.0, -3600.0):
        monkeypatch.setattr(time, "time", lambda skew=skew: 1.8e9 + skew)
        store = RedisStore(redis_url, budget=5)
        admitted += sum(store.run([hit])[0][0].allowed for _ in range(3))
        store.close()
    assert admitted == 3


def test_10_two_hundred_calls_at_once_to_four_workers(redis_url):
    """As `tests/frameworks/test_exact.py`, which has four processes, but under both doors' clients at once."""
    stores = [RedisStore(redis_url, budget=10) for _ in range(4)]
    hit = Hit((("k", Limit(50, 60.0)),))

    async def hundred():
        answers = await asyncio.gather(*[stores[i % 2].arun([hit]) for i in range(100)])
        for store in stores[:2]:
            await store.aclose()
        return answers

    with ThreadPoolExecutor(9) as pool:
        apart = pool.submit(asyncio.run, hundred())
        threads = [*pool.map(lambda i: stores[2 + i % 2].run([hit]), range(100))]
        answers = [*threads, *apart.result()]
    assert sum(answer[0][0].allowed for answer in answers) == 50
    for store in stores:
        store.close()


def test_11_a_million_keys_that_call_once(redis_url):
    memory = MemoryStore(max_callers=1_000)
    shared = RedisStore(redis_url, budget=5)
    for i in range(5_000):
        memory.run([Hit(((f"k{i}", Limit(10, 60.0)),))])
    assert len(memory._counts.kept) <= 1_000
    shared.run([Hit(tuple((f"k{i}", Limit(10, 60.0)) for i in range(500)))])
    assert all(0 < shared.client.pttl(key) <= 60_000 for key in shared.client.scan_iter())
    shared.close()


def test_12_coming_back_when_retry_after_says(door, any_store, clock):
    app = RateLimit(door.app(Origin()), "5/minute", store=any_store)
    for _ in range(5):
        door.get(app)
        clock.now += 3.3
    wait = int(door.get(app).headers["retry-after"])
    clock.now += wait - 1
    assert door.get(app).status == 429, "not a second earlier"
    clock.now += 1
    assert door.get(app).status == 200


def test_13_one_limit_that_refuses_uses_up_another(door, any_store, clock):
    rules = [Rule("2/second", name="burst"), Rule("8/hour", name="hour", cost=2)]
    app = RateLimit(door.app(Origin()), rules, store=any_store)
    assert statuses(door, app, 9) == [200, 200] + [429] * 7
    clock.now += 1
    assert statuses(door, app, 3) == [200, 200, 429], "the seven have cost nothing of the hour"
    clock.now += 1
    assert statuses(door, app, 1) == [429], "of the hour nothing is left"


def test_14_a_new_api_key_for_every_call(door, any_store):
    rules = [Rule("5/minute", key=by_api_key, name="key"), Rule("3/minute", name="address")]
    app = RateLimit(APIKey(door.app(Origin()), ["right"], paths="*"), rules, store=any_store)
    answers = [door.get(app, headers=[("x-api-key", f"guess {i}")]).status for i in range(9)]
    assert answers == [401, 401, 401] + [429] * 6


def test_15_websocket_handshakes(asgi_door, any_store):
    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})

    layer = RateLimit(app, "3/minute", store=any_store)

    async def shake():
        said = []

        async def receive():
            return {"type": "websocket.connect"}

        async def send(message):
            said.append(message)

        scope = {"type": "websocket", "path": "/", "headers": [], "client": ("203.0.113.7", 1), "scheme": "ws"}
        await layer(scope, receive, send)
        return said[0].get("code", said[0]["type"])

    asgi_door.stores.add(any_store)
    shaken = [asgi_door.loop.run_until_complete(shake()) for _ in range(5)]
    assert shaken == ["websocket.accept"] * 3 + [1008, 1008]


def test_16_a_refusal_without_the_headers_of_other_answers(door, any_store):
    app = RequestID(SecurityHeaders(RateLimit(door.app(Origin()), "1/minute", store=any_store)))
    fine, refused = door.get(app), door.get(app)
    assert [fine.status, refused.status] == [200, 429]
    lengths = {"retry-after", "content-length", "content-type", "cache-control"}
    assert {*refused.headers} - lengths == {*fine.headers} - lengths
    assert {"ratelimit", "ratelimit-policy", "x-content-type-options", "x-request-id"} <= {*refused.headers}


def test_17_calls_that_are_refused_prolong_nothing_write_nothing_and_cost_no_trip(door, redis_url):
    clock = Clock()
    store = RedisStore(redis_url, budget=5, clock=clock)
    app = RateLimit(door.app(Origin()), "2/minute", store=store)
    assert statuses(door, app, 3) == [200, 200, 429]
    before = store.client.dump("nexus:1:rate:default:2/60:203.0.113.7")
    store.client.config_resetstat()
    for _ in range(59):
        clock.now += 1
        assert door.get(app).status == 429
    assert store.client.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"] == 0
    assert store.client.dump("nexus:1:rate:default:2/60:203.0.113.7") == before
    clock.now += 1
    assert door.get(app).status == 200
    store.close()


def test_18_callers_whose_address_is_unknown(door, any_store):
    app = RateLimit(door.app(Origin()), "3/minute", store=any_store)
    assert passed(door, app, 9, client=None) == 3
    assert passed(door, app, 1, client="127.0.0.1") == 1, "who is unknown is nobody else"


def test_a_store_that_fails_in_the_middle_of_many_calls_fails_each_of_them_alike():
    door = WSGIDoor()
    app = RateLimit(door.app(Origin()), "20/hour", store=Down())
    barrier = threading.Barrier(8)
    with ThreadPoolExecutor(8) as pool:
        answers = [*pool.map(lambda _: (barrier.wait(), passed(door, app, 10))[1], range(8))]
    assert sum(answers) == 20
