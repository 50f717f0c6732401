"""@cached: one line keeps what a function returns, by what it was called with."""

from dataclasses import dataclass

import pytest

from nexus_middleware import SettingsError
from nexus_middleware.services.cache import Cache, cached
from nexus_middleware.services.cache import decorator as module
from nexus_middleware.stores.memory import MemoryStore


@dataclass
class Course:
    number: int
    title: str = "Sums"


class Unknown: ...


@pytest.fixture
def cache():
    return Cache(MemoryStore())


def test_a_function_runs_once_for_each_set_of_arguments_and_keeps_its_type(cache):
    calls = []

    @cached(ttl=60, key="course:{number}", cache=cache)
    def course(number: int, title: str = "Sums") -> Course:
        """Find a course."""
        calls.append(number)
        return Course(number, title)

    assert [course(1), course(number=1), course(2)] == [Course(1), Course(1), Course(2)]
    assert calls == [1, 2]
    assert cache.get("course:1", type=Course) == Course(1)
    assert cache.ttl("course:1") == pytest.approx(60, abs=1)
    assert (course.__name__, course.__doc__) == ("course", "Find a course.")


@pytest.mark.anyio
async def test_a_coroutine_function_too(cache):
    @cached(key=lambda number: f"course:{number}", tags=("courses", "course-{number}"), cache=cache)
    async def course(number: int) -> Course:
        return Course(number, f"run {len(runs.append(number) or runs)}")

    runs = []
    assert (await course(1)).title == "run 1"
    assert (await course(1)).title == "run 1"
    await cache.adelete_tag("course-1")
    assert (await course(1)).title == "run 2"
    assert (await course(2)).title == "run 3"
    await cache.adelete_tag("courses")
    assert (await course(2)).title == "run 4"


def test_no_two_calls_share_a_key_by_chance(cache):
    @cached(key="{a}:{b}", cache=cache)
    def pair(a, b):
        return [a, b]

    assert pair("x:y", "z") == ["x:y", "z"]
    assert pair("x", "y:z") == ["x", "y:z"]
    assert pair("x%3Ay", "z") == ["x%3Ay", "z"]


def test_without_a_key_the_name_and_the_arguments_make_it(cache):
    @cached(cache=cache)
    def add(a, *rest, scale=1, **more):
        return (a + sum(rest)) * scale + len(more)

    assert [add(1, 2), add(1, 3), add(1, 2, scale=2), add(1, 2, x=1), add(1, 2)] == [3, 4, 6, 4, 3]
    with pytest.raises(TypeError, match="give key="):
        add(Unknown())


def test_tags_may_be_made_of_the_arguments(cache):
    @cached(key="{n}", tags=lambda n: [f"tag-{n % 2}"], cache=cache)
    def number(n):
        return calls.append(n) or n

    calls = []
    assert [number(1), number(2)] == [1, 2]
    cache.delete_tag("tag-1")
    assert [number(1), number(2)] == [1, 2]
    assert calls == [1, 2, 1]


def test_an_object_without_a_text_of_its_own_names_no_key(cache):
    @cached(key="{thing}", cache=cache)
    def of(thing):
        return 1

    with pytest.raises(TypeError, match="a Unknown has no text of its own"):
        of(Unknown())


@pytest.mark.parametrize("key", ["{n}", "{number", "{0}"])
def test_a_key_that_the_function_cannot_fill_is_refused_where_it_is_written(key):
    with pytest.raises(SettingsError, match=r"has no such argument|cannot be read"):

        @cached(key=key)
        def course(number): ...


def test_one_text_is_no_list_of_tags():
    with pytest.raises(SettingsError, match=r"write tags=\('courses',\)"):
        cached(tags="courses")


def test_a_return_type_that_json_cannot_be_read_as_is_left_alone(cache):
    @cached(cache=cache)
    def odd() -> "a name that is nowhere":  # noqa: F722
        return {"x": 1}

    assert [odd(), odd()] == [{"x": 1}] * 2


def test_without_a_cache_the_one_on_the_settings_store_is_taken(monkeypatch, redis_url):
    monkeypatch.setenv("NEXUS_STORE", redis_url)
    module._shared.cache_clear()

    @cached(key="n")
    def number():
        return 7

    assert number() == 7
    assert Cache(redis_url).get("n") == 7
    module._shared().store.close()
    module._shared.cache_clear()
