"""ResponseCache in several workers: one run of the app for all, one purge for all, and no stale answer after an outage."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nexus_middleware import CacheRule
from nexus_middleware.middleware.response_cache import ResponseCache
from nexus_middleware.services.cache.pages import PageCache
from nexus_middleware.stores.level import Level
from nexus_middleware.stores.pages import Pages
from nexus_middleware.stores.redis import RedisStore
from tests.helpers import Answer, ASGIDoor, Origin, WSGIDoor

ROOT = Path(__file__).parents[2]
FRESH = [("cache-control", "max-age=60, stale-while-revalidate=60"), ("etag", '"1"')]


class Worker:
    """What one process has: its own store, both levels, and the app."""

    def __init__(self, url, origin, *, budget=5.0, **options):
        self.store = RedisStore(url, budget=budget)
        self.pages = PageCache(self.store)
        self.app = ResponseCache(origin.asgi, store=self.store, pages=self.pages.local, **options)

    @property
    def level(self):
        return self.pages.local.level


@pytest.fixture
def door():
    door = ASGIDoor()
    yield door
    door.close()


@pytest.fixture
def workers(redis_url):
    made = []

    def make(origin, n=2, *, url=redis_url, **options):
        made.extend(Worker(url, origin, **options) for _ in range(n))
        for worker in made:
            worker.pages.start()
            until(lambda worker=worker: worker.level.live)
        return made

    yield make
    for worker in made:
        worker.store.close()


def until(true, seconds=5.0):
    """Wait for what another thread does; how long it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "it never came"
        time.sleep(0.001)
    return time.monotonic() - began


def said(*headers, **more):
    return Origin(lambda path, _: Answer([b"ab", b"cd"], headers=[*headers], **more))


def test_what_one_worker_has_stored_another_answers_with_in_one_trip(door, workers):
    origin = said(*FRESH)
    one, two = workers(origin)
    first, second = door.get(one.app), door.get(two.app)

    assert (first.body, second.body, len(origin.asked)) == (b"abcd", b"abcd", 1)
    assert second.headers["cache-status"].startswith("nexus; hit")
    one.store.client.config_resetstat()
    assert door.get(two.app).body == b"abcd"
    assert set(one.store.client.info("commandstats")) <= {"cmdstat_config|resetstat", "cmdstat_ping", "cmdstat_info"}


def test_500_at_once_in_two_workers_run_the_app_once(door, workers):
    origin = said(*FRESH, pause=0.2)
    both = workers(origin)

    async def all_at_once():
        return await asyncio.gather(*[door.aget(both[i % 2].app) for i in range(500)])

    seen = door.loop.run_until_complete(all_at_once())
    assert ({one.body for one in seen}, len(origin.asked)) == ({b"abcd"}, 1)


@pytest.mark.parametrize(("doors", "callers"), [(("asgi", "asgi"), 250), (("asgi", "wsgi"), 50)])
def test_a_cold_page_that_two_processes_are_asked_for_at_once_is_one_run_of_the_app(
    redis_url, redis_server, doors, callers
):
    command = [sys.executable, "-m", "tests.middleware.crowd", redis_url]
    running = [
        subprocess.Popen([*command, door, str(callers), "2"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for door in doors
    ]
    told = [process.communicate(timeout=60)[0] for process in running]
    assert told == [f"{callers} of run 1"] * 2
    assert int(redis_server.client.get("runs")) == 1


def test_if_it_cannot_be_kept_the_other_worker_does_not_wait_for_the_lease_to_end(door, workers):
    origin = said(pause=0.1)
    both = workers(origin)

    async def one_each():
        return await asyncio.gather(*[door.aget(worker.app) for worker in both])

    began = time.monotonic()
    assert [one.body for one in door.loop.run_until_complete(one_each())] == [b"abcd"] * 2
    assert time.monotonic() - began < 2.0
    assert both[0].store.client.keys("*page-lease*") == []


def test_a_worker_that_dies_with_the_lease_holds_nobody_up_for_longer_than_it(door, workers, monkeypatch):
    monkeypatch.setattr("nexus_middleware.stores.level.LEASE", 0.3)
    origin = said(*FRESH)
    one, two = workers(origin)
    one.store.run([one.level.lease("http://example.org/")])

    began = time.monotonic()
    assert door.get(two.app).body == b"abcd"
    assert 0.2 < time.monotonic() - began < 3.0


def test_variants_are_shared_by_what_the_request_says(door, workers):
    origin = Origin(
        lambda path, headers: Answer(
            [headers.get("accept-language", "-").encode()], headers=[*FRESH, ("vary", "accept-language")]
        )
    )
    one, two = workers(origin)
    for worker in (one, two):
        for language in ("en", "de", "EN"):
            seen = door.get(worker.app, headers=[("accept-language", language)])
            assert seen.body == language.lower().encode() or seen.body == b"en"
    assert len(origin.asked) == 2


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("purge", "http://example.org/c/1"),
        ("purge", "/c/1"),
        ("purge_prefix", "/c/"),
        ("purge_prefix", "http://example.org/c"),
        ("purge_tag", "courses"),
        ("purge_tag", "own"),
    ],
)
def test_a_purge_reaches_the_other_worker_within_100_ms_and_the_shared_level_at_once(door, workers, kind, value):
    origin = said(*FRESH, ("cache-tag", "own, other"))
    one, two = workers(origin, rules=[CacheRule("/c/*", tags=("courses",))])
    for worker in (one, two):
        for path in ("/c/1", "/d"):
            assert "cache-tag" not in door.get(worker.app, path).headers
    assert len(two.pages.local) == 2

    left = 0 if value == "own" else 1
    assert getattr(one.pages, kind)(value) == 2 - left
    assert until(lambda: len(two.pages.local) == left) < 0.1
    door.get(two.app, "/c/1")
    assert len(origin.asked) == 3


