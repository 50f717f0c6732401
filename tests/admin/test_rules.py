"""GET and POST /rules: checked, staged, enforced, rolled back; who did what is in the log."""

from __future__ import annotations

import json

from tests.admin.conftest import BEARER
from tests.helpers import CLIENT

LIMIT = '[[limit]]\nname = "a"\nlimit = "1/minute"\n'


def post(desk, action, **fields):
    return desk.ask("/rules", method="POST", body={"action": action, **fields})


def problem(desk, action, **fields):
    return desk.problem("/rules", method="POST", body={"action": action, **fields})


def test_rules_are_staged_enforced_and_rolled_back_and_the_log_says_who(desk):
    assert desk.json("/rules")["version"] == 0

    assert [post(desk, "stage", text=LIMIT, version=0).status, post(desk, "enforce").status] == [200, 200]
    shown = desk.json("/rules")
    assert (shown["enforced"], shown["staged"], shown["error"]) == (LIMIT, "", "")
    assert [(x["version"], x["act"], x["who"]) for x in shown["history"]] == [
        (2, "enforce", f"token {CLIENT}"),
        (1, "stage", f"token {CLIENT}"),
    ]
    assert [desk.door.get(desk.nexus, "/").status for _ in range(2)] == [200, 429]
    assert post(desk, "rollback", to=1).status == 200
    assert desk.door.get(desk.nexus, "/").status == 200
    logged = b"".join(line if isinstance(line, bytes) else str(line).encode() for line in desk.log)
    for action in (b"admin.rules_stage", b"admin.rules_enforce", b"admin.rules_rollback"):
        assert action in logged


def test_what_cannot_be_taken_is_told_with_its_line_and_changes_nothing(desk):
    bad = LIMIT.replace("1/minute", "many")
    for action in ("validate", "stage", "enforce"):
        told = problem(desk, action, text=bad)
        assert (told["status"], told["code"], told["line"]) == (400, "bad_rules", 3)
    assert problem(desk, "stage")["code"] == "bad_rules"
    assert problem(desk, "enforce")["code"] == "bad_rules"
    assert problem(desk, "burn")["code"] == "bad_body"
    assert desk.json("/rules")["version"] == 0


def test_a_check_changes_nothing(desk):
    assert post(desk, "validate", text=LIMIT).status == 200
    assert desk.json("/rules")["version"] == 0


def test_who_looked_at_an_older_version_is_told_the_newest(desk):
    post(desk, "enforce", text=LIMIT)

    told = problem(desk, "enforce", text=LIMIT, version=0)
    assert (told["status"], told["code"], told["version"]) == (409, "version_changed", 1)


def test_a_filter_that_locks_out_who_sends_it_is_refused(desk):
    for filters in ('deny = ["203.0.113.0/24"]', 'allow = ["10.0.0.0/8"]'):
        assert problem(desk, "enforce", text=f"[filter]\n{filters}\n")["code"] == "own_address"
        assert post(desk, "stage", text=f"[filter]\n{filters}\n").status == 200
        assert problem(desk, "enforce")["code"] == "own_address"


def test_who_may_only_look_changes_nothing(make):
    desk = make(access=lambda scope: "read_only")

    assert problem(desk, "enforce", text=LIMIT)["status"] == 403
    assert desk.json("/rules")["version"] == 0


def test_decisions_are_found_by_request_and_counted_by_rule(desk):
    post(desk, "enforce", text=LIMIT)
    refused = [desk.door.get(desk.nexus, "/") for _ in range(2)][1]

    told = desk.json(f"/requests/{refused.headers['x-request-id']}/decisions")
    assert (told["outcome"], told["client"]) == ("refused", CLIENT)
    assert {"layer": "RateLimit", "rule": "a", "refused": 1, "wouldRefuse": 0} in desk.json("/decisions/counts")[
        "items"
    ]
    assert desk.json("/decisions")["items"][0]["request_id"] == told["request_id"]
    assert desk.json("/decisions?here=1&limit=1")["items"][0]["status"] == 429
    assert desk.problem("/requests/none/decisions")["code"] == "not_kept"


def test_a_key_of_ten_minutes_opens_the_header(desk):
    made = desk.ask("/decisions/key", method="POST", headers=(BEARER,), body={})
    assert made.status == 200
    key = json.loads(made.body)

    told = desk.door.get(desk.nexus, "/", headers=[(key["header"], key["key"])])
    assert "RateLimit=passed" in told.headers["x-nexus-decisions"]
