"""One fetch however many callers: threads, tasks, processes; and what happens when it fails, hangs or is overtaken."""

import asyncio
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nexus_middleware.services.cache import Cache
from nexus_middleware.services.cache.entries import Entry
from nexus_middleware.stores.memory import MemoryStore
from nexus_middleware.stores.redis import RedisStore

ROOT = Path(__file__).parents[3]


@pytest.fixture
def cache(any_store):
    return Cache(any_store)


def crowd(url, fails="fine"):
    """Three processes, one with threads and two with tasks; what each of them printed."""
    command = [sys.executable, "-m", "tests.services.cache.crowd", url]
    doors = [("threads", "20"), ("tasks", "100"), ("tasks", "100")]
    running = [
        subprocess.Popen([*command, *door, fails], cwd=ROOT, stdout=subprocess.PIPE, text=True) for door in doors
    ]
    return [process.communicate(timeout=60)[0].strip() for process in running]


def test_220_callers_in_three_processes_are_one_fetch(redis_url, redis_server):
    assert crowd(redis_url) == ["20|{'by': 1}", "100|{'by': 1}", "100|{'by': 1}"]
    assert int(redis_server.client.get("fetched")) == 1
    assert list(redis_server.client.keys("nexus:*~*")) == []


def test_a_failure_reaches_every_caller_in_every_process_and_is_not_kept(redis_url, redis_server):
    outcomes = crowd(redis_url, "fails")
    assert outcomes == [f"{n}|LookupError('no such course')" for n in (20, 100, 100)]
    assert int(redis_server.client.get("fetched")) <= 3, "no more than one fetch a process"
    assert redis_server.client.get("nexus:1:cache:course") is None


def test_threads_wait_for_one_fetch(cache):
    began, calls = threading.Event(), []

    def fetch():
        calls.append(1)
        began.set()
        time.sleep(0.05)
        return {"title": "Sums"}

    with ThreadPoolExecutor(10) as pool:
        answers = [*pool.map(lambda _: cache.get_or_set("k", fetch), range(10))]

    assert answers == [{"title": "Sums"}] * 10
    assert len(calls) == 1
    assert len({id(answer) for answer in answers}) == 10, "no two callers share what they may change"


def test_a_none_is_kept_and_a_failure_is_not(cache):
    calls = []

    def fetch():
        calls.append(1)
        if len(calls) == 1:
            raise LookupError("none yet")

    with pytest.raises(LookupError):
        cache.get_or_set("k", fetch)
    assert [cache.get_or_set("k", fetch) for _ in range(3)] == [None] * 3
    assert len(calls) == 2


@pytest.mark.anyio
async def test_a_caller_that_is_cancelled_does_not_end_the_fetch_for_the_others():
    cache, go, calls = Cache(MemoryStore()), asyncio.Event(), []

    async def fetch():
        calls.append(1)
        await go.wait()
        return 7

    callers = [asyncio.ensure_future(cache.aget_or_set("k", fetch)) for _ in range(3)]
    await asyncio.sleep(0)
    callers[0].cancel()
    go.set()
    assert await asyncio.gather(*callers[1:]) == [7, 7]
    assert callers[0].cancelled()
    assert len(calls) == 1


@pytest.mark.anyio
async def test_a_thread_and_an_event_loop_share_one_fetch():
    cache, calls = Cache(MemoryStore()), []

    async def fetch():
        calls.append(1)
        await asyncio.sleep(0.05)
        return 7

    first = asyncio.ensure_future(cache.aget_or_set("k", fetch))
    await asyncio.sleep(0.01)
    assert await asyncio.to_thread(cache.get_or_set, "k", lambda: calls.append(2)) == 7
    assert await first == 7
    assert calls == [1]


def test_what_is_deleted_while_it_is_fetched_is_not_kept(cache):
    for forget in (lambda: cache.delete("k"), lambda: cache.delete_pattern("k*"), lambda: cache.delete_tag("t")):

        def fetch(forget=forget):
            forget()
            return "read before the change"

        assert cache.get_or_set("k", fetch, tags=("t",)) == "read before the change"
        assert cache.get("k") is None


