"""A store that is away: answers stay right and quick, and nothing stale is read when it is back."""

import time

import pytest

from nexus_middleware.errors import StoreError
from nexus_middleware.services.cache import Cache
from nexus_middleware.services.cache.outage import DOUBT, MOST, Outage
from nexus_middleware.stores.redis import RedisStore


class Cut(RedisStore):
    """A store whose network can be cut, so that what is in it outlives the outage."""

    cut = False

    def run(self, commands):
        if self.cut:
            raise StoreError("the network is cut")
        return super().run(commands)

    async def arun(self, commands):
        if self.cut:
            raise StoreError("the network is cut")
        return await super().arun(commands)


def refused(call, *args):
    with pytest.raises(StoreError):
        call(*args)


@pytest.fixture
def store(redis_url):
    store = Cut(redis_url, budget=5)
    yield store
    store.close()


@pytest.fixture
def other(redis_url):
    """The cache of a process that sees no outage."""
    cache = Cache(redis_url)
    yield cache
    cache.store.close()


def test_while_it_is_away_nothing_is_there_and_nothing_fails(store):
    cache, calls = Cache(store), []
    cache.set("k", "kept")
    store.cut = True
    cache.set("new", 1)
    assert [cache.get("k", "none"), cache.exists("k"), cache.ttl("k"), cache.delete("x")] == [
        "none",
        False,
        None,
        False,
    ]
    assert [cache.get_or_set("k", lambda: calls.append(1) or len(calls)) for _ in range(2)] == [1, 2]
    cache.delete_tag("t")
    for call in (
        cache.flush,
        cache.stats,
        lambda: cache.increment("n"),
        cache.keys,
        lambda: cache.delete_pattern("a*"),
    ):
        with pytest.raises(StoreError):
            call()


@pytest.mark.anyio
async def test_it_is_the_same_in_an_event_loop(store):
    cache = Cache(store)
    store.cut = True

    async def fetch():
        return 7

    assert await cache.aget_or_set("k", fetch) == 7
    assert await cache.aget("k") is None
    await cache.aset("k", 1)
    assert await cache.adelete("k") is False


@pytest.mark.parametrize(
    "change",
    [
        lambda cache: cache.delete("course:1"),
        lambda cache: cache.set("course:1", "new"),
        lambda cache: cache.delete_tag("courses"),
        lambda cache: refused(cache.delete_pattern, "course:*"),
        lambda cache: refused(cache.flush),
    ],
    ids=["delete", "set", "delete_tag", "delete_pattern", "flush"],
)
@pytest.mark.parametrize(
    "back", [lambda cache: cache.get("x"), lambda cache: cache.tick(0.0)], ids=["a call", "a tick"]
)
def test_what_was_changed_meanwhile_is_not_read_when_it_is_back(store, other, change, back):
    cache = Cache(store)
    cache.set("course:1", "old", tags=("courses",))
    store.cut = True
    change(cache)
    store.cut = False
    back(cache)
    assert cache.get("course:1") is None
    assert other.get("course:1") is None, "for other processes too"
    cache.set("course:1", "newest")
    assert [cache.get("course:1"), other.get("course:1")] == ["newest", "newest"]


def test_after_an_outage_only_that_is_believed_which_was_written_since(store, other):
    cache = Cache(store)
    other.set("k", "old")
    store.cut = True
    assert cache.get("k") is None
    store.cut = False
    assert cache.get("j") is None
    assert cache.get("k") is None, "another process may not yet have said that it deleted this"
    assert [cache.get_or_set("k", lambda: "new"), cache.get_or_set("k", lambda: "newer")] == ["new", "new"]


def test_doubts_end_after_two_seconds_and_debts_are_bounded(clock):
    outage = Outage(clock)
    outage.began(StoreError("away"))
    outage.ended()
    assert outage.doubts("k")
    clock.now += DOUBT
    assert not outage.doubts("k")
    for n in range(MOST + 1):
        outage.owe(key=f"k{n}")
    assert outage.debts() == ((), (), ("*",))


def test_a_store_that_is_down_costs_one_caller_its_budget_and_the_others_nothing(own_server):
    store = RedisStore(own_server.url)
    cache = Cache(store)
    cache.set("k", 1)
    own_server.process.send_signal(19)  # SIGSTOP: it accepts, and never answers
    try:
        times = []
        for _ in range(20):
            began = time.monotonic()
            assert cache.get_or_set("k", lambda: "fetched") == "fetched"
            times.append(time.monotonic() - began)
    finally:
        own_server.process.send_signal(18)
    assert max(times) < 0.5
    assert sorted(times)[10] < 0.01
    store.close()


def test_a_restarted_store_serves_again(own_server):
    store = RedisStore(own_server.url)
    cache = Cache(store)
    cache.set("k", 1)
    own_server.stop()
    assert cache.get_or_set("k", lambda: 2) == 2
    own_server.start()
    store._breaker._shut_until = 0.0
    cache.set("k", 3)
    assert cache.get("k") == 3
    store.close()
