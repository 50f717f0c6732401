"""Values: what goes in comes out, in its type, for its time; and only our own keys are touched."""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexus_middleware import SettingsError
from nexus_middleware.services.cache import Cache, escape
from nexus_middleware.stores.memory import MemoryStore


@dataclass
class Lesson:
    title: str
    at: datetime
    price: Decimal


class Course(msgspec.Struct):
    id: UUID
    lessons: list[Lesson]
    starts: date | None = None


COURSE = Course(UUID(int=7), [Lesson("Sums", datetime(2026, 2, 28, 9, tzinfo=UTC), Decimal("49.90"))], date(2026, 3, 1))


@pytest.fixture
def cache(any_store):
    return Cache(any_store)


def test_a_value_comes_back_in_the_type_that_is_asked_for(cache):
    cache.set("course", COURSE)
    assert cache.get("course", type=Course) == COURSE
    assert cache.get("course")["lessons"][0] == {"title": "Sums", "at": "2026-02-28T09:00:00Z", "price": "49.90"}
    assert cache.get_or_set("course", lambda: None, type=Course) == COURSE
    with pytest.raises(msgspec.ValidationError):
        cache.get("course", type=int)


def test_what_get_or_set_returns_first_is_what_it_returns_from_the_cache(cache):
    answers = [cache.get_or_set("pair", lambda: (1, Decimal("2.5"))) for _ in range(2)]
    assert answers == [[1, "2.5"], [1, "2.5"]]
    assert answers[0] is not answers[1]


def test_a_value_of_an_older_shape_is_fetched_anew(cache):
    cache.set("course", {"an older": "shape"})
    assert cache.get_or_set("course", lambda: COURSE, type=Course) == COURSE
    assert cache.get("course", type=Course) == COURSE


def test_a_model_of_pydantic_goes_in_and_comes_back(cache):
    from pydantic import BaseModel

    class Person(BaseModel):
        name: str
        born: date

    ann = Person(name="Ann", born=date(1990, 1, 2))
    cache.set("ann", ann)
    assert cache.get("ann", type=Person) == ann


def test_what_cannot_be_json_is_refused_in_one_line(cache):
    with pytest.raises(TypeError, match="object cannot be JSON: cache a dict, a dataclass or"):
        cache.set("k", object())
    cache.set("k", "x")
    with pytest.raises(msgspec.ValidationError, match="JSON cannot be made a Cache"):
        cache.get("k", type=Cache)


@settings(deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(), st.lists, max_leaves=20))
def test_any_plain_value_comes_back_as_it_was(value):
    cache = Cache(MemoryStore())
    cache.set("k", value, tags=("a",))
    assert cache.get("k", "nothing") == value
    assert cache.get_or_set("other", lambda: value) == value
    assert cache.get("other", "nothing") == value


def test_a_value_lives_as_long_as_it_was_given(cache):
    cache.set("short", 1, ttl=60)
    cache.set("long", 1, ttl=math.inf)
    assert cache.ttl("short") == pytest.approx(60, abs=1)
    assert cache.ttl("long") == math.inf
    assert cache.ttl("none") is None
    assert [cache.exists("short"), cache.exists("none")] == [True, False]
    for ttl in (0, -1, math.nan):
        with pytest.raises(ValueError, match="in seconds and must be above 0"):
            cache.set("k", 1, ttl=ttl)


def test_a_number_is_added_to_and_read_like_any_value(cache):
    assert [cache.increment("n", amount) for amount in (1, 5, -2)] == [1, 6, 4]
    assert cache.get("n") == 4
    cache.set("m", 10)
    assert cache.increment("m") == 11
    assert cache.increment("new", ttl=60) == 1
    assert cache.ttl("new") == pytest.approx(60, abs=1)


def test_deleting_says_what_was_there(cache):
    cache.set("k", 1)
    assert [cache.delete("k"), cache.delete("k")] == [True, False]
    assert cache.get("k", "gone") == "gone"


@pytest.mark.parametrize("key", ["a*b", "a[b]", "a?b", "a\\b", "a-b^c", "ä ö\n:", "a:b~c"])
def test_an_escaped_key_is_a_pattern_for_itself_alone(cache, key):
    cache.set(key, 1)
    cache.set("axb", 2)
    cache.set("a[b]c", 3)
    assert cache.delete_pattern(escape(key)) == 1
    assert cache.get(key) is None
    assert [cache.get("axb"), cache.get("a[b]c")] == [2, 3]


def test_a_flush_takes_more_than_one_walk_and_nothing_that_is_not_the_cache_s(redis_url, redis_server):
    cache, other = Cache(redis_url), Cache(redis_url, prefix="other:")
    for n in range(1_500):
        cache.store.client.set(f"nexus:1:cache:user:{n}", b"1")
    other.set("kept", 1)
    foreign = [
        b"session:42",
        b"rq:queue:default",
        b"rq:job:1",
        b"nexus:1:rate:x",
        b"nexus:1:cachet",
        b"other-app:cache:x",
    ]
    for key in foreign:
        redis_server.client.set(key, b"x")
    assert cache.delete_pattern("user:1?") == 10
    assert cache.flush() == 1_490
    assert cache.get("user:7") is None
    assert other.get("kept") == 1
    assert redis_server.client.exists(*foreign) == len(foreign)
    cache.store.close()


def test_neither_keys_nor_flushall_is_ever_said(redis_url, redis_server):
    redis_server.client.config_resetstat()
    cache = Cache(redis_url)
    cache.set("a", 1, tags=("t",))
    cache.delete_pattern("*")
    cache.flush()
    cache.keys()
    said = {name.removeprefix("cmdstat_") for name in redis_server.client.info("commandstats")}
    assert not said & {"keys", "flushdb", "flushall", "del"}
    assert {"scan", "unlink"} <= said
    cache.store.close()


@pytest.mark.parametrize("prefix", ["", ":", "shop"])
def test_a_prefix_that_could_be_another_s_beginning_is_refused(prefix):
    with pytest.raises(SettingsError, match="must be a name with a colon"):
        Cache(prefix=prefix)


def test_a_lease_of_no_time_is_refused():
    with pytest.raises(SettingsError, match="lease=0 is in seconds"):
        Cache(lease=0)


@pytest.mark.anyio
async def test_every_method_has_a_twin_that_does_the_same():
    cache = Cache(MemoryStore())

    async def fetch():
        return {"title": "Sums"}

    await cache.aset("a", 1, tags=("t",))
    assert await cache.aget("a") == 1
    assert await cache.aexists("a") and 0 < await cache.attl("a") <= 300
    assert await cache.aget_or_set("b", fetch) == {"title": "Sums"}
    assert await cache.aget_or_set("plain", lambda: 3) == 3
    assert await cache.awarm([("a", fetch, 60), ("c", fetch, 60)]) == 1
    await cache.adelete_tag("t")
    assert await cache.aget("a") is None
    assert await cache.aincrement("n", 2) == 2
    assert await cache.adelete("n") is True
    assert [x.key for x in (await cache.akeys("b")).items] == ["b"]
    assert "Sums" in (await cache.ashow("b")).text
    assert (await cache.astats()).keys == 4
    assert {x.group for x in await cache.agroups()} == {"a", "b", "c", "plain"}
    assert {x.group for x in await cache.aloaders()} == {"b", "c", "plain"}
    assert await cache.aflush() == 4
