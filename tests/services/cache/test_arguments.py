"""What does not fit is told in one line, the same on both stores, on a hit and on a miss; no key takes the store down."""

from __future__ import annotations

import datetime as dt
import math

import pytest

from nexus_middleware.errors import SettingsError, StoreError
from nexus_middleware.services.cache import Cache, cached


@pytest.fixture
def cache(any_store):
    cache = Cache(any_store)
    cache.set("here", 1)
    return cache


CALLS = {
    "get": lambda cache, key: cache.get(key),
    "set": lambda cache, key: cache.set(key, 1),
    "delete": lambda cache, key: cache.delete(key),
    "exists": lambda cache, key: cache.exists(key),
    "ttl": lambda cache, key: cache.ttl(key),
    "increment": lambda cache, key: cache.increment(key),
    "get_or_set": lambda cache, key: cache.get_or_set(key, lambda: 1),
    "warm": lambda cache, key: cache.warm([(key, lambda: 1, 60)]),
    "delete_tag": lambda cache, key: cache.delete_tag(key),
    "delete_pattern": lambda cache, key: cache.delete_pattern(key),
}


@pytest.mark.parametrize("key", [None, 1, b"course", ("course", 1), ["course"]], ids=repr)
@pytest.mark.parametrize("call", CALLS)
def test_a_name_that_is_no_text_is_told(cache, call, key):
    with pytest.raises(TypeError, match="must be a text"):
        CALLS[call](cache, key)


@pytest.mark.parametrize(
    "key", ["half \ud800", "", ":", "~", "a~b", "*", "[x]?", "two\nlines", "\0", "ü☃", "x" * 99_999]
)
def test_any_text_is_a_key_and_none_is_taken_for_an_outage(cache, key):
    cache.set(key, 2)
    assert (cache.get(key), cache.ttl(key) is not None, cache.get("here")) == (2, True, 1)
    assert cache.flush() == 2
    assert cache.get(key) is None


@pytest.mark.parametrize("ttl", [0, -1, math.nan])
@pytest.mark.parametrize("key", ["here", "away"])
def test_no_time_at_all_is_told_whether_the_value_is_there_or_not(cache, key, ttl):
    for call in (
        lambda: cache.set(key, 1, ttl),
        lambda: cache.get_or_set(key, lambda: 1, ttl),
        lambda: cache.increment(key, ttl=ttl),
    ):
        with pytest.raises(ValueError, match="must be above 0"):
            call()


@pytest.mark.parametrize("ttl", ["60", dt.timedelta(minutes=1)], ids=str)
def test_a_time_that_is_no_number_is_told(cache, ttl):
    for call in (
        lambda: cache.set("here", 1, ttl),
        lambda: cache.get_or_set("here", lambda: 1, ttl),
        lambda: cache.increment("here", ttl=ttl),
    ):
        with pytest.raises(TypeError, match="must be a number of seconds"):
            call()


@pytest.mark.parametrize("ttl", [math.inf, 1e300, 1e12])
def test_a_time_beyond_a_century_is_for_good(cache, ttl):
    cache.set("long", 1, ttl)
    assert (cache.get("long"), cache.ttl("long")) == (1, math.inf)


@pytest.mark.parametrize("tags", ["courses", None, (1,), 7], ids=repr)
def test_tags_that_are_no_texts_are_told(cache, tags):
    with pytest.raises(TypeError, match="tags="):
        cache.set("here", 1, tags=tags)


def test_a_fetch_that_is_no_function_is_told_on_a_hit_too(cache):
    for key in ("here", "away"):
        with pytest.raises(TypeError, match="must be a function that returns the value"):
            cache.get_or_set(key, 1)


@pytest.mark.parametrize("amount", [1.5, "1", None], ids=repr)
def test_an_amount_that_is_no_whole_number_is_told(cache, amount):
    with pytest.raises(TypeError, match="must be a whole number"):
        cache.increment("here", amount)


def test_counting_ends_where_redis_ends(cache):
    cache.increment("many", 2**62)
    with pytest.raises(StoreError, match="overflow"):
        cache.increment("many", 2**62)
    with pytest.raises(ValueError, match="larger than any number"):
        cache.increment("many", 2**70)
    assert cache.get("many") == 2**62


def test_a_value_that_contains_itself_or_half_a_character_is_told(cache):
    value = []
    value.append(value)
    for wrong, why in ((value, "contains itself"), ("\ud800", "surrogates")):
        with pytest.raises(TypeError, match=f"cannot be JSON.*{why}"):
            cache.set("here", wrong)
    assert cache.get("here") == 1


def test_warming_goes_on_after_a_fetch_that_fails_and_says_so(cache):
    with pytest.raises(ZeroDivisionError) as raised:
        cache.warm([("bad", lambda: 1 / 0, 60), ("good", lambda: 2, 60)])
    assert cache.get("good") == 2
    assert raised.value.__notes__ == ["1 of 2 values could not be fetched; the others are there"]


@pytest.mark.parametrize(
    ("decorate", "told"),
    [
        (lambda: cached(lambda: 1), "with brackets"),
        (lambda: cached(ttl=0)(lambda: 1), "must be above 0"),
        (lambda: cached(ttl=None)(lambda: 1), "must be a number of seconds"),
        (lambda: cached()(yields), "return a list"),
        (lambda: cached()(ayields), "return a list"),
        (lambda: Cache(None), "must be a URL"),
    ],
)
def test_what_cannot_work_is_told_where_it_is_written(decorate, told):
    with pytest.raises(SettingsError, match=told):
        decorate()


def yields():
    yield 1


async def ayields():
    yield 1
