"""CORS: whose pages may read the answers, and what preflights are told."""

import json

import pytest

from nexus_middleware import CORS, IPFilter, ResponseCache, SettingsError
from tests.helpers import Answer, Origin

SHOP = "https://shop.example"
MINE = ("https://shop.example", "http://localhost:5173", "http://[::1]:8000")
GRANTS = ("access-control-allow-origin", "access-control-allow-credentials", "access-control-allow-methods")


def ask(door, app, origin, *, method="GET", **options):
    return door.get(app, headers=[("origin", origin)] if origin else [], method=method, **options)


def preflight(door, app, origin, *more, method="PUT"):
    headers = [("origin", origin), ("access-control-request-method", method), *more]
    return door.get(app, method="OPTIONS", headers=headers)


def granted(seen):
    return [name for name, _ in seen.pairs if name.startswith("access-control-")]


@pytest.mark.parametrize("origin", MINE)
def test_an_allowed_origin_s_page_may_read_the_answer(door, origin):
    seen = ask(door, CORS(door.app(Origin()), origins=MINE), origin)

    assert (seen.status, seen.headers["access-control-allow-origin"]) == (200, origin)
    assert "access-control-allow-credentials" not in seen.headers
    assert "retry-after" in seen.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "https://shop.example.evil.example",
        "https://evilshop.example",
        "https://shop.exampleevil",
        "https://shopxexample",
        "https://shop.example:8443",
        "https://shop.example/",
        "https://SHOP.example",
        "http://shop.example",
        "https://a.shop.example",
        "https://shop.example, https://evil.example",
        "https://shop.example\t",
        "",
    ],
)
def test_whatever_is_not_the_very_origin_is_told_nothing(door, origin):
    origins = Origin()
    app = CORS(door.app(origins), origins=MINE, credentials=True)
    seen = door.get(app, headers=[("origin", origin)])
    refused = preflight(door, app, origin)

    assert (seen.status, granted(seen), seen.headers["vary"]) == (200, [], "Origin")
    assert (refused.status, granted(refused), refused.headers["vary"]) == (403, [], "Origin")
    assert len(origins.asked) == 1


def test_a_preflight_is_answered_without_the_app(door):
    origin = Origin()
    app = CORS(door.app(origin), origins=[SHOP], methods=["get", "PUT"], headers=["X-One"], max_age=60)
    seen = preflight(door, app, SHOP, ("access-control-request-headers", "x-one"))

    assert (seen.status, seen.body, origin.asked) == (204, b"", [])
    assert {name: value for name, value in seen.pairs if name != "vary"} == {
        "access-control-allow-origin": SHOP,
        "access-control-allow-methods": "GET, PUT",
        "access-control-allow-headers": "x-one",
        "access-control-max-age": "60",
    }


def test_a_preflight_for_what_is_not_allowed_is_told_what_is(door):
    app = CORS(door.app(Origin()), origins=[SHOP], methods=["GET"], headers=[])
    seen = preflight(door, app, SHOP, ("access-control-request-headers", "x-other"), method="DELETE")

    assert (seen.status, seen.headers["access-control-allow-methods"]) == (204, "GET")
    assert "access-control-allow-headers" not in seen.headers


def test_a_refused_preflight_is_a_problem_that_says_so(door):
    seen = preflight(door, CORS(door.app(Origin())), SHOP)

    assert seen.headers["content-type"] == "application/problem+json"
    assert json.loads(seen.body)["detail"] == "This origin may not call."


def test_access_to_private_networks_is_not_granted(door):
    app = CORS(door.app(Origin()), origins=[SHOP])
    seen = preflight(door, app, SHOP, ("access-control-request-private-network", "true"))

    assert "access-control-allow-private-network" not in seen.headers


@pytest.mark.parametrize("headers", [[], [("origin", SHOP)], [("access-control-request-method", "PUT")]])
def test_options_that_are_no_preflight_are_the_app_s(door, headers):
    origin = Origin()
    door.get(CORS(door.app(origin), origins=[SHOP]), method="OPTIONS", headers=headers)

    assert len(origin.asked) == 1


