"""Rules of RateLimit: strategies, shadow, calls that are given back, limits by plan; both doors and both stores."""

import pytest

from nexus_middleware.errors import SettingsError
from nexus_middleware.middleware.limits import PLANS, Rule
from nexus_middleware.middleware.rate_limit import RateLimit
from tests.helpers import Answer, Down, Origin


def statuses(door, app, n, path="/", **options):
    return [door.get(app, path, **options).status for _ in range(n)]


def why(origin):
    return [decision.why for decision in origin.seen.decisions]


def failing(request, status):
    return status >= 400


def log_in(path, headers):
    return Answer(status=401 if headers.get("x-password") == "wrong" else 200)


WRONG, RIGHT = [("x-password", "wrong")], [("x-password", "right")]


def test_gcra_gives_calls_back_one_by_one_and_the_sliding_window_all_at_once(door, any_store, clock):
    smooth = RateLimit(door.app(Origin()), "3/minute", strategy="gcra", store=any_store)
    sliding = RateLimit(door.app(Origin()), "3/minute", store=any_store)

    assert [statuses(door, app, 4) for app in (smooth, sliding)] == [[200, 200, 200, 429]] * 2
    assert door.get(smooth).headers["retry-after"] == "20"
    clock.now += 20
    assert [statuses(door, app, 2) for app in (smooth, sliding)] == [[200, 429], [429, 429]]
    clock.now += 40
    assert [statuses(door, app, 3) for app in (smooth, sliding)] == [[200, 200, 429], [200, 200, 200]]


def test_the_shadow_of_a_rule_refuses_nobody_and_shows_nothing_but_says_why(door, any_store):
    origin = Origin()
    rules = [Rule("3/minute"), Rule("1/minute", name="tighter", mode="shadow")]
    app = RateLimit(door.app(origin), rules, store=any_store)

    seen = [door.get(app) for _ in range(2)]
    assert [x.status for x in seen] == [200, 200]
    assert seen[1].headers["ratelimit-policy"] == '"default";q=3;w=60'
    assert seen[1].headers["ratelimit"].startswith('"default";r=1;')
    assert why(origin) == ["default: 1 of 3 left; tighter (shadow): 0 of 1 left, would refuse"]
    assert statuses(door, app, 2) == [200, 429]


def test_a_shadow_of_several_limits_is_counted_on_all_of_them_or_none_and_beside_other_shadows(door, any_store):
    origin = Origin()
    rules = [
        Rule("1/second;5/hour", name="a", mode="shadow"),
        Rule("9/hour", name="b", mode="shadow"),
    ]
    app = RateLimit(door.app(origin), rules, store=any_store)

    assert [[k for k in door.get(app).headers if "ratelimit" in k] for _ in range(3)] == [[], [], []]
    assert why(origin) == [
        "a-1s (shadow): 0 of 1 left, would refuse; a-3600s (shadow): 4 of 5 left; b (shadow): 6 of 9 left"
    ]


def test_a_shadow_counts_nothing_of_what_the_other_rules_refuse(door, any_store):
    origin = Origin()
    rules = [Rule("2/minute"), Rule("9/minute", path="/*", name="s", mode="shadow"), Rule("9/hour", name="h")]
    app = RateLimit(door.app(origin), rules, store=any_store)

    assert statuses(door, app, 5) == [200, 200, 429, 429, 429]
    assert why(origin) == ["default: 0 of 2 left; h: 7 of 9 left; s (shadow): 7 of 9 left"]


def test_a_rule_that_is_off_is_not_there(door, any_store):
    app = RateLimit(door.app(Origin()), [Rule("1/minute", mode="off"), Rule("2/minute")], store=any_store)

    assert statuses(door, app, 3) == [200, 200, 429]


@pytest.mark.parametrize("strategy", ["sliding-window", "gcra"])
def test_only_failed_log_ins_count_if_count_when_says_so(door, any_store, strategy):
    app = RateLimit(
        door.app(Origin(log_in)), [Rule("2/minute", count_when=failing)], strategy=strategy, store=any_store
    )

    assert statuses(door, app, 5, headers=RIGHT) == [200] * 5
    assert statuses(door, app, 2, headers=WRONG) == [401, 401]
    assert statuses(door, app, 2, headers=RIGHT) == [429, 429]


def test_many_wrong_log_ins_at_once_do_not_slip_past_count_when(door, store):
    app = RateLimit(door.app(Origin(log_in)), "5/minute", count_when=failing, store=store)

    assert sorted({a.status for a in door.many(60, app, headers=WRONG)}) == [401, 429]
    assert statuses(door, app, 1, headers=RIGHT) == [429]


