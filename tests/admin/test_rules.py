"""GET and POST /rules: checked, staged, enforced, rolled back; who did what is in the log."""

from __future__ import annotations

import json

import pytest

from nexus_middleware.stores.commands import Scan
from tests.admin.conftest import BEARER, JSON, SAME
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
    desk.nexus.runtime.policies.change("enforce", f"[filter]\n{filters}\n")
    desk.nexus.runtime.policies.change("rollback")
    for more in ({}, {"to": 3}):
        assert problem(desk, "rollback", **more)["code"] == "own_address"


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
    assert [x["id"] for x in desk.json("/decisions?outcome=refused&rule=a&limit=1")["items"]] == [told["id"]]
    assert desk.json(f"/decisions?cursor={told['id']}")["items"] == []
    assert desk.json("/decisions?outcome=would%20refuse")["items"] == []
    assert desk.problem("/decisions?outcome=no")["code"] == "bad_outcome"


def test_a_key_of_ten_minutes_opens_the_header(desk):
    made = desk.ask("/decisions/key", method="POST", headers=(BEARER,), body={})
    assert made.status == 200
    key = json.loads(made.body)

    told = desk.door.get(desk.nexus, "/", headers=[(key["header"], key["key"])])
    assert "RateLimit=passed" in told.headers["x-nexus-decisions"]


def test_each_rule_tells_what_it_is_about_and_how_often_it_spoke_against_a_request(desk):
    post(desk, "enforce", text=LIMIT.replace("name", 'path = "/login"\nmethods = ["POST"]\nname'))
    post(desk, "stage", text='[[limit]]\nname = "b"\nlimit = "1/minute"\n[filter]\ndeny = ["198.51.100.0/24"]\n')
    for _ in range(3):
        desk.door.get(desk.nexus, "/login", method="POST")

    told = desk.json("/rules/each?window=24h")
    rows = {(row["layer"], row["rule"]): row for row in told["items"]}
    assert told["state"] == "known"
    common = {"layer": "RateLimit", "key": "client"}
    assert rows["RateLimit", "a"] == common | {
        "rule": "a",
        "path": "/login",
        "methods": ["POST"],
        "exempt": [],
        "does": "1/minute",
        "mode": "enforce",
        "origin": "live",
        "refused": 2,
        "wouldRefuse": 0,
    }
    assert (rows["RateLimit", "b.staged"]["mode"], rows["RateLimit", "b.staged"]["origin"]) == ("shadow", "staged")
    assert rows["RateLimit", "default"]["origin"] == "code"
    assert rows["IPFilter", "by the filter of the rules file"]["does"] == "denies 1"
    assert rows["InputGuard", ""]["mode"] == "shadow"


def test_what_is_counted_of_a_rule_that_went_is_still_told(desk):
    post(desk, "enforce", text=LIMIT)
    for _ in range(2):
        desk.door.get(desk.nexus, "/")
    post(desk, "rollback")

    (row,) = [row for row in desk.json("/rules/each")["items"] if row["rule"] == "a"]
    assert (row["origin"], row["refused"]) == ("", 1)


def test_a_request_is_asked_about_as_with_the_command(desk):
    post(desk, "enforce", text=LIMIT + '[filter]\ndeny = ["198.51.100.0/24"]\n')

    def explain(**question):
        return desk.json("/rules/explain", method="POST", body=question)

    told = explain(path="/", method="get", client="192.0.2.1", headers=["X-Team: a", "Accept: *"])
    assert not told["refused"]
    assert {
        "layer": "RateLimit",
        "rule": "a",
        "meets": True,
        "does": "counts on 192.0.2.1; beyond 1 per 60 s refuses with 429",
    } in told["rules"]
    told = explain(path="/", client="198.51.100.7")
    assert told["refused"]
    assert told["rules"][-1]["does"] == "refuses with 403: by the filter of the rules file"
    told = explain(path="/mcp", method="POST", body='{"method": "tools/call", "id": 1}')
    assert not told["refused"]
    assert desk.json("/decisions?here=1")["items"] == []
    for wrong in ({}, {"path": "x"}, {"path": "/", "method": " "}, {"path": "/", "headers": ["nothing"]}):
        assert desk.problem("/rules/explain", method="POST", body=wrong or b"{}")["code"] == "bad_body"
    told = desk.problem("/rules/explain", method="POST", body={"path": "/", "client": "me"})
    assert told["code"] == "bad_address"


