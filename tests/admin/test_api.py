"""The JSON API: its shapes, its errors, its headers."""

from __future__ import annotations

import json

import pytest

from tests.admin.conftest import API, Queues


def test_health_has_every_documented_field_and_its_type(desk):
    said = desk.json("/health")
    health = said["health"]

    assert health["status"] in ("healthy", "degraded", "unhealthy")
    assert {type(health["memory"][name]) for name in ("rssMB", "heapUsedMB")} <= {int, float}
    assert isinstance(health["cpu"]["percent"], (int, float))
    assert isinstance(health["uptime"]["processFormatted"], str)
    assert isinstance(health["api"]["avgResponseTime"], int) and isinstance(health["api"]["requestCount"], int)
    assert isinstance(health["database"]["avgQueryTime"], int) and isinstance(health["database"]["queryCount"], int)
    assert said["services"] == {"redis": "disabled", "queues": "healthy"}
    assert said["meta"]["environment"] == "development" and said["meta"]["time"].endswith("Z")


def test_cache_says_text_and_numbers_of_the_same_counts(desk):
    desk.nexus.cache.set("course:1", 1)
    for key in ("course:1", "course:1", "course:1", "course:2"):
        desk.nexus.cache.get(key)

    stats = desk.json("/cache")["stats"]

    assert (stats["keys"], stats["hits"], stats["misses"]) == (1, 3, 1)
    assert (stats["hitRate"], stats["hitRatio"]) == ("75.00%", 0.75)
    assert stats["memory"].endswith("MB") and isinstance(stats["memoryBytes"], int) and stats["keysExact"]
    assert [group["name"] for group in stats["groups"]] == ["values", "pages"]


def test_queues_are_given_by_name(desk):
    said = desk.json("/queues")

    assert said["stats"]["email-queue"]["completed"] == 12500 and said["meta"]["queues"] == "enabled"


def test_where_there_can_be_no_queues_the_answer_is_an_empty_object(make):
    said = make(queues=Queues(disabled=True)).json("/queues")

    assert said["stats"] == {} and said["meta"]["queues"] == "disabled"


def test_the_overview_is_all_in_one(desk):
    said = desk.json("/overview")

    assert said["health"] and said["cache"]["stats"] and said["queues"]["stats"]["email-queue"] and said["meta"]


def test_clearing_the_cache_says_how_many_keys_there_were(desk):
    for n in range(5):
        desk.nexus.cache.set(f"course:{n}", n)
    desk.nexus.cache.set("user:1", 1)

    assert desk.json("/cache?pattern=course:*&dryRun=1", method="DELETE")["matched"] == 5
    assert desk.json("/cache?pattern=course:*", method="DELETE") == {"success": True, "deleted": 5, "scope": "cache"}
    assert desk.json("/cache", method="DELETE")["deleted"] == 1
    assert desk.json("/cache")["stats"]["keys"] == 0


def test_nothing_is_cleared_when_there_is_much_more_than_was_expected(desk):
    for n in range(5):
        desk.nexus.cache.set(f"course:{n}", n)

    why = desk.problem("/cache?expected=3", method="DELETE")

    assert (why["status"], why["code"], why["matched"]) == (409, "count_changed", 5)
    assert desk.json("/cache?expected=5", method="DELETE")["deleted"] == 5


def test_clearing_leaves_bans_limits_and_what_else_is_in_the_store(make, redis_server, redis_url):
    desk = make(store=redis_url)
    redis_server.client.set("foreign", 1)
    desk.nexus.cache.set("mine", 1)
    desk.json("/security/blocked", method="POST", body={"address": "192.0.2.7"})

    assert desk.json("/cache", method="DELETE")["deleted"] == 1

    assert redis_server.client.get("foreign") == b"1"
    assert desk.json("/security/blocked")["total"] == 1


