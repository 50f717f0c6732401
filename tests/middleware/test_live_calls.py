"""LiveRules: limits of JSON-RPC calls, from a file and by version: tried, enforced, rolled back, and refused whole."""

from __future__ import annotations

import itertools
import json
from functools import partial

import pytest

from nexus_middleware import Nexus, RPCLimit, RPCRule, Settings, SettingsError
from nexus_middleware.checks.standing import standing
from nexus_middleware.middleware.live import layers_of
from nexus_middleware.middleware.policy import read_policy
from tests.helpers import Answer, Origin
from tests.middleware.test_rpc_limit import call, post

NUMBERS = itertools.count()
SEARCH = '[[rpc]]\nname = "search"\nlimit = "1/minute"\ntool = "search"\n'
ALL = '[[rpc]]\nname = "all"\nlimit = "2/minute"\n'


@pytest.fixture
def make(door):
    def make(*own, path=""):
        settings = Settings(rate_limit="", namespace=f"calls-{next(NUMBERS)}", rules=str(path), log_level="error")
        layer = partial(RPCLimit, rules=own, path="/mcp")
        origin = Origin(lambda path, headers: Answer(reads=True))
        made.append(Nexus(door.app(origin), settings, layers=lambda standard: [*standard, layer]))
        return made[-1]

    made = []
    yield make
    for nexus in made:
        nexus.runtime.close()


def refused(door, nexus, *tools):
    """Which of these calls are refused, one after the other."""
    return [b"error" in post(door, nexus.stack, call(tool)).body for tool in tools]


def test_rules_of_calls_come_change_and_go_while_the_app_runs(door, make):
    nexus = make()
    change = nexus.runtime.policies.change

    assert refused(door, nexus, "search", "search") == [False, False]
    change("enforce", SEARCH)
    assert refused(door, nexus, "search", "search", "read") == [False, True, False]
    change("enforce", SEARCH.replace("1/minute", "3/minute"))
    assert refused(door, nexus, *["search"] * 4) == [False] * 3 + [True]
    change("rollback")
    assert refused(door, nexus, "search", "read") == [True, False]
    change("rollback", to=0)
    change("enforce", "strategy = 'gcra'")
    assert refused(door, nexus, *["search"] * 9) == [False] * 9


def test_a_staged_rule_refuses_nobody_and_is_counted(door, make):
    nexus = make(RPCRule("2/minute", name="own"))
    nexus.runtime.policies.change("stage", SEARCH)

    assert refused(door, nexus, "search", "search", "search") == [False, False, True]
    counts = {(x["rule"], x["refused"], x["wouldRefuse"]) for x in nexus.runtime.decisions.counts()}
    assert counts == {("rpc-own", 1, 0), ("rpc-search.staged", 0, 2)}


def test_a_rule_takes_the_place_of_the_app_s_own_of_that_name(door, make, tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(ALL)
    nexus = make(RPCRule("100/minute", name="all"), RPCRule("1/minute", tool="read", name="read"), path=path)

    assert refused(door, nexus, "read", "read", "search", "search") == [False, True, False, True]
    policy = read_policy(ALL)
    told = {
        x.rule: x.origin for x in standing(layers_of(nexus.stack), policy, read_policy("")) if x.layer == "RPCLimit"
    }
    assert told == {"rpc-all": "live", "rpc-read": "code"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('strategy = "moving-window"\n' + ALL, "strategy='moving-window' counts in a storage of its own"),
        (ALL.replace('"all"', '"own-60s"'), "two limits are called 'rpc-own-60s'"),
        (ALL.replace("2/minute", "many"), "line 3: limit='many'"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(door, make, text, message):
    nexus = make(RPCRule("1/minute;9/hour", name="own"))
    with pytest.raises(SettingsError, match=message):
        nexus.runtime.policies.change("enforce", text)
    assert refused(door, nexus, "search", "search") == [False, True]
    assert json.loads(post(door, nexus.stack, call()).body)["error"]["data"]["violatedPolicies"] == ["rpc-own-60s"]


def test_a_stack_without_the_layer_says_which_to_put_in(door):
    nexus = Nexus(door.app(Origin()), Settings(namespace=f"calls-{next(NUMBERS)}"))
    with pytest.raises(SettingsError, match=r"\[\[rpc\]\] needs an RPCLimit in the stack"):
        nexus.runtime.policies.change("stage", SEARCH)
    nexus.runtime.close()
