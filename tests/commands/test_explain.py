"""`nexus explain`: which rules a request meets and what they would do, of a rules file or of an app."""

from __future__ import annotations

import json

import pytest

from nexus_middleware import CORS, APIKey, BodyLimit, CSPReports, Layer
from nexus_middleware.__main__ import main
from nexus_middleware.checks import explaining, look

RULES = """
[[limit]]
limit = "100/minute"

[[limit]]
name = "sign-in"
limit = "5/15minutes"
path = "/login"
methods = ["POST"]
count = "failures"
mode = "shadow"

[filter]
deny = ["198.51.100.0/24"]

[[rpc]]
name = "search"
limit = "10/minute"
method = "tools/call"
tool = "search"

[[rpc]]
name = "lists"
limit = "100/minute"
method = "tools/list"

[[cache]]
path = "/courses/*"
ttl = 60
tags = ["courses"]
"""
APP = """
from nexus_middleware import APIKey, Nexus, Rule, Settings, by_header
nexus = Nexus(None, Settings(api_keys=("a key",)), rules=[Rule("5/minute", name="team", key=by_header("x-team"))])
"""


@pytest.fixture
def explain(tmp_path, monkeypatch, capsys):
    """Run the command in a folder that has a rules file and an app; return its exit code and its output."""
    (tmp_path / "rules.toml").write_text(RULES)
    (tmp_path / "explained.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def explain(*arguments):
        code = main(["explain", *arguments])
        out, err = capsys.readouterr()
        return code, out or err

    return explain


def test_the_rules_of_a_file_say_what_they_would_do(explain):
    assert explain("post", "/login", "--client", "203.0.113.9", "--rules", "rules.toml") == (
        0,
        (
            "RateLimit      default: counts on 203.0.113.9; beyond 100 per 60 s refuses with 429\n"
            "RateLimit      sign-in: counts on 203.0.113.9, given back by the answer's status; beyond 5 per 900 s would "
            "refuse with 429, and does not (shadow)\n"
            "RPCLimit       leaves it alone: it is no POST in JSON to its path\n"
            "ResponseCache  leaves it alone: it is neither GET nor HEAD\n"
        ),
    )


def test_a_rule_about_something_else_says_about_what(explain):
    _, out = explain("GET", "/courses/7?page=2", "--rules", "rules.toml", "--json")

    told = {(x["layer"], x["rule"]): (x["meets"], x["does"]) for x in json.loads(out)["rules"]}
    assert told["RateLimit", "sign-in"] == (False, "is about POST /login alone")
    assert told["ResponseCache", "/courses/*"] == (
        True,
        "keeps the answer 60 s if that says nothing else, tagged courses",
    )


def test_who_is_refused_anyway_is_told_by_whom_and_by_the_exit_code(explain):
    assert explain("GET", "/", "--client", "198.51.100.1", "--rules", "rules.toml") == (
        1,
        "IPFilter  refuses with 403: in a denied network\n",
    )


def test_an_app_s_own_layers_are_asked(explain):
    code, out = explain("GET", "/api/x", "--app", "explained:nexus", "--header", "X-Team: north")
    assert code == 1
    assert "APIKey     refuses with 401: no key" in out
    assert "RateLimit  team: counts on " in out

    code, _ = explain("GET", "/api/x", "--app", "explained:nexus", "--header", "X-API-Key: a key")
    assert code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["GET", "/"], "nothing to try it on: give --app module:attribute or --rules FILE, or set NEXUS_RULES"),
        (["GET", "x", "--rules", "rules.toml"], "'x' must be a path that begins with /"),
        (["GET", "/", "--rules", "rules.toml", "--header", "x"], "--header 'x' must be 'NAME: VALUE'"),
        (["GET", "/", "--rules", "none.toml"], "'none.toml' cannot be read"),
        (["GET", "/", "--app", "none"], "'none' must be module:attribute"),
    ],
)
def test_wrong_use_says_what_would_do(explain, arguments, message):
    code, said = explain(*arguments)

    assert code == 2
    assert message in said


def test_without_an_option_the_environment_names_the_file(explain, monkeypatch):
    monkeypatch.setenv("NEXUS_RULES", "rules.toml")

    assert explain("GET", "/")[0] == 0


def test_what_a_layer_answers_itself_goes_no_further_and_is_no_refusal():
    app = CORS(APIKey(None, ["a key"], paths=("*",)), origins=["https://a.example"])
    headers = ["Origin: https://a.example", "Access-Control-Request-Method: GET"]

    lines, refused = explaining.explain(look(app).layers, explaining.Asked("OPTIONS", "/", "192.0.2.7", headers))
    assert not refused
    assert [(line.layer, line.does) for line in lines] == [("CORS", "answers with 204: an allowed origin")]


def test_layers_in_shadow_say_what_they_would_do_and_the_next_one_is_asked():
    app = BodyLimit(APIKey(None, ["a key"], paths=("*",)), 5, mode="shadow")
    app = CSPReports(app, record=lambda *_: pytest.fail("a question is no report"), per_client=1, mode="shadow")
    asked = explaining.Asked("POST", "/csp-reports", "192.0.2.7", ["Content-Type: application/csp-report"], b"{nothing")

    for _ in range(2):  # nor is it counted
        lines, refused = explaining.explain(look(app).layers, asked)
        assert refused
        assert [(line.layer, line.does.partition(":")[0]) for line in lines] == [
            ("CSPReports", "would refuse (shadow) with 400"),
            ("BodyLimit", "would refuse (shadow) with 413"),
            ("APIKey", "refuses with 401"),
        ]


def test_an_own_layer_that_wants_more_than_there_is_does_not_end_the_answer():
    class Own(Layer):
        def before(self, request, answer):
            return request.session.reply

    lines, refused = explaining.explain([Own(None)], explaining.Asked("GET", "/", "192.0.2.7"))
    assert not refused
    assert lines[0].does.startswith("cannot be asked about a request that was not made")


def test_the_calls_of_a_body_are_judged_too(explain):
    call = '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "search"}}'
    asked = ("POST", "/mcp", "--rules", "rules.toml")

    assert [x for x in explain(*asked, "--body", f"[{call}, {call}]")[1].splitlines() if x.startswith("RPCLimit")] == [
        "RPCLimit       search: 2 of 2 calls: counts on 203.0.113.9; beyond 10 per 60 s refuses with the error -32029",
        "RPCLimit       lists: is about tools/list alone",
    ]
    told = json.loads(explain("GET", "/mcp", "--rules", "rules.toml", "--json")[1])["rules"]
    assert [x["does"] for x in told if x["layer"] == "RPCLimit"] == [
        "leaves it alone: it is no POST in JSON to its path"
    ]
    assert "give one with --body" in explain(*asked, "--header", "content-type: application/json")[1]
