"""LiveRules: rules files put in force on a stack that runs, whole, at the next request, and no earlier."""

from __future__ import annotations

import itertools

import pytest

from nexus_middleware import CacheRule, Nexus, Rule, Settings, SettingsError
from nexus_middleware.middleware.rate_limit import RateLimit
from tests.helpers import CLIENT, Answer, Origin

NUMBERS = itertools.count()
LIMIT = '[[limit]]\nname = "a"\nlimit = "1/minute"\n'
OTHER = '[[limit]]\nname = "a"\nlimit = "3/minute"\n'
FAILURES = '[[limit]]\nname = "f"\nlimit = "1/minute"\ncount = "failures"\n'
DENY = '[filter]\ndeny = ["203.0.113.0/24"]\n'


@pytest.fixture
def make(door):
    def make(origin=None, *, path="", rules=(), **options):
        settings = Settings(rate_limit="", namespace=f"live-{next(NUMBERS)}", rules=str(path), log_level="error")
        made.append(Nexus(door.app(origin or Origin()), settings, rules=rules, **options))
        return made[-1]

    made = []
    yield make
    for nexus in made:
        nexus.runtime.close()


def statuses(door, nexus, n, **options):
    return [door.get(nexus, **options).status for _ in range(n)]


def test_a_limit_comes_changes_and_goes_while_the_app_runs(door, make):
    nexus = make()
    change = nexus.runtime.policies.change

    assert statuses(door, nexus, 2) == [200, 200]
    change("enforce", LIMIT)
    assert statuses(door, nexus, 2) == [200, 429]
    change("enforce", OTHER)
    assert door.get(nexus).headers["ratelimit-policy"] == '"a";q=3;w=60'
    change("rollback", to=0)
    assert statuses(door, nexus, 1) == [429]
    change("enforce", "strategy = 'gcra'")
    assert statuses(door, nexus, 3) == [200] * 3
    assert "ratelimit-policy" not in door.get(nexus).headers


def test_a_staged_set_refuses_nobody_and_is_counted_by_rule(door, make):
    nexus = make(rules=[Rule("2/minute", name="own")])
    nexus.runtime.policies.change("stage", LIMIT + DENY)

    assert statuses(door, nexus, 3) == [200, 200, 429]
    counts = {(x["layer"], x["rule"]): (x["refused"], x["wouldRefuse"]) for x in nexus.runtime.decisions.counts()}
    assert counts == {
        ("IPFilter", "by the filter of the rules file"): (0, 3),
        ("RateLimit", "a.staged"): (0, 2),
        ("RateLimit", "own"): (1, 0),
    }
    nexus.runtime.policies.change("enforce")
    assert statuses(door, nexus, 1) == [403]
    assert statuses(door, nexus, 2, client="198.51.100.1") == [200, 429]


def test_a_rule_of_the_file_takes_the_place_of_the_app_s_own_of_that_name(door, make, tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(OTHER)
    nexus = make(path=path, rules=[Rule("1/minute", name="a"), Rule("9/minute", name="b")])

    assert door.get(nexus).headers["ratelimit-policy"] == '"b";q=9;w=60, "a";q=3;w=60'


def test_the_filter_of_the_file_comes_besides_the_settings_own_and_guards_the_probes_too(door, make):
    nexus = make()
    nexus.runtime.policies.change("enforce", '[filter]\nallow = ["198.51.100.0/24"]\n')

    assert [statuses(door, nexus, 1, client=c)[0] for c in (CLIENT, "198.51.100.1")] == [403, 200]
    assert door.get(nexus, "/livez").status == 403
    nexus.runtime.policies.change("enforce", '[filter]\ndeny = ["0.0.0.0/0"]\nmode = "off"\n')
    assert statuses(door, nexus, 1) == [200]


def test_rules_that_give_calls_back_do_so_once_they_are_there(door, make):
    nexus = make(Origin(lambda path, headers: Answer(status=401 if path == "/wrong" else 200)))
    assert statuses(door, nexus, 1) == [200]
    nexus.runtime.policies.change("enforce", FAILURES)

    assert statuses(door, nexus, 3) == [200] * 3
    assert [door.get(nexus, path).status for path in ("/wrong", "/", "/wrong")] == [401, 429, 429]


def test_cache_rules_come_before_the_app_s_own(door, make):
    origin = Origin()
    nexus = make(origin, cache_rules=[CacheRule("/*", ttl=None)])
    [door.get(nexus, "/x") for _ in range(2)]
    assert len(origin.asked) == 2

    nexus.runtime.policies.change("enforce", '[[cache]]\npath = "/x"\nttl = 60\n')
    [door.get(nexus, "/x") for _ in range(3)]
    assert len(origin.asked) == 3


def test_a_request_under_way_keeps_the_rules_it_began_with(door, make):
    def change(path, headers):
        if path == "/first":
            nexus.runtime.policies.change("enforce", OTHER)
        return Answer(status=401)

    nexus = make(Origin(change))
    nexus.runtime.policies.change("enforce", FAILURES)

    assert door.get(nexus, "/first").headers["ratelimit-policy"] == '"f";q=1;w=60'
    assert door.get(nexus, "/").headers["ratelimit-policy"] == '"a";q=3;w=60'
    nexus.runtime.policies.change("enforce", FAILURES)
    assert door.get(nexus, "/").status == 429  # the first call was counted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('strategy = "moving-window"\n' + LIMIT, "strategy='moving-window' counts in a storage of its own"),
        (LIMIT.replace('"a"', '"b-60s"'), "two limits are called 'b-60s'"),
        (LIMIT + LIMIT, "line 4: two limits are called 'a'"),
    ],
)
def test_what_does_not_fit_this_stack_is_refused_and_changes_nothing(door, make, text, message):
    nexus = make(rules=[Rule("1/minute;9/hour", name="b")])

    with pytest.raises(SettingsError, match=message):
        nexus.runtime.policies.change("enforce", text)
    assert door.get(nexus).headers["ratelimit-policy"] == '"b-60s";q=1;w=60, "b-3600s";q=9;w=3600'


def test_a_stack_without_the_layer_says_so(make):
    nexus = make(layers=lambda makes: [x for x in makes if getattr(x, "func", x) is not RateLimit])

    with pytest.raises(SettingsError, match="there is no RateLimit in this stack"):
        nexus.runtime.policies.change("stage", LIMIT)
    nexus.runtime.policies.change("enforce", DENY)


def test_a_bad_file_at_the_start_names_its_line(make, tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(LIMIT.replace("1/minute", "many"))

    with pytest.raises(SettingsError, match=r"rules: .*rules\.toml: line 3: limit='many'"):
        make(path=path)