@pytest.mark.parametrize(
    ("action", "told", "count"),
    [("pause", "pause", None), ("resume", "resume", None), ("retry-failed", "retry", 23), ("empty", "clear", 45)],
)
def test_a_queue_can_be_steered(desk, action, told, count):
    said = desk.json(f"/queues/email-queue/{action}", method="POST")

    assert said["queue"] == "email-queue" and said.get("count") == count
    assert desk.nexus.runtime.queues.told == [(told, "email-queue")]


def test_a_queue_that_does_not_exist_is_a_404_and_nothing_is_done(desk):
    assert desk.problem("/queues/nobody/empty", method="POST")["code"] == "unknown_queue"
    assert desk.nexus.runtime.queues.told == []


def test_blocking_lists_and_unblocking_removes(desk):
    asked = {"address": "192.0.2.77/24", "reason": "<script>alert(1)</script>", "lasts": 3600}
    assert desk.json("/security/blocked", method="POST", body=asked)["address"] == "192.0.2.0/24"

    item = desk.json("/security/blocked")["items"][0]
    assert item["address"] == "192.0.2.0/24" and item["reason"] == asked["reason"] and item["until"].endswith("Z")

    desk.json("/security/blocked?address=192.0.2.0/24", method="DELETE")
    assert desk.json("/security/blocked")["total"] == 0


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("203.0.113.7", "own_address"),
        ("203.0.113.0/24", "own_address"),
        ("0.0.0.0/0", "everyone"),
        ("nonsense", "bad_address"),
        ("127.1", "bad_address"),
        ("1.2.0.0/2", "bad_address"),
        ("x" * 100, "bad_body"),
    ],
)
def test_what_would_lock_out_too_many_is_refused(desk, address, code):
    assert desk.problem("/security/blocked", method="POST", body={"address": address})["code"] == code
    assert desk.json("/security/blocked")["total"] == 0


def test_what_was_blocked_is_told_newest_first(desk):
    for n in range(3):
        desk.json("/security/blocked", method="POST", body={"address": f"192.0.2.{n}"})

    said = desk.json("/security/events?limit=2&kind=block")

    assert [(item["kind"], item["address"]) for item in said["items"]] == [
        ("block", "192.0.2.2"),
        ("block", "192.0.2.1"),
    ]
    assert said["items"][0]["at"].endswith("Z")
    rest = desk.json(f"/security/events?kind=block&cursor={said['nextCursor']}")
    assert [item["address"] for item in rest["items"]] == ["192.0.2.0"]
    assert rest["nextCursor"] is None


def test_what_administrators_did_and_wrong_tokens_are_on_the_list(desk):
    desk.json("/security/blocked", method="POST", body={"address": "192.0.2.7"})
    desk.ask("/health", headers=[("authorization", "Bearer wrong")])

    items = desk.json("/security/events")["items"]

    assert [(item["kind"], item["detail"]) for item in items if item["layer"] == "Admin"][:2] == [
        ("sign_in_failed", "a wrong token"),
        ("admin_action", "block 192.0.2.7"),
    ]


def test_what_took_the_most_time_comes_first(desk):
    desk.nexus.monitor.track_api("GET /often", 10, 200)
    desk.nexus.monitor.track_api("GET /slow", 30, 500)
    desk.nexus.monitor.track_db("select 1", 5)

    said = desk.json("/performance")

    assert [(row["endpoint"], row["share"]) for row in said["endpoints"]] == [("GET /slow", 0.75), ("GET /often", 0.25)]
    assert said["endpoints"][0]["errors"] == 1 and len(said["queries"]) == 1 and said["meta"]["scope"] == "process"


def test_what_an_administrator_does_is_in_the_log(desk):
    desk.json("/cache", method="DELETE")

    line = next(line for line in desk.log if line["event"] == "admin.cache_clear")
    assert (line["who"], line["client"], line["count"], line["kind"]) == ("token", "203.0.113.7", 0, "security")
    assert line["request_id"]


def test_every_answer_says_its_version_and_is_not_to_be_stored(desk):
    for path in ("/health", "/cache", "/nothing"):
        headers = desk.ask(path).headers
        assert headers["x-api-version"] == "1" and headers["cache-control"] == "no-store"