def test_with_credentials_it_says_so_to_allowed_origins_alone(door):
    app = CORS(door.app(Origin()), origins=[SHOP], credentials=True)

    assert ask(door, app, SHOP).headers["access-control-allow-credentials"] == "true"
    assert preflight(door, app, SHOP).headers["access-control-allow-credentials"] == "true"
    assert granted(ask(door, app, None)) == []


def test_everyone_may_be_allowed_but_null_may_not(door):
    app = CORS(door.app(Origin()), origins=["*"])

    assert ask(door, app, "https://any.example").headers["access-control-allow-origin"] == "*"
    assert granted(ask(door, app, "null")) == []
    assert preflight(door, app, "null").status == 403


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (None, "Origin"),
        ("accept-encoding", "accept-encoding, Origin"),
        ("origin, cookie", "origin, cookie"),
        ("*", "*"),
    ],
)
def test_every_answer_varies_by_origin_beside_what_the_app_says(door, said, told):
    origin = Origin(lambda path, headers: Answer(headers=[("vary", said)] if said else []))
    app = CORS(door.app(origin), origins=[SHOP])

    for who in (SHOP, "https://other.example", None):
        assert [value for name, value in ask(door, app, who).pairs if name == "vary"] == [told]


def test_what_the_app_says_of_sharing_is_replaced(door):
    lines = [("Access-Control-Allow-Origin", "*"), ("access-control-allow-credentials", "true")]
    app = CORS(door.app(Origin(lambda path, headers: Answer(headers=lines))), origins=[SHOP])

    assert granted(ask(door, app, "https://other.example")) == []
    shared = ask(door, app, SHOP)
    assert granted(shared) == ["access-control-allow-origin", "access-control-expose-headers"]
    assert shared.headers["access-control-allow-origin"] == SHOP


def test_refusals_of_the_layers_inside_may_be_read_too(door):
    app = CORS(IPFilter(door.app(Origin()), deny=["203.0.113.7"]), origins=[SHOP])
    seen = ask(door, app, SHOP)

    assert (seen.status, seen.headers["access-control-allow-origin"]) == (403, SHOP)


def test_one_stored_page_is_shared_with_each_origin_by_its_own_name(door):
    origin = Origin(lambda path, headers: Answer(headers=[("cache-control", "max-age=60")]))
    app = CORS(ResponseCache(door.app(origin)), origins=MINE)

    told = [ask(door, app, who).headers.get("access-control-allow-origin") for who in (None, *MINE, "null")]
    assert (told, len(origin.asked)) == ([None, *MINE, None], 1)


def test_the_decision_says_whose_page_it_was(asgi_door):
    told = []

    def say(path, headers):
        told.extend(d.why for d in origin.seen.decisions)
        return Answer()

    origin = Origin(say)
    for who in (None, SHOP, "null"):
        ask(asgi_door, CORS(origin.asgi, origins=[SHOP]), who)
    assert told == ["no origin", "an allowed origin", "an origin that is not allowed"]


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "shop.example",
        "https://shop.example/",
        "https://shop.example:443",
        "http://shop.example:80",
        "https://Shop.example",
        "https://*.shop.example",
        "https://user@shop.example",
        "https://münchen.example",
        "https://shop.example\r\nx-injected: 1",
        "https://shop.example\n",
        "",
    ],
)
def test_an_origin_that_no_browser_sends_is_told_at_construction(origin):
    with pytest.raises(SettingsError, match="origins: "):
        CORS(None, origins=[origin])


@pytest.mark.parametrize("origin", ["chrome-extension://abcdef", "capacitor://localhost", "http://my_host", SHOP])
def test_any_origin_that_browsers_send_may_be_named(origin):
    assert CORS(None, origins=origin)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"origins": "*", "credentials": True}, "credentials=True needs every origin"),
        ({"origins": [SHOP, "*"], "credentials": True}, "credentials=True needs every origin"),
        ({"origins": [SHOP], "headers": "*", "credentials": True}, "credentials=True needs every origin"),
        ({"max_age": -1}, "max_age=-1 is in seconds"),
        ({"methods": ["GET, PUT"]}, "methods: 'GET, PUT' is no name of a method"),
        ({"headers": ["x\r\ny"]}, "is no name of a header"),
    ],
)
def test_an_option_that_does_not_fit_is_told_at_construction(options, told):
    with pytest.raises(SettingsError, match=told):
        CORS(None, **options)
