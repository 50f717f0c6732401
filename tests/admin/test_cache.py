"""The caches in the API: groups, loaders, single keys, tags."""

from __future__ import annotations

import json

import pytest

from tests.admin.conftest import JSON, SAME


@pytest.fixture(params=["memory", "redis"])
def desk(request, make):
    return make(store=request.getfixturevalue("redis_url")) if request.param == "redis" else make()


def test_groups_and_their_fetches_are_listed(desk):
    cache = desk.nexus.cache
    cache.get_or_set("course:1", lambda: 1, ttl=60)
    cache.get("course:1")

    group, loader = desk.json("/cache/groups")["items"][0], desk.json("/cache/loaders")["items"][0]

    assert (group["group"], group["hits"], group["misses"], group["sets"]) == ("course:*", 1, 1, 1)
    assert (group["hitRatio"], group["averageTtl"]) == (0.5, 60)
    assert (loader["group"], loader["count"], loader["failed"], loader["avoided"]) == ("course:*", 1, 0, 0)
    assert 0 < loader["p50"] <= loader["p95"]


def test_keys_come_in_pages_by_their_prefix_without_values(desk):
    for n in range(7):
        desk.nexus.cache.set(f"course:{n}", {"title": "Proofs"}, ttl=60)
    desk.nexus.cache.set("user:[1]", 1)

    found, cursor = [], "0"
    while cursor is not None:
        seen = desk.ask(f"/cache/keys?prefix=course:&limit=3&cursor={cursor}")
        page = json.loads(seen.body)
        assert b"Proofs" not in seen.body
        found, cursor = found + page["items"], page["nextCursor"]

    assert sorted(item["key"] for item in found) == [f"course:{n}" for n in range(7)]
    assert all(0 < item["ttl"] <= 60 and item["size"] > 0 and item["kind"] == "value" for item in found)
    assert [item["key"] for item in desk.json("/cache/keys?prefix=user:[1")["items"]] == ["user:[1]"]


@pytest.mark.parametrize("plain", ["a/b", "..", "sp ace"])
def test_any_key_can_be_shown_and_forgotten(desk, plain):
    desk.nexus.cache.set(plain, {"user": "ann", "password": "hunter2"}, tags=("people",))

    shown = desk.json(f"/cache/keys/{plain}")["key"]
    assert (shown["key"], shown["tags"], shown["truncated"]) == (plain, ["people"], False)
    assert "ann" in shown["text"] and "hunter2" not in shown["text"]
    assert desk.json(f"/cache/keys/{plain}", method="DELETE")["deleted"] == 1
    assert desk.problem(f"/cache/keys/{plain}")["status"] == 404
    assert desk.problem(f"/cache/keys/{plain}", method="DELETE")["status"] == 404
    assert [(x["event"], x["target"]) for x in desk.log if x.get("target")] == [("admin.cache_delete", plain)]


def test_what_has_a_tag_is_forgotten(desk):
    desk.nexus.cache.set("course:1", 1, tags=("courses",))
    desk.nexus.cache.set("user:1", 1)

    assert desk.json("/cache?tag=courses", method="DELETE") == {"success": True, "scope": "cache", "tag": "courses"}

    assert desk.nexus.cache.get("course:1") is None and desk.nexus.cache.get("user:1") == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("tag=", "bad_tag"),
        (f"tag={'x' * 201}", "bad_tag"),
        ("tag=a&pattern=*", "bad_query"),
        ("tag=a&dryRun=1", "bad_query"),
    ],
)
def test_a_tag_that_does_not_fit_forgets_nothing(desk, query, code):
    desk.nexus.cache.set("course:1", 1)

    assert desk.problem(f"/cache?{query}", method="DELETE")["code"] == code
    assert desk.nexus.cache.get("course:1") == 1


@pytest.mark.parametrize("query", [f"prefix={'x' * 513}", "cursor=-1", "cursor=x", "limit=0", "limit=201"])
def test_a_list_of_keys_that_is_asked_for_wrongly_is_a_400(desk, query):
    assert desk.problem(f"/cache/keys?{query}")["status"] == 400


def test_values_are_read_by_who_has_the_right_alone(make):
    desk = make(access=lambda scope: "read_only")
    desk.nexus.cache.set("course:1", 1)

    assert desk.json("/cache/keys")["items"][0]["key"] == "course:1"
    assert desk.problem("/cache/keys/course:1")["code"] == "forbidden"
    assert desk.problem("/cache/keys/course:1", method="DELETE", headers=[SAME, JSON])["code"] == "forbidden"
    assert desk.problem("/cache?tag=a", method="DELETE", headers=[SAME, JSON])["code"] == "forbidden"


def test_the_series_has_both_caches_and_says_which_point_is_not_over(desk):
    desk.nexus.cache.set("a", 1)
    desk.nexus.cache.get("a")
    desk.nexus.cache.get("none")

    told = desk.json("/cache/series?window=15m")

    assert (told["step"], len(told["points"])) == (60, 15)
    assert sum(point["hits"] for point in told["points"]) == 1
    assert sum(point["misses"] - point["pageMisses"] for point in told["points"]) == 1
    assert [point.get("partial") for point in told["points"]] == [None] * 14 + [True]
    assert desk.problem("/cache/series?window=2h")["code"] == "bad_window"