def test_what_is_set_while_it_is_fetched_stands(cache):
    cache.get_or_set("k", lambda: cache.set("k", "newer") or "older")
    assert cache.get("k") == "newer"


def test_a_lease_whose_holder_has_died_is_waited_for_no_longer_than_it_lasts(redis_url):
    cache = Cache(redis_url, lease=0.2)
    cache.store.client.set("nexus:1:cache~k", b"of the dead", px=200)
    began = time.monotonic()
    assert cache.get_or_set("k", lambda: 7) == 7
    assert 0.1 < time.monotonic() - began < 5
    cache.store.close()


def test_a_fetch_that_asks_for_its_own_key_is_told_so(cache):
    def fetch():
        return cache.get_or_set("k", fetch)

    with pytest.raises(RuntimeError, match="the fetch of 'k' asks the cache for 'k'"):
        cache.get_or_set("k", fetch)
    assert cache.get_or_set("outer", lambda: cache.get_or_set("inner", lambda: 7)) == 7


def test_a_coroutine_function_is_refused_where_nobody_can_await_it(cache):
    async def fetch(): ...

    with pytest.raises(TypeError, match="use aget_or_set"):
        cache.get_or_set("k", fetch)


def test_a_value_is_fetched_early_the_likelier_the_nearer_its_end_and_the_dearer_it_is():
    entry = Entry(b"1", ends=1_000.0, cost=2.0)
    always, never = (lambda _: 1e9), (lambda _: 0.0)
    assert not entry.due(900.0, always), "long before its end"
    assert entry.due(990.0, always) and not entry.due(999.0, never)
    assert entry.due(1_000.0, never), "at its end"
    assert not Entry(b"1").due(1e12, always), "what was set has no known cost"
    draws = [sum(entry.due(now) for _ in range(4_000)) / 4_000 for now in (990.0, 996.0, 999.0)]
    assert draws == pytest.approx([0.0067, 0.135, 0.607], abs=0.05)  # e^(-left/cost)


@pytest.fixture
def near_its_end(any_store, clock):
    """A value that everybody would fetch early, and its cache."""
    cache = Cache(any_store, clock=clock)
    cache.get_or_set("k", lambda: "old", ttl=60)
    clock_at_end = clock.now + 60
    cache._clock = lambda: clock_at_end  # for the entry; the store lets it live on
    return cache


def test_one_caller_fetches_early_while_the_others_go_on_with_what_is_there(near_its_end):
    cache, seen = near_its_end, []

    def fetch():
        with ThreadPoolExecutor(1) as pool:
            seen.append(pool.submit(cache.get_or_set, "k", lambda: "nobody fetches twice").result())
        return "new"

    assert cache.get_or_set("k", fetch, ttl=600) == "new"
    assert seen == ["old"]
    assert cache.get("k") == "new"
    assert cache.ttl("k") == pytest.approx(600, abs=2)


def test_an_early_fetch_that_fails_leaves_the_value_that_is_there(near_its_end, caplog):
    def fetch():
        raise LookupError("the database is away")

    assert near_its_end.get_or_set("k", fetch) == "old"
    assert "was not renewed before its end: LookupError" in caplog.text


def test_an_early_fetch_of_another_process_is_not_made_twice(near_its_end):
    steps = near_its_end._steps
    near_its_end._do(steps._claim("k", b"another", (), near_its_end._do(steps.find("k"))))
    assert near_its_end.get_or_set("k", lambda: "mine") == "old"


@pytest.mark.anyio
async def test_in_an_event_loop_nobody_waits_for_an_early_fetch():
    cache, go = Cache(MemoryStore(), clock=lambda: 0.0), asyncio.Event()
    await cache.aget_or_set("k", lambda: "old", ttl=60)
    cache._clock = lambda: 60.0

    async def fetch():
        await go.wait()
        return "new"

    assert [await cache.aget_or_set("k", fetch) for _ in range(3)] == ["old"] * 3
    go.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert await cache.aget("k") == "new"


def test_a_forked_child_does_not_wait_for_its_parent_s_fetch():
    import os

    cache = Cache(RedisStore("redis://127.0.0.1:1/0"))
    cache._flights.lead("k")
    child = os.fork()
    if child == 0:
        os._exit(0 if cache.get_or_set("k", lambda: 7) == 7 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
