"""The Redis store: time-outs, the breaker, event loops, forks, URLs."""

import asyncio
import multiprocessing
import socket
import threading
import time

import pytest

from nexus_middleware.errors import SettingsError, StoreError
from nexus_middleware.rules.windows import Limit
from nexus_middleware.stores import open_store
from nexus_middleware.stores.breaker import Breaker
from nexus_middleware.stores.commands import Get, Hit, Put
from nexus_middleware.stores.redis import RedisStore
from tests.helpers import Clock

HIT = Hit((("k", Limit(1000, 60.0)),))


def test_a_server_that_is_down_costs_one_caller_its_budget_and_the_others_nothing(own_server):
    store = RedisStore(own_server.url, budget=5)
    store.run([HIT])
    own_server.stop()

    with pytest.raises(StoreError, match="did not answer"):
        store.run([HIT])
    with pytest.raises(StoreError, match="not asked again yet"):
        store.run([HIT])
    store.close()


def test_a_server_that_has_come_back_is_noticed_and_given_the_script(own_server):
    store = RedisStore(own_server.url, budget=1)
    store.run([HIT])
    own_server.stop(kill=True)
    with pytest.raises(StoreError):
        store.run([HIT])
    own_server.start()

    deadline = time.monotonic() + 5
    while True:
        try:
            answer = store.run([HIT])
        except StoreError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            break
    assert answer[0][0].remaining == 999
    store.close()


def test_a_server_that_says_nothing_is_given_up_at_the_budget():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        store = RedisStore(f"redis://127.0.0.1:{silent.getsockname()[1]}", budget=0.05)
        began = time.monotonic()
        with pytest.raises(StoreError):
            store.run([HIT])

        async def ask():
            await store.arun([HIT])

        other = RedisStore(store.url, budget=0.05)
        with pytest.raises(StoreError):
            asyncio.run(other.arun([HIT]))
        assert time.monotonic() - began < 5
        store.close()


def test_a_breaker_lets_one_trial_through_after_its_pause():
    clock = Clock()
    breaker = Breaker(0.5, clock=clock)
    with pytest.raises(StoreError, match="it broke"), breaker:
        raise OSError("it broke")
    with pytest.raises(StoreError, match="not asked again"), breaker:
        pass
    clock.now += 0.5
    with breaker, pytest.raises(StoreError), breaker:
        pass
    with breaker:
        pass


def test_all_callers_of_one_turn_of_the_loop_share_a_trip(redis_url):
    store = RedisStore(redis_url, budget=5)

    async def fifty():
        await store.arun([Put("value", b"v", 60)])
        await store.arun([HIT])
        trips = []
        execute = store._execute_async
        store._execute_async = lambda words: trips.append(len(words)) or execute(words)
        answers = await asyncio.gather(*[store.arun([HIT, Get("value")]) for _ in range(50)])
        await store.aclose()
        return trips, answers

    trips, answers = asyncio.run(fifty())
    assert trips == [100]
    assert sorted(count[0].remaining for count, _ in answers) == [*range(949, 999)]
    assert {value for _, value in answers} == {b"v"}


def test_a_caller_that_is_cancelled_harms_no_other(redis_url):
    store = RedisStore(redis_url, budget=5)

    async def two():
        first, second = (asyncio.create_task(store.arun([HIT])) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        answer = await second
        await store.aclose()
        return answer

    assert asyncio.run(two())[0][0].allowed


def test_one_store_serves_several_event_loops_and_threads(redis_url):
    store = RedisStore(redis_url, budget=5)

    async def once():
        answer = await store.arun([HIT])
        await store.aclose()
        return answer

    seen = []
    threads = [threading.Thread(target=lambda: seen.append(asyncio.run(once()))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen.append(store.run([HIT]))
    assert sorted(answer[0][0].remaining for answer in seen) == [996, 997, 998, 999]
    store.close()


def _hit_in_child(store, answers):
    answers.put(store.run([HIT])[0][0].remaining)
    store.close()


def test_a_forked_process_opens_connections_of_its_own(redis_url):
    store = RedisStore(redis_url, budget=5)
    store.run([HIT])
    parent = store.client
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=_hit_in_child, args=(store, answers))
    child.start()
    assert answers.get(timeout=10) == 998
    child.join()
    assert store.run([HIT])[0][0].remaining == 997
    assert store.client is parent
    store.close()


def test_a_store_closed_may_be_used_again(redis_url):
    store = RedisStore(redis_url, budget=5)
    store.run([HIT])
    store.close()
    store.close()
    assert store.run([HIT])[0][0].remaining == 998
    store.close()


def test_an_error_never_shows_the_password():
    store = RedisStore("redis://user:hunter2@127.0.0.1:1/0", budget=0.05)
    with pytest.raises(StoreError) as told:
        store.run([HIT])
    assert "hunter2" not in f"{told.value!r} {told.value.__cause__!r} {store.where}"
    assert store.where == "redis://127.0.0.1:1/0"


def test_the_same_url_is_the_same_store_in_one_process():
    assert open_store("memory://") is not None
    one = open_store("memory://")
    assert open_store("memory://") is one
    assert open_store("redis://127.0.0.1:1/0") is not open_store("redis://127.0.0.1:1/0", namespace="other")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgres://x", "no store for 'postgres'"),
        ("localhost:6379", "no store for"),
        ("redis://localhost:port/0", "cannot be read"),
    ],
)
def test_a_url_that_is_none_of_ours_is_told_what_would_do(url, told):
    with pytest.raises(SettingsError) as error:
        open_store(url)
    assert told in str(error.value)


def test_the_server_is_asked_whether_it_is_new_enough(redis_url, monkeypatch):
    store = RedisStore(redis_url, budget=5)
    store.check()
    monkeypatch.setattr(store, "run", lambda commands: [{"redis_version": "5.0.14"}])
    with pytest.raises(SettingsError, match=r"version 5\.0\.14: at least 6\.2"):
        store.check()
    store.close()


def test_valkey_urls_are_redis_urls(redis_url):
    store = RedisStore(redis_url.replace("redis://", "valkey://"), budget=5)
    assert store.run([HIT])[0][0].allowed
    store.close()


def test_an_event_loop_that_is_late_does_not_take_the_server_for_dead(redis_url):
    store = RedisStore(redis_url, budget=0.1)

    async def crowded():
        await store.aopen()
        trip = asyncio.create_task(store.arun([HIT]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        time.sleep(0.15)  # noqa: ASYNC251  # whatever else the loop has to do
        answer = await trip
        await store.aclose()
        return answer

    assert asyncio.run(crowded())[0][0].allowed


def test_before_the_first_request_the_process_is_known_and_connected(redis_url):
    store = RedisStore(redis_url, budget=5)
    store.standby.wanted = True

    async def begin():
        await store.aopen()
        known = store.client.zcard("nexus:1:rate:workers")
        await store.aclose()
        return known

    assert asyncio.run(begin()) == 1
    store.close()


def test_a_server_that_is_not_there_yet_keeps_nobody_from_starting():
    store = RedisStore("redis://127.0.0.1:1/0")
    asyncio.run(store.aopen())
    store.close()