def test_a_soft_purge_leaves_what_it_is_about_stale_in_all_workers(door, workers):
    origin = said(*FRESH)
    one, two = workers(origin)
    for worker in (one, two):
        door.get(worker.app)
    one.pages.purge("/", soft=True)
    until(lambda: two.pages.local.purges.known == 1)

    assert door.get(two.app).headers["cache-status"] == "nexus; hit; detail=stale"
    door.settle(two.app)
    assert len(origin.asked) == 2
    assert door.get(two.app).headers["cache-status"].startswith("nexus; hit; ttl")


def test_a_change_by_post_is_seen_by_the_other_worker_before_its_answer_has_gone_out(door, workers):
    origin = said(*FRESH)
    one, two = workers(origin)
    for worker in (one, two):
        door.get(worker.app)
    door.get(one.app, method="POST")
    until(lambda: len(two.pages.local) == 0, 0.1)
    door.get(two.app)
    assert len(origin.asked) == 3


def test_an_answer_that_was_purged_while_it_was_made_is_not_kept(door, workers):
    origin = said(*FRESH)
    one, two = workers(origin)
    purged = []

    def purge(_chunk):
        if not purged:
            purged.append(two.pages.purge("/"))
            until(lambda: one.pages.local.purges.known == 1)

    door.get(one.app, on_chunk=purge)
    assert len(one.pages.local) == 0
    door.get(two.app)
    assert len(origin.asked) == 2


def test_when_the_store_comes_back_what_may_be_stale_is_dropped(door, workers, own_server):
    origin = said(*FRESH)
    (worker,) = workers(origin, 1, url=own_server.url)
    door.get(worker.app)
    own_server.stop(kill=True)
    until(lambda: not worker.level.live)
    assert [door.get(worker.app).body for _ in range(3)] == [b"abcd"] * 3
    assert len(origin.asked) == 1

    own_server.start()
    until(lambda: worker.level.live)
    assert len(worker.pages.local) == 0
    door.get(worker.app)
    assert len(origin.asked) == 2


@pytest.mark.parametrize("make", [ASGIDoor, WSGIDoor])
def test_a_store_that_takes_calls_and_says_nothing_holds_up_nobody(make):
    origin, door = said(*FRESH), make()
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        store = RedisStore(f"redis://127.0.0.1:{silent.getsockname()[1]}", budget=0.1)
        app = ResponseCache(door.app(origin), store=store)
        took = []
        for path in ("/1", "/1", "/2", "/2"):
            began = time.monotonic()
            assert door.get(app, path).body == b"abcd"
            took.append(time.monotonic() - began)
        store.close()
    gc.collect()  # a connection that was given up while it was made, while there is a loop to close it
    door.close()
    assert max(took) < 2.0, took
    assert len(origin.asked) == 2


def test_what_was_stored_before_the_purges_were_heard_is_judged_by_them_and_not_dropped(door, workers, redis_url):
    origin = said(*FRESH)
    (worker,) = workers(origin, 1)
    door.stores.add(worker.store)
    door.loop.run_until_complete(worker.pages.apurge("http://example.org/2"))
    late = Pages()
    for number in (1, 2):
        door.get(ResponseCache(origin.asgi, pages=late), f"/{number}")
    store = RedisStore(redis_url, budget=5)
    level = late.level = Level(store, late)
    level.attach()
    until(lambda: level.live)
    assert [late.get(f"http://example.org/{number}") is not None for number in (1, 2)] == [True, False]
    store.close()


def test_a_redis_that_stops_answering_costs_no_caller_more_than_its_budget(door, workers, own_server):
    origin = said(*FRESH)
    (worker,) = workers(origin, 1, url=own_server.url, budget=0.3)
    door.get(worker.app, "/kept")
    own_server.process.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        paths = ["/kept", *[f"/{number}" for number in range(20)]]
        assert {door.get(worker.app, path).body for path in paths} == {b"abcd"}
        assert time.monotonic() - began < 3, "one budget now and then, and not one for each"
        assert len(origin.asked) == 21
    finally:
        own_server.process.send_signal(signal.SIGCONT)


def test_a_flush_leaves_what_others_keep_in_the_same_redis(door, workers):
    origin = said(*FRESH)
    one, two = workers(origin)
    client = one.store.client
    client.set("rq:job:1", b"x")
    client.set("theirs", b"x")
    door.get(one.app)
    door.get(two.app)

    assert door.loop.run_until_complete(one.pages.aflush()) == 1
    until(lambda: len(two.pages.local) == 0, 0.1)
    assert {b"rq:job:1", b"theirs"} <= set(client.keys("*"))
    assert client.keys("*:page:*") == []
