"""Tags: one command forgets all that have one, however many, and nothing comes back."""

import pytest

from nexus_middleware.services.cache import Cache


@pytest.fixture
def cache(any_store):
    return Cache(any_store)


def test_a_deleted_tag_takes_all_values_that_have_it(cache):
    cache.set("a", 1, tags=("courses",))
    cache.set("b", 2, tags=("courses", "course-2"))
    cache.get_or_set("c", lambda: 3, tags=("course-3",))
    cache.set("d", 4)
    cache.delete_tag("courses")
    assert [cache.get(key) for key in "abcd"] == [None, None, 3, 4]
    assert [cache.exists("a"), cache.ttl("b"), cache.exists("c")] == [False, None, True]
    assert cache.get_or_set("a", lambda: "anew", tags=("courses",)) == "anew"
    assert cache.get_or_set("a", lambda: "again", tags=("courses",)) == "anew"


def test_a_tag_that_is_deleted_twice_or_was_never_there_is_no_matter(cache):
    cache.delete_tag("none")
    cache.set("a", 1, tags=("t",))
    cache.delete_tag("t")
    cache.set("b", 2, tags=("t",))
    cache.delete_tag("t")
    cache.set("c", 3, tags=("t",))
    assert [cache.get(key) for key in "abc"] == [None, None, 3]


def test_a_tag_whose_generation_the_store_has_evicted_takes_its_values_along(cache, any_store):
    from nexus_middleware.stores.commands import Drop

    cache.set("a", 1, tags=("t",))
    any_store.run([Drop(("tag:cache:t",))])
    cache.set("b", 2, tags=("t",))
    assert [cache.get("a"), cache.get("b")] == [None, 2]


def test_deleting_a_tag_costs_the_same_for_one_value_and_for_a_thousand(redis_url, redis_server):
    cache = Cache(redis_url)
    for n in range(1_000):
        cache.set(f"course:{n}", n, tags=("courses",))
    redis_server.client.config_resetstat()
    cache.delete_tag("courses")
    stats = redis_server.client.info("commandstats")
    assert {name: each["calls"] for name, each in stats.items() if name != "cmdstat_config|resetstat"} == {
        "cmdstat_unlink": 1
    }
    assert cache.get("course:7") is None
    cache.store.close()


def test_a_hit_with_its_tags_at_hand_is_one_trip_and_a_plain_hit_one_command(redis_url, redis_server):
    cache = Cache(redis_url)
    cache.set("plain", 1)
    redis_server.client.config_resetstat()
    assert [cache.get("plain"), cache.get_or_set("plain", list)] == [1, 1]
    stats = redis_server.client.info("commandstats")
    assert stats["cmdstat_get"]["calls"] == 2
    assert len(stats) == 2, "GET and the reset alone"
    cache.store.close()
