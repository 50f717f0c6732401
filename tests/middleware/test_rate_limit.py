"""RateLimit: how it counts, what a refused caller is told, whom it leaves alone."""

import json

import pytest

from nexus_middleware.errors import SettingsError
from nexus_middleware.middleware.ip_filter import IPFilter
from nexus_middleware.middleware.keys import by_api_key, by_header, by_user, store_key
from nexus_middleware.middleware.limits import Rule
from nexus_middleware.middleware.rate_limit import RateLimit
from nexus_middleware.middleware.request_id import RequestID
from nexus_middleware.middleware.security_headers import SecurityHeaders
from tests.helpers import Down, Origin


def statuses(door, app, n, path="/", **options):
    return [door.get(app, path, **options).status for _ in range(n)]


def test_the_caller_over_the_limit_is_refused_and_told_when_to_return(door, store):
    app = RateLimit(door.app(Origin()), "2/minute", store=store)

    answers = [door.get(app) for _ in range(3)]

    assert [a.status for a in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"] == "60"
    assert answers[2].headers["content-type"] == "application/problem+json"
    assert json.loads(answers[2].body) | {"instance": ""} == {
        "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
        "title": "Quota Exceeded",
        "status": 429,
        "detail": "Too many requests: try again in 60 s.",
        "instance": "",
        "request_id": "",
        "violated-policies": ["default"],
    }


def test_each_caller_has_a_limit_of_its_own_and_gets_it_back_after_one_window(door, store, clock):
    app = RateLimit(door.app(Origin()), "2/minute", store=store)

    assert statuses(door, app, 3) == [200, 200, 429]
    assert statuses(door, app, 1, client="203.0.113.8") == [200]
    clock.now += 60
    assert statuses(door, app, 3) == [200, 200, 429]


def test_retry_after_is_the_true_wait(door, store, clock):
    app = RateLimit(door.app(Origin()), "1/minute", store=store)
    door.get(app)
    clock.now += 18.5
    wait = int(door.get(app).headers["retry-after"])
    assert wait == 42
    clock.now += wait - 1
    assert door.get(app).status == 429
    clock.now += 1
    assert door.get(app).status == 200


@pytest.mark.parametrize(
    ("style", "named"),
    [
        ("ietf", {"ratelimit-policy": '"default";q=5;w=60', "ratelimit": '"default";r=4;t=60'}),
        ("legacy", {"x-ratelimit-limit": "5", "x-ratelimit-remaining": "4", "x-ratelimit-reset": "60"}),
        ("none", {}),
    ],
)
def test_callers_are_told_what_is_left_in_the_style_chosen(door, store, style, named):
    seen = door.get(RateLimit(door.app(Origin()), "5/minute", store=store, headers=style))

    assert {k: v for k, v in seen.headers.items() if "ratelimit" in k} == named


def test_a_refusal_by_one_of_several_limits_uses_up_none_of_them(door, store, clock):
    app = RateLimit(door.app(Origin()), "2/second;3/hour", store=store)

    assert statuses(door, app, 4) == [200, 200, 429, 429]
    clock.now += 1
    assert statuses(door, app, 2) == [200, 429]
    refused = door.get(app)
    assert json.loads(refused.body)["violated-policies"] == ["default-3600s"]
    assert refused.headers["ratelimit-policy"] == '"default-1s";q=2;w=1, "default-3600s";q=3;w=3600'
    assert refused.headers["retry-after"] == "3599"


def test_a_rule_counts_the_paths_and_methods_it_is_about_and_no_others(door, store):
    rules = [
        Rule(limit="1/minute", path="/auth/*", methods=("POST",), name="auth"),
        Rule(limit="2/minute", path="/reports/*", cost=2, name="reports"),
    ]
    app = RateLimit(door.app(Origin()), rules, store=store)

    assert statuses(door, app, 2, "/auth/login", method="POST") == [200, 429]
    assert statuses(door, app, 3, "/auth/login") == [200, 200, 200]
    assert statuses(door, app, 2, "/reports/1") == [200, 429]
    assert "ratelimit" not in door.get(app, "/other").headers


@pytest.mark.parametrize(
    "spelling",
    ["/auth/login", "/AUTH/login", "//auth//login", "/auth/login/", "/%61uth/login", "/auth;v=2/x", "/x/../auth/1"],
)
def test_no_spelling_of_a_path_has_a_fresh_limit(door, store, spelling):
    app = RateLimit(door.app(Origin()), [Rule(limit="1/minute", path="/auth/*")], store=store)
    door.get(app, "/auth/x")

    assert door.get(app, spelling).status == 429


def test_head_counts_as_get(door, store):
    app = RateLimit(door.app(Origin()), [Rule(limit="1/minute", methods=("get",))], store=store)

    assert [door.get(app, method=m).status for m in ("HEAD", "GET", "POST")] == [200, 429, 200]


def test_404s_are_counted(door, store):
    from tests.helpers import Answer

    app = RateLimit(door.app(Origin(lambda path, headers: Answer(status=404))), "1/minute", store=store)

    assert statuses(door, app, 2, "/nowhere") == [404, 429]


def test_all_addresses_of_one_ipv6_network_share_a_limit(door, store):
    app = RateLimit(door.app(Origin()), "1/minute", store=store)

    assert [door.get(app, client=c).status for c in ("2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1")] == [
        200,
        429,
        200,
    ]


def test_callers_of_unknown_address_share_one_limit(door, store):
    app = RateLimit(door.app(Origin()), "1/minute", store=store)

    assert [door.get(app, client=None).status for _ in range(2)] == [200, 429]


def test_a_key_says_who_is_calling_and_none_is_not_counted(door, store):
    app = RateLimit(
        door.app(Origin()),
        "1/minute",
        key=lambda request: request.path if request.path != "/free" else None,
        store=store,
    )

    assert [door.get(app, path).status for path in ("/a", "/a", "/b", "/free", "/free")] == [200, 429, 200, 200, 200]


def test_a_rotated_api_key_is_limited_by_the_rule_for_its_address(door, store):
    rules = [Rule(limit="5/minute", key=by_api_key, name="key"), Rule(limit="2/minute", name="address")]
    app = RateLimit(door.app(Origin()), rules, store=store)

    assert [door.get(app, headers=[("x-api-key", str(i))]).status for i in range(3)] == [200, 200, 429]


def test_a_caller_without_the_header_or_user_is_counted_by_address(door, store):
    app = RateLimit(door.app(Origin()), "1/minute", key=by_header("x-team"), store=store)
    by_nobody = RateLimit(door.app(Origin()), [Rule(limit="1/minute", key=by_user, name="user")], store=store)

    assert [door.get(app, headers=h).status for h in ((), (), [("x-team", "a")])] == [200, 429, 200]
    assert statuses(door, by_nobody, 2) == [200, 429]


def test_long_and_odd_callers_become_short_keys():
    assert store_key("203.0.113.7") == "203.0.113.7"
    assert {len(store_key(odd)) for odd in ("x" * 5000, "a\nb", "\udcff", "*")} == {32}


def test_a_refusal_carries_the_headers_of_the_layers_outside(door, store):
    app = RequestID(SecurityHeaders(RateLimit(door.app(Origin()), "1/minute", store=store)))
    door.get(app)
    refused = door.get(app, headers=[("x-request-id", "r-1")])

    assert refused.status == 429
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert refused.headers["x-request-id"] == "r-1"
    assert json.loads(refused.body)["request_id"] == "r-1"


def test_whom_the_ip_filter_refuses_is_not_counted(door, store):
    app = IPFilter(RateLimit(door.app(Origin()), "1/minute", store=store), deny=["198.51.100.0/24"])

    assert [door.get(app, client=c).status for c in ("198.51.100.1", "203.0.113.7")] == [403, 200]


@pytest.mark.parametrize(("policy", "told"), [("local", [200, 429]), ("open", [200, 200]), ("closed", [503, 503])])
def test_while_the_store_is_down_the_stated_policy_holds(door, policy, told):
    app = RateLimit(door.app(Origin()), "1/hour", store=Down(), on_error=policy)

    answers = [door.get(app) for _ in range(2)]
    assert [a.status for a in answers] == told
    assert policy != "closed" or answers[0].headers["retry-after"] == "1"


def test_in_shadow_nobody_is_refused_and_the_record_says_who_would_have_been(door, store):
    origin = Origin()
    app = RateLimit(door.app(origin), "1/minute", store=store, mode="shadow")

    assert statuses(door, app, 2) == [200, 200]
    assert [(d.verdict, d.status, d.why) for d in origin.seen.decisions] == [
        ("would answer", 429, "default: 0 of 1 left")
    ]


def test_four_hundred_calls_at_once_admit_exactly_the_limit(door, store):
    app = RateLimit(door.app(Origin()), "50/minute", store=store)

    assert [a.status for a in door.many(400 if door.name == "asgi" else 100, app)].count(200) == 50


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limit": "often"}, "limit='often' must be like '100/minute'"),
        ({"limit": "0/minute"}, "admits nobody"),
        ({"limit": [Rule(limit="1/minute"), Rule(limit="2/minute")]}, "two limits are called 'default'"),
        ({"limit": [Rule(limit="1/minute", path="auth")]}, "path='auth' must begin with /"),
        ({"limit": [Rule(limit="1/minute", cost=2)]}, "cost=2 must be from 1 to the limit"),
        ({"limit": [Rule(limit="1/minute", name='a"b')]}, "name='a\"b' must be of letters"),
        ({"on_error": "shut"}, "on_error='shut' must be one of local, open, closed"),
        ({"headers": "all"}, "headers='all' must be one of ietf, legacy, both, none"),
    ],
)
def test_a_wrong_option_is_told_at_construction(door, options, message):
    with pytest.raises(SettingsError) as told:
        RateLimit(door.app(Origin()), **options)
    assert message in str(told.value)
