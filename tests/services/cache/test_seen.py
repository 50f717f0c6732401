"""What the dashboard shows of the cache: groups, loaders, keys and values, without secrets."""

import pytest

from nexus_middleware.services.cache import Cache
from nexus_middleware.services.cache.groups import MOST, Groups, group_of


@pytest.fixture
def cache(any_store):
    return Cache(any_store)


def test_each_group_of_keys_has_its_numbers(cache):
    cache.set("course:1", 1, ttl=100)
    cache.set("course:2", 1, ttl=300)
    cache.set("total", 1, ttl=float("inf"))
    for key in ("course:1", "course:1", "course:9", "user:profile:7"):
        cache.get(key)
    told = {x.group: (x.hits, x.misses, x.sets, x.average_ttl) for x in cache.groups()}
    assert told == {"course:*": (2, 1, 2, 200.0), "user:profile:*": (0, 1, 0, None), "total": (0, 0, 1, None)}
    assert cache.groups()[0].group == "course:*", "the most used first"
    assert cache.groups()[0].hit_rate == pytest.approx(2 / 3)
    assert (cache.stats().hits, cache.stats().misses) == (2, 2)


def test_counts_of_several_processes_add_up(redis_url):
    first, second = Cache(redis_url), Cache(redis_url)
    for cache in (first, second):
        cache.get("course:1")
        cache.tick(0.0)
    assert [(x.group, x.misses) for x in first.groups()] == [("course:*", 2)]
    first.store.close()


def test_loaders_say_how_long_they_take_and_what_was_avoided(cache):
    groups = cache._steps.groups
    for seconds in [0.010] * 94 + [0.2] * 6:
        groups.fetched("report:1", seconds)
    groups.fetched("course:1", 0.001, failed=True)
    groups.avoided("report:2")
    slow, fast = cache.loaders()
    assert (slow.group, slow.count, slow.avoided, slow.failed) == ("report:*", 100, 1, 0)
    assert slow.p50 == pytest.approx(10, rel=0.09) and slow.p95 == pytest.approx(200, rel=0.09)
    assert slow.total == pytest.approx(94 * 10 + 6 * 200)
    assert (fast.group, fast.count, fast.failed) == ("course:*", 1, 1)


def test_a_flood_of_strange_keys_makes_no_flood_of_groups():
    groups = Groups("cache:")
    for n in range(2 * MOST):
        groups.asked(f"g{n}:x", hit=True)
    assert len(groups._known) == MOST
    assert groups._counts["h:other"] == MOST
    assert len(group_of("x" * 10_000)) <= 60
    assert len(group_of("x" * 99 + ":" + "y" * 99 + ":z")) <= 60


def test_keys_are_listed_with_kind_size_and_time_to_live(cache):
    cache.set("course:1", {"title": "Sums"}, ttl=60)
    cache.set("course:2", "x" * 5_000, ttl=float("inf"))
    cache.increment("courses")
    cache.set("user:1", 1)
    page = cache.keys("course")
    assert page.cursor == 0
    found = {x.key: x for x in page.items}
    assert {key: (x.kind, x.ttl and round(x.ttl)) for key, x in found.items()} == {
        "course:1": ("value", 60),
        "course:2": ("value", None),
        "courses": ("number", None),
    }
    assert found["course:2"].size > 5_000 > found["course:1"].size > 0
    assert [x.key for x in cache.keys("cour*").items] == [], "a prefix is no pattern"


def test_all_keys_are_found_page_by_page(cache):
    for n in range(730):
        cache.set(f"course:{n}", n)
    cache.set("user:1", 1)
    found, cursor, pages = [], 0, 0
    while True:
        page = cache.keys("course:", cursor=cursor, count=50)
        found += [x.key for x in page.items]
        cursor, pages = page.cursor, pages + 1
        if not cursor:
            break
    assert {*found} == {f"course:{n}" for n in range(730)}
    assert pages > 1


def test_a_value_is_shown_as_text_without_its_secrets(cache):
    value = {
        "user": "Ann",
        "password": "hunter2",
        "url": "redis://:hunter2@cache/0",
        "html": "<script>alert(1)</script>",
    }
    cache.get_or_set("person:1", lambda: value, tags=("people",), ttl=60)
    shown = cache.show("person:1")
    assert shown.text.splitlines()[1:3] == ['  "user": "Ann",', '  "password": "[redacted]",']
    assert "hunter2" not in shown.text
    assert (shown.tags, shown.truncated) == (["people"], False)
    assert shown.cost is not None and shown.ttl == pytest.approx(60, abs=1)
    assert cache.show("none") is None


def test_of_a_large_value_only_the_beginning_leaves_the_store(cache):
    cache.set("large", {"token": "hunter2", "rows": ["x" * 100] * 1_000})
    shown = cache.show("large")
    assert shown.truncated and len(shown.text) <= 16 * 1024
    assert shown.size > 100_000
    assert "hunter2" not in shown.text


def test_what_something_else_put_there_is_shown_as_it_is(cache, any_store):
    from nexus_middleware.stores.commands import Push, Put

    any_store.run([Put("cache:odd", b"\xffnot json password=hunter2", None), Push("cache:list", (b"1",), 5)])
    assert "not json password=[redacted]" in cache.show("odd").text
    assert {x.key: x.kind for x in cache.keys().items} == {"odd": "value", "list": "list"}
    assert cache.show("list").text == "a list, which is no value of the cache"