def test_from_another_process_only_the_live_rules_are_known(desk):
    post(desk, "enforce", text=LIMIT + "[[cache]]\npath = '/courses/*'\nttl = 60\n")
    post(desk, "stage", text=LIMIT)
    desk.nexus.runtime.front = None

    told = desk.json("/rules/each")
    assert told["state"] == "unknown"
    assert [(row["rule"], row["origin"]) for row in told["items"] if row["rule"]] == [
        ("a", "live"),
        ("a.staged", "staged"),
        ("/courses/*", "live"),
    ]
    assert desk.json("/rules/explain", method="POST", body={"path": "/courses/1"})["state"] == "unknown"


def test_each_version_that_is_kept_is_told_with_its_texts(desk):
    post(desk, "stage", text=LIMIT)
    post(desk, "enforce")

    assert (told := desk.json("/rules/versions/1"))["staged"] == LIMIT and told["enforced"] == ""
    assert desk.json("/rules/versions/2")["enforced"] == LIMIT
    for wrong in ("3", "x", "-1"):
        assert desk.problem(f"/rules/versions/{wrong}")["code"] == "not_kept"


def test_who_has_used_a_limit_is_told_and_given_it_back(desk):
    post(desk, "enforce", text=LIMIT)
    assert [desk.door.get(desk.nexus, "/").status for _ in range(2)] == [200, 429]

    told = desk.json("/security/limits?name=a")
    assert (told["total"], told["totalExact"]) == (1, True)
    (use,) = told["items"]
    assert use.pop("freesIn") <= 60
    assert use == {"id": f"a:1/60:{CLIENT}", "name": "a", "key": CLIENT, "used": 1, "limit": 1, "window": 60.0}
    assert desk.ask(f"/security/limits/{use['id']}", method="DELETE").status == 200
    assert desk.door.get(desk.nexus, "/").status == 200
    assert "admin.limit_reset" in str(desk.log)
    for wrong in ("a:1/60:nobody", "cache:x", "workers"):
        assert desk.problem(f"/security/limits/{wrong}", method="DELETE")["status"] == 404


@pytest.mark.parametrize("client", ["192.0.2.7", "2001:db8::7"])
def test_a_caller_is_found_though_the_store_has_too_many_keys_to_look_at(desk, client, monkeypatch):
    async def empty(commands):
        answers = await arun(commands)
        return [(0, []) if isinstance(each, Scan) else x for each, x in zip(commands, answers, strict=True)]

    store = desk.nexus.runtime.store
    arun = store.arun
    monkeypatch.setattr(store, "arun", empty)
    post(desk, "enforce", text=LIMIT.replace("1/minute", "2/minute"))
    desk.door.get(desk.nexus, "/", client=client)

    assert {x["name"] for x in desk.json(f"/security/limits?key={client}")["items"]} == {"a", "default"}
    assert desk.json("/security/limits")["items"] == []
    for _ in range(2):
        desk.door.get(desk.nexus, "/", client=client)
    assert desk.json("/security/limits")["items"][0]["name"] == "a"  # it was refused


def test_a_caller_with_a_long_key_is_found_by_it(desk):
    post(desk, "enforce", text=LIMIT + 'key = "header:x-team"\n')
    desk.door.get(desk.nexus, "/", headers=[("x-team", "the north")])

    assert len(desk.json("/security/limits?key=x-team%3Dthe%20north")["items"]) == 1
    assert desk.json("/security/limits?key=x-team%3Dthe%20south")["items"] == []


def test_who_has_not_the_right_resets_nothing(make):
    desk = make(access=lambda scope: {"view", "security:block"})
    assert desk.problem("/security/limits/a:1/60:x", method="DELETE", headers=[SAME, JSON])["code"] == "forbidden"


def test_who_asks_about_a_request_without_a_host_means_this_one(make):
    desk = make(allowed_hosts=("testserver", "shop.example"))
    ask = {"method": "POST", "headers": [BEARER, ("host", "shop.example")]}

    assert not desk.json("/rules/explain", body={"path": "/"}, **ask)["refused"]
    told = desk.json("/rules/explain", body={"path": "/", "headers": ["Host: evil.example"]}, **ask)
    assert told["refused"] and told["rules"][0]["layer"] == "AllowedHosts"
