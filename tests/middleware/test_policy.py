"""The rules file: what it says, and in which line it says what cannot be."""

import pytest

from nexus_middleware import SettingsError, by_api_key
from nexus_middleware.middleware.policy import PolicyError, read_policy

GOOD = """
strategy = "gcra"

[[limit]]
limit = "100/minute"

[[limit]]
name = "sign-in"
limit = "5/15minutes"
path = "/login"
methods = ["POST"]
key = "header:X-Tenant"
count = "failures"
mode = "shadow"

[filter]
deny = ["198.51.100.0/24"]

[[rpc]]
limit = "100/minute"

[[rpc]]
name = "search"
limit = "10/minute"
method = "tools/call"
tool = "search"
key = "api-key"
mode = "shadow"

[[cache]]
path = "/courses/*"
ttl = 60
tags = ["courses"]
"""


def test_a_file_says_all_that_the_layers_take():
    policy = read_policy(GOOD)

    assert policy.strategy == "gcra"
    assert [rule.name for rule in policy.limits] == ["default", "sign-in"]
    assert policy.limits[1].count_when(None, 401)
    assert not policy.limits[1].count_when(None, 200)
    assert policy.deny == ("198.51.100.0/24",)
    first, second = policy.calls
    assert (first.name, first.method, first.tool) == ("default", "*", "*")
    assert (second.method, second.tool, second.key, second.mode) == ("tools/call", "search", by_api_key, "shadow")
    assert policy.cache[0].tags == ("courses",)


def test_an_empty_file_has_no_rules():
    assert read_policy("").limits == ()


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("[[limit]]\nlimit = lots\n", 2, "not TOML"),
        ("[[limit]]\nlimit = 'lots'\n", 2, "must be like '100/minute'"),
        ("\n[[limit]]\nlimit = '1/minute'\n[[limit]]\nname = 'b'\nlimit = '0/minute'\n", 6, "admits nobody"),
        ("[[limit]]\nlimit = '1/minute'\nkey = 'shoe size'\n", 3, "client, api-key, user or header:NAME"),
        ("[[limit]]\nlimit = '1/minute'\nkey = 'header:'\n", 3, "header:NAME"),
        ("[[limit]]\nlimit = '1/minute'\ncount = 'some'\n", 3, "all, failures, successes"),
        ("[[limit]]\nlimit = '1/minute'\nmode = 'perhaps'\n", 3, "mode"),
        ("[[limit]]\nlimit = '1/minute'\nmethod = ['POST']\n", 3, "unknown field `method`"),
        ("[[limit]]\nname = 'a b'\nlimit = '1/minute'\n", 2, "letters"),
        ("[[limit]]\nlimit = 5\n", 2, "expected `str`"),
        ("[[limit]]\nname = 'a'\n", 1, "missing required field `limit`"),
        ("[[limit]]\nlimit = '1/minute'\n[[limit]]\nlimit = '2/minute'\n", 3, "two limits are called 'default'"),
        ("[[rpc]]\nlimit = '1/minute'\n[[rpc]]\nname = 'b'\nlimit = 'few'\n", 5, "must be like '100/minute'"),
        ("[[rpc]]\nlimit = '1/minute'\nkey = 'shoe size'\n", 3, "client, api-key, user or header:NAME"),
        ("[[rpc]]\nlimit = '1/minute'\npath = '/mcp'\n", 3, "unknown field `path`"),
        ("[[rpc]]\nlimit = '1/minute'\n[[rpc]]\nlimit = '2/minute'\n", 3, "two limits are called 'rpc-default'"),
        ("[limits]\n", 1, "unknown field `limits`"),
        ("\n[filter]\nallow = ['lan']\n", 3, "no address or network"),
        ("[[cache]]\npath = '/a'\nttl = 0\n", 3, "above 0"),
        ("[[cache]]\npath = '/a'\nttl = 5\nvary = ['cookie']\n", 4, "keep what is one caller's"),
        ("strategy = 'luck'\n", 1, "luck"),
        ("[[limit]]\nlimit = '1/minute'\ncount = 'failures'\n[filter]\n[x]\n", 5, "unknown field `x`"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line_and_reason(text, line, why):
    with pytest.raises(PolicyError, match=why) as told:
        read_policy(text)
    assert told.value.line == line, str(told.value)
    assert isinstance(told.value, SettingsError)
