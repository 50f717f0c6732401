"""DecisionLog: what is recorded of a request, who is told in a header, and that the rest costs nothing."""

from __future__ import annotations

import pytest

from nexus_middleware import IPFilter, RateLimit, RequestID, Rule, SettingsError
from nexus_middleware.middleware.decision_log import DecisionLog
from nexus_middleware.rules.decisions import opens, sign
from tests.helpers import CLIENT, Clock, Origin

SECRET = "a secret of the administrators"
RULES = [Rule("2/minute"), Rule("1/minute", name="tight", mode="shadow")]


def stack(door, store, *, rules=RULES, deny=(), **options):
    told = []
    inner = IPFilter(RateLimit(door.app(Origin()), rules, store=store), deny=deny)
    return RequestID(DecisionLog(inner, record=told.append, clock=Clock(), **options)), told


def test_a_shadow_rule_s_refusal_is_recorded_by_rule_and_the_answer_shows_nothing_of_it(door, store):
    app, told = stack(door, store)
    bare, _ = stack(door, store, rules=[Rule("9/minute", name="other")])

    answers = [door.get(app) for _ in range(3)]

    assert [a.status for a in answers] == [200, 200, 429]
    assert answers[1].headers.keys() == door.get(bare).headers.keys()
    assert [record.outcome for record in told] == ["would refuse", "refused"]
    assert told[0].refusals == [("RateLimit", "tight", "would refuse")]
    ruling = told[0].decisions[-1].rules[1]
    assert (ruling.key, ruling.count, ruling.limit, ruling.window) == (CLIENT, 1, 1, 60.0)
    assert ("RateLimit", "default", "refused") in told[1].refusals
    assert told[1].request_id == answers[2].headers["x-request-id"]


def test_what_was_not_reached_says_so_and_a_filter_names_its_list(door, store):
    app, told = stack(door, store, deny=[CLIENT])

    assert door.get(app).status == 403
    assert [(d.layer, d.verdict) for d in told[0].decisions[-2:]] == [
        ("IPFilter", "answered"),
        ("RateLimit", "not reached"),
    ]
    assert told[0].refusals == [("IPFilter", "in a denied network", "refused")]


def test_requests_that_pass_are_recorded_as_often_as_the_sample_says(door, store):
    chances = iter([0.4, 0.6])
    app, told = stack(door, store, rules=[Rule("9/minute")], sample=0.5, chance=lambda: next(chances))

    assert [door.get(app).status for _ in range(2)] == [200, 200]
    assert [record.outcome for record in told] == ["passed"]


def test_a_refused_request_of_the_sample_is_recorded_once(door, store):
    app, told = stack(door, store, rules=[Rule("1/minute")], sample=1.0)

    [door.get(app) for _ in range(2)]
    assert [record.outcome for record in told] == ["passed", "refused"]


def test_without_sample_and_secret_the_layer_has_no_step_on_a_request_s_way(store):
    assert DecisionLog(None, record=print).steps == {"watch"}


def test_a_signed_key_is_told_the_decisions_and_no_cache_keeps_them(door, store):
    app, _ = stack(door, store, secret=SECRET)
    now = int(Clock().now)

    told = door.get(app, headers=[("x-nexus-decisions", sign(SECRET, now + 60))])
    assert "RateLimit=passed" in told.headers["x-nexus-decisions"]
    assert 'rule="default 1/2 per 60 s"' in told.headers["x-nexus-decisions"]
    assert told.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("key", [sign("another", 2_000_000), sign(SECRET, 999_999), SECRET, "", "9.", "9" * 5000])
def test_no_other_key_is_told_anything(door, store, key):
    app, _ = stack(door, store, secret=SECRET)

    assert "x-nexus-decisions" not in door.get(app, headers=[("x-nexus-decisions", key)]).headers


def test_digits_of_other_scripts_are_no_time():
    assert not opens(SECRET, "².00", 0.0)


def test_a_share_is_from_nought_to_one():
    with pytest.raises(SettingsError, match="sample=2 must be a share from 0 to 1"):
        DecisionLog(None, record=print, sample=2)