def test_an_app_that_fails_is_told_to_count_when_as_500(door, any_store):
    asked = []
    origin = Origin(lambda path, headers: Answer(fails=True))
    app = RateLimit(door.app(origin), "1/minute", count_when=lambda r, status: asked.append(status), store=any_store)

    for _ in range(3):
        with pytest.raises(RuntimeError, match="the app failed"):
            door.get(app)
    assert asked == [500, 500, 500]


def test_the_layer_s_count_when_holds_for_rules_that_have_none(door, any_store):
    rules = [Rule("1/minute", name="failed"), Rule("3/minute", name="all", count_when=lambda request, status: True)]
    app = RateLimit(door.app(Origin(log_in)), rules, count_when=failing, store=any_store)

    assert statuses(door, app, 3, headers=RIGHT) == [200, 200, 200]
    assert statuses(door, app, 1, headers=WRONG) == [429]


def test_calls_on_shadows_are_given_back_too(door, any_store):
    origin = Origin(log_in)
    app = RateLimit(door.app(origin), [Rule("2/minute", count_when=failing, mode="shadow")], store=any_store)

    statuses(door, app, 5, headers=RIGHT)
    assert why(origin) == ["default (shadow): 1 of 2 left"]


def test_what_is_counted_here_while_the_store_is_down_is_given_back_here(door):
    app = RateLimit(door.app(Origin(log_in)), "1/hour", count_when=failing, store=Down())

    assert statuses(door, app, 3, headers=RIGHT) == [200, 200, 200]
    assert statuses(door, app, 2, headers=WRONG) == [401, 429]


def test_without_count_when_a_layer_has_no_last_step(door):
    assert "done" not in RateLimit(door.app(Origin())).steps
    assert "done" in RateLimit(door.app(Origin()), count_when=failing).steps


def plan_of(request):
    return {b"gold": "3/minute", b"none": None}.get(request.header(b"x-plan"), "1/minute")


def test_a_limit_may_be_that_of_the_caller_s_plan(door, any_store):
    app = RateLimit(door.app(Origin()), plan_of, store=any_store)

    assert statuses(door, app, 2) == [200, 429]
    assert statuses(door, app, 4, headers=[("x-plan", "gold")]) == [200, 200, 200, 429]
    assert door.get(app, headers=[("x-plan", "gold")]).headers["ratelimit-policy"] == '"default";q=3;w=60'
    assert statuses(door, app, 3, headers=[("x-plan", "none")]) == [200, 200, 200]


def test_a_plan_s_notation_is_read_once_and_only_so_many_are_kept(door, any_store):
    app = RateLimit(door.app(Origin()), [Rule(lambda request: f"{request.path[1:]}/minute")], store=any_store)
    reads = app._book.rules[0]._read

    for n in (1, *range(1, PLANS + 5)):
        door.get(app, f"/{n}")
    assert (reads.cache_info().hits, reads.cache_info().currsize) == (1, PLANS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategy": "leaky"}, "strategy='leaky' must be one of sliding-window, gcra"),
        ({"limit": [Rule("1/minute", mode="shade")]}, "mode='shade' must be one of enforce, shadow, off"),
        ({"exempt": "/static/*"}, "exempt='/static/*' must be a tuple of paths, such as ('/static/*',)"),
        ({"exempt": ("static/*",)}, "path='static/*' must begin with /"),
        ({"limit": [Rule(plan_of), Rule("2/minute")]}, "two limits are called 'default'"),
    ],
)
def test_a_wrong_rule_is_told_at_construction(door, options, message):
    with pytest.raises(SettingsError) as told:
        RateLimit(door.app(Origin()), **options)
    assert message in str(told.value)


@pytest.mark.parametrize("of_rule", [True, False])
def test_an_exempt_path_is_not_counted_and_no_other_spelling_gets_off(door, any_store, of_rule):
    off = ("/static/*",)
    options = {"limit": [Rule("1/minute", exempt=off)]} if of_rule else {"limit": "1/minute", "exempt": off}
    app = RateLimit(door.app(Origin()), store=any_store, **options)

    assert "ratelimit" not in door.get(app, "/static/a.css").headers
    assert statuses(door, app, 3, "/Static/a.css") == [200] * 3
    assert statuses(door, app, 2, "/login/../static/a.css") == [200, 429]
    assert statuses(door, app, 1, "/static/../login") == [429]
    assert statuses(door, app, 1, "/static/a.css") == [200]
    assert app.covers("/static/a.css")


def test_a_rule_s_own_exemptions_stand_before_the_layer_s(door, any_store):
    rules = [Rule("1/minute", exempt=("/a",)), Rule("2/minute", name="b")]
    app = RateLimit(door.app(Origin()), rules, store=any_store, exempt=("/b",))

    assert statuses(door, app, 3, "/a") == [200, 200, 429]
    assert statuses(door, app, 2, "/b") == [200, 429]