def test_an_unchanged_answer_is_a_304(desk):
    first = desk.ask("/queues")
    tag = first.headers["etag"]

    again = desk.ask(
        "/queues", headers=[("authorization", "Bearer correct horse battery staple"), ("if-none-match", tag)]
    )

    assert tag.startswith('W/"') and again.status == 304 and again.body == b""


def test_head_is_get_without_a_body_and_options_names_the_methods(desk):
    head = desk.ask("/cache", method="HEAD")
    assert head.status == 200 and head.body == b"" and int(head.headers["content-length"]) > 100

    options = desk.ask("/cache", method="OPTIONS")
    assert options.status == 204 and options.headers["allow"] == "DELETE, GET, HEAD, OPTIONS"


def test_another_method_is_a_405_that_names_the_right_ones(desk):
    seen = desk.ask("/health", method="DELETE")

    assert seen.status == 405 and seen.headers["allow"] == "GET, HEAD, OPTIONS"
    assert json.loads(seen.body)["code"] == "method_not_allowed"


def test_a_problem_names_the_request(desk):
    why = desk.problem("/nothing")

    assert why["code"] == "not_found" and why["requestId"] and why["instance"] == f"{API}/nothing"


def test_without_redis_health_still_answers_and_nothing_is_invented(make, own_server):
    desk = make(store=own_server.url)
    assert desk.json("/health")["services"]["redis"] == "healthy"
    own_server.stop(kill=True)
    desk.nexus.runtime.__dict__.pop("queues")

    seen = desk.ask("/cache")

    assert seen.status == 503 and seen.headers["retry-after"] == "5"
    assert desk.problem("/cache", method="DELETE")["code"] == "store_unavailable"
    overview = desk.json("/overview")
    assert overview["cache"] == {"error": "store_unavailable"}
    desk.nexus.runtime.monitor.health()
    own_server.start()


HOSTILE = [
    ("/cache?pattern=" + "a" * 600, "DELETE", b""),
    ("/cache?pattern=", "DELETE", b""),
    ("/cache?pattern=%ff%fe", "DELETE", b""),
    ("/cache?expected=1e9", "DELETE", b""),
    ("/cache?expected=" + "9" * 5000, "DELETE", b""),
    ("/cache?" + "&".join(f"a{n}=1" for n in range(100)), "DELETE", b""),
    ("/security/blocked", "POST", b"{"),
    ("/security/blocked", "POST", b"\xff"),
    ("/security/blocked", "POST", b"[" * 60_000),
    ("/security/blocked", "POST", b'{"address": 7}'),
    ("/security/blocked", "POST", b'{"address": "192.0.2.1", "lasts": -1}'),
    ("/security/blocked", "POST", b'{"address": "192.0.2.1", "lasts": 1e999}'),
    ("/security/blocked", "POST", b'{"address": "' + b"1" * 70_000 + b'"}'),
    ("/security/blocked?address=%00", "DELETE", b""),
    ("/security/events?limit=201", "GET", b""),
    ("/security/events?limit=000002999999", "GET", b""),
    ("/security/events?limit=-1", "GET", b""),
    ("/queues/..%2f..%2f/empty", "POST", b""),
    ("/queues/a\r\nb/empty", "POST", b""),
    ("/queues//empty", "POST", b""),
]


@pytest.mark.parametrize(("path", "method", "body"), HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_input_is_a_problem_and_never_a_500(desk, path, method, body):
    assert 400 <= desk.problem(path, method=method, body=body)["status"] < 500
    assert desk.nexus.runtime.queues.told == []


def test_no_secret_is_in_any_answer(make, redis_url):
    desk = make(store=redis_url.replace("//", "//:hunter2@", 1), queues=Queues(disabled=True))

    whole = b"".join(desk.ask(path).body for path in ("/overview", "/cache", "/me", "/admin/infrastructure/"))

    assert b"hunter2" not in whole
    assert b"correct horse" not in whole
