"""`nexus simulate`: the decisions of the live layers, read off a log; and the smallest limit that would do."""

import gzip
import json
import random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexus_middleware import RateLimit, RequestLogger
from nexus_middleware.__main__ import main
from nexus_middleware.commands.simulation import source
from nexus_middleware.commands.simulation.proposals import busiest, propose
from nexus_middleware.commands.simulation.replay import Replay
from nexus_middleware.middleware.limits import Quota
from nexus_middleware.middleware.policy import read_policy
from nexus_middleware.rules.windows import Limit
from nexus_middleware.services.logs.lines import packed
from nexus_middleware.stores.memory import MemoryStore
from tests.helpers import ASGIDoor, Clock, Origin

START = datetime(2026, 10, 10, tzinfo=UTC).timestamp()
RULES = """
[[limit]]
limit = "20/minute"

[[limit]]
name = "sign-in"
limit = "3/minute"
path = "/login"
methods = ["POST"]

[[limit]]
name = "never"
limit = "1/minute"
path = "/nowhere"

[[limit]]
name = "tight"
limit = "2/minute"
mode = "shadow"
"""


def line(at, client="203.0.113.7", method="GET", path="/", status=200):
    moment = datetime.fromtimestamp(at, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    return f'{client} - - [{moment}] "{method} {path} HTTP/1.1" {status} 5\n'


@pytest.fixture
def simulate(tmp_path, capsys):
    def run(lines, rules=RULES, *options, log="access.log"):
        (tmp_path / "rules.toml").write_text(rules)
        (tmp_path / log).write_text("".join(lines))
        code = main(["simulate", str(tmp_path / "rules.toml"), str(tmp_path / log), *options])
        return code, capsys.readouterr()

    return run


def test_it_says_who_would_have_been_refused_by_which_rule(simulate):
    lines = [line(START + n, "203.0.113.7") for n in range(30)]
    lines += [line(START + n, "203.0.113.8", "POST", "/login", 401) for n in range(5)]

    code, printed = simulate(lines, RULES, "--json")
    told = json.loads(printed.out)

    assert code == 0
    assert told["requests"] == 35
    assert {x["name"]: (x["counted"], x["refused"], x["wouldRefuse"]) for x in told["rules"]} == {
        "default": (35, 10, 0),
        "sign-in": (5, 2, 0),
        "tight": (35, 0, 31),
    }
    assert told["unmet"] == ["never"]
    assert told["clients"][0] == {"client": "203.0.113.7", "requests": 30, "refused": 10}


def test_the_smallest_limit_leaves_out_those_who_were_refused_then_and_the_bad(simulate, tmp_path):
    (tmp_path / "bad.txt").write_text("203.0.113.66\n")
    lines = [line(START + n * 3, "203.0.113.7") for n in range(30)]  # 20 a minute
    lines += [line(START + n / 10, "203.0.113.66") for n in range(200)]
    lines += [line(START + n / 10, "203.0.113.67", status=429 if n > 90 else 200) for n in range(100)]

    _, printed = simulate(lines, '[[limit]]\nlimit = "5/minute"\n', "--json", "--bad", str(tmp_path / "bad.txt"))
    (proposal,) = json.loads(printed.out)["proposals"]

    assert (proposal["now"], proposal["least"], proposal["busiest"]) == (5, 20, "203.0.113.7")
    assert proposal["callers"] == 1


def test_the_table_and_the_plot_are_for_people(simulate, tmp_path):
    lines = [line(START + n, "203.0.113.7") for n in range(100)] + ["nonsense\n"]

    code, printed = simulate(lines, '[[limit]]\nlimit = "5/minute"\n', "--plot", str(tmp_path / "plot.svg"))

    assert code == 0
    assert "100 requests, 1 lines skipped; 90 refused (90.00%)" in printed.out
    drawn = (tmp_path / "plot.svg").read_text()
    assert drawn.startswith("<svg") and drawn.count("<title>") == 3
    assert "script" not in drawn


def test_addresses_that_are_denied_are_counted_by_no_limit(simulate):
    rules = '[[limit]]\nlimit = "5/minute"\n[filter]\ndeny = ["203.0.113.0/24"]\n'

    _, printed = simulate([line(START + n) for n in range(10)], rules, "--json")
    told = json.loads(printed.out)

    assert (told["refused"], told["filtered"], told["rules"]) == (10, 10, [])


@pytest.mark.parametrize(
    ("lines", "rules", "told"),
    [
        (["x\n"], RULES, "none of its 1 lines is a request"),
        ([line(START)], "[[limit]]\nlimit = 'lots'\n", "line 2: limit='lots'"),
        ([line(START)], "strategy = 'fixed-window'\n", "simulate sliding-window or gcra"),
    ],
)
def test_what_cannot_be_replayed_is_one_line_and_exit_code_2(simulate, lines, rules, told):
    code, printed = simulate(lines, rules)

    assert (code, len(printed.err.splitlines())) == (2, 1)
    assert told in printed.err


def test_a_filter_in_shadow_and_failures_alone_are_replayed_as_they_would_be(simulate):
    rules = '[[limit]]\nlimit = "5/minute"\ncount = "failures"\n[filter]\nmode = "shadow"\ndeny = ["203.0.113.0/24"]\n'
    lines = [line(START + n, status=200) for n in range(10)] + [line(START + 20 + n, status=401) for n in range(7)]

    _, printed = simulate(lines, rules, "--json")
    told = json.loads(printed.out)

    assert (told["refused"], told["filtered"], told["requests"]) == (2, 0, 17)


def test_a_packed_log_out_of_order_is_read_as_it_happened_and_a_terminal_is_told_how_far(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(source, "AHEAD", 50)
    monkeypatch.setattr(source, "EVERY", 40)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    order = [n ^ 3 for n in range(128)]
    (tmp_path / "rules.toml").write_text('[[limit]]\nlimit = "30/minute"\n')
    with gzip.open(tmp_path / "access.log.gz", "wt") as log:
        log.writelines([line(START + n) for n in order] + ["\n"])

    assert main(["simulate", str(tmp_path / "rules.toml"), str(tmp_path / "access.log.gz"), "--json"]) == 0
    printed = capsys.readouterr()
    told = json.loads(printed.out)
    assert (told["requests"], told["refused"]) == (128, 60)
    assert "120 lines" in printed.err and printed.err.endswith("\x1b[K")


def test_a_log_that_is_not_there_is_told(tmp_path, capsys):
    (tmp_path / "rules.toml").write_text(RULES)

    assert main(["simulate", str(tmp_path / "rules.toml"), str(tmp_path / "none.log")]) == 2
    assert "cannot be read: No such file" in capsys.readouterr().err


def test_a_recorded_run_replayed_gives_the_decisions_of_the_live_one(tmp_path, simulate):
    policy, clock, written = read_policy(RULES), Clock(), []
    clock.now = START
    door = ASGIDoor()
    app = RateLimit(door.app(Origin()), policy.limits, store=MemoryStore(clock=clock))
    app = RequestLogger(app, log=written.append, clock=clock)
    draw, live = random.Random(3), []
    for _ in range(400):
        clock.now += round(draw.choice([0.0, 0.001, 0.4, 3.0, 30.0]), 3)
        method, path = draw.choice([("GET", "/"), ("POST", "/login"), ("GET", "/nowhere")])
        client = f"203.0.113.{draw.randrange(4)}"
        live.append(door.get(app, path, method=method, client=client).status)
    door.close()
    lines = [line + "\n" for line in packed(written, None)]

    _, printed = simulate(lines, RULES, "--json", log="combined.log")

    replay, again = Replay(policy), []
    for visit in source.Source(str(tmp_path / "combined.log")).visits():
        before = sum(replay.refused_clients.values())
        replay.run([visit])
        again.append(sum(replay.refused_clients.values()) > before)
    assert again == [status == 429 for status in live], "each decision is the same, not only their number"

    told = json.loads(printed.out)
    assert live.count(429) > 20
    assert told["refused"] == live.count(429)
    assert {x["client"]: x["refused"] for x in told["clients"]} == {
        f"203.0.113.{n}": count
        for n in range(4)
        if (count := sum(s == 429 and w.client.endswith(f".{n}") for s, w in zip(live, written, strict=True)))
    }


calls = st.lists(st.integers(0, 400), min_size=1, max_size=60).map(lambda xs: sorted(x / 10 for x in xs))


@given(calls=calls, window=st.sampled_from([1.0, 5.0, 10.0]), strategy=st.sampled_from(["sliding-window", "gcra"]))
@settings(max_examples=60)
def test_a_proposal_refuses_nobody_and_one_less_would(calls, window, strategy):
    found = propose(Quota("x", Limit(1, window, 1, strategy), None), {"a": calls}, ())

    def refusals(amount):
        moments = iter(calls)
        store = MemoryStore(clock=lambda: next(moments))
        from nexus_middleware.stores.commands import Hit

        limit = Limit(amount, window, 1, strategy)
        return sum(not store.run([Hit((("k", limit),))])[0][0].allowed for _ in calls)

    assert refusals(found.least) == 0
    assert found.least == 1 or refusals(found.least - 1) > 0


@given(calls=calls, window=st.sampled_from([0.5, 3.0]))
def test_the_busiest_window_is_found(calls, window):
    assert busiest(calls, window) == max(sum(0 <= at - start < window for at in calls) for start in calls)


def test_an_ipv6_caller_is_its_network_also_where_clients_are_left_out(simulate, tmp_path):
    calls = [line(START + n, client=f"2001:db8:0:1{n:02x}::{n}") for n in range(30)]
    rules = '[[limit]]\nlimit = "20/hour"\n'
    assert "0 refused" in simulate(calls, rules)[1].out
    assert "10 refused" in simulate(calls, rules, "--ipv6-prefix", "56")[1].out
    (tmp_path / "bad").write_text("2001:db8:0:1ff::9\n")
    code, said = simulate(calls, rules, "--ipv6-prefix", "56", "--json", "--bad", str(tmp_path / "bad"))
    assert (code, json.loads(said.out)["proposals"]) == (0, [])
    assert simulate(calls, rules, "--ipv6-prefix", "5")[0] == 2
