"""InputGuard: what is judged where, what is told to whom, and that what passes is passed on as it came."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexus_middleware import (
    BodyLimit,
    InputGuard,
    RateLimit,
    RequestLogger,
    ResponseCache,
    SecurityHeaders,
    SettingsError,
)
from tests.connection import Connection
from tests.helpers import Answer, Origin
from tests.rules.honest import PLAIN

SQL, XSS = "7' or 'x'='x", "<script>steal()</script>"
SQL_BYTES = b"7%27%20or%20%27x%27=%27x"
JSON = ("content-type", "application/json")
FORM = ("content-type", "application/x-www-form-urlencoded")
MULTIPART = ("content-type", "multipart/form-data; boundary=zz")


def reading(path, headers):
    return Answer(reads=True)


@pytest.fixture
def origin():
    return Origin(reading)


@pytest.fixture
def app(door, origin):
    return InputGuard(door.app(origin))


def told(seen):
    assert seen.status == 400, seen
    assert seen.headers["content-type"] == "application/problem+json"
    return json.loads(seen.body)["detail"].removeprefix("The request's ").removesuffix(" looks like an attack.")


def part(name, text, more=""):
    return f'--zz\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{text}\r\n--zz--\r\n'.encode()


@pytest.mark.parametrize(
    ("place", "options"),
    [
        ("path", {"path": "/users/7' or 'x'='x"}),
        ("path", {"path": f"/{XSS}"}),
        ("query q", {"query": b"page=2&q=" + SQL_BYTES}),
        ("query q", {"query": b"q=-7+union+select+1"}),
        ("query", {"query": b"%3Cscript%3E=1"}),
        ("query", {"query": b"%3Cscript%3E"}),
        ("cookie theme", {"headers": [("cookie", f"a=b; theme={SQL}")]}),
        ("header user-agent", {"headers": [("user-agent", XSS)]}),
        ("header referer", {"headers": [("referer", f"https://example.org/?q={SQL}")]}),
        ("json a.0.b", {"method": "POST", "headers": [JSON], "body": json.dumps({"a": [{"b": SQL}]}).encode()}),
        ("json", {"method": "POST", "headers": [JSON], "body": json.dumps({XSS: 1}).encode()}),
        ("json", {"method": "POST", "headers": [JSON], "body": json.dumps(XSS).encode()}),
        ("json a", {"method": "PUT", "headers": [("content-type", "application/ld+json; charset=utf-8")], "body": b'{"a":"<script>"}'}),
        ("form a", {"method": "POST", "headers": [FORM], "body": b"b=1&a=" + SQL_BYTES}),
        ("form a", {"method": "POST", "headers": [MULTIPART], "body": part("a", SQL)}),
        ("form f", {"method": "POST", "headers": [MULTIPART], "body": part("f", "x", '; filename="<script>"')}),
    ],
)  # fmt: skip
def test_an_attack_is_refused_and_its_place_is_told(door, app, origin, place, options):
    seen = door.get(app, **{"path": "/x", **options})

    assert told(seen) == place
    assert origin.asked == []


def test_nothing_of_the_attack_is_said_again(door, app):
    for options in (
        {"path": f"/{XSS}"},
        {"query": b"%3Cscript%3Esteal%3C/script%3E=steal%3Cscript%3E"},
        {"headers": [JSON], "body": json.dumps({XSS: SQL}).encode()},
        {"headers": [("cookie", f"{XSS}={XSS}")]},
    ):
        body = door.get(app, **options).body.decode()
        assert "steal" not in body
        assert "script" not in body
        assert "xss-" not in body, "the rules are nobody's business"


@pytest.mark.parametrize(
    "options",
    [
        {"path": "/courses/7"},
        {"path": "/caf\xe9/O'Hara & Sons"},
        {"query": b"q=O%27Hara+and+sons&page=2&empty=&flag"},
        {"headers": [("user-agent", PLAIN[-1]), ("referer", "https://example.org/?a=1&b=2"), ("cookie", "a=1; b=x|y%7B")]},
        {"headers": [("x-anything", XSS), ("accept", SQL)]},
        {"method": "POST", "headers": [JSON], "body": json.dumps({"texts": PLAIN}).encode()},
        {"method": "POST", "headers": [JSON], "body": b'{"no json": "<script>'},
        {"method": "POST", "headers": [FORM], "body": b"a=O%27Hara&b=1+or+2"},
        {"method": "POST", "headers": [MULTIPART], "body": part("a", "O'Hara")},
        {"method": "POST", "headers": [MULTIPART], "body": part("f", XSS, '; filename="page.html"')},
        {"method": "POST", "headers": [("content-type", "text/html")], "body": XSS.encode()},
        {"method": "POST", "headers": [("content-type", "application/octet-stream")], "body": XSS.encode()},
        {"method": "POST", "body": XSS.encode()},
    ],
)  # fmt: skip
def test_all_else_reaches_the_app_as_it_came(door, app, origin, options):
    assert door.get(app, **options).status == 200
    assert origin.bodies == [options.get("body", b"")]


@pytest.mark.parametrize("mode", ["enforce", "shadow", "off"])
@given(body=st.lists(st.binary(max_size=50), min_size=1, max_size=5), kind=st.sampled_from([JSON, FORM, MULTIPART]))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_body_in_pieces_is_passed_on_byte_for_byte(door, mode, body, kind):
    origin = Origin(reading)
    seen = door.get(InputGuard(door.app(origin), mode=mode), method="POST", headers=[kind], body=body)

    assert seen.status == 400 or origin.bodies == [b"".join(body)]


def decisions(door, attack, **options):
    told = []

    def say(path, headers):
        told.extend((d.verdict, d.status, d.why) for d in origin.seen.decisions)
        return Answer(reads=True)

    origin = Origin(say)
    seen = door.get(InputGuard(door.app(origin), **options), **attack)
    return seen.status, told, origin


def test_in_shadow_nobody_is_refused_and_the_decision_says_what_was_found(door):
    attack = {"method": "POST", "query": b"a=1", "headers": [JSON], "body": json.dumps({"q": SQL}).encode()}
    status, told, origin = decisions(door, attack, mode="shadow")

    assert (status, origin.bodies) == (200, [attack["body"]])
    assert told == [("would answer", 400, "sql-quote-logic (sqli, 8 of 10) in json q")]


def test_what_passes_is_explained_too(door):
    assert decisions(door, {"path": "/x"})[1] == [("passed", None, "nothing found")]
    off = decisions(door, {"path": "/x/y", "query": b"q=" + SQL_BYTES}, paths={"/x/*": "off"})
    assert off[1] == [("passed", None, "not judged")]


def test_the_log_line_of_a_refusal_does_not_stand_for_more_than_one_line(door):
    lines = []
    app = RequestLogger(InputGuard(door.app(Origin())), log=lines.append)

    assert door.get(app, "/x\n<script>").status == 400
    assert [line.status for line in lines] == [400]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 400),
        ("/wiki", 200),
        ("/wiki/a/b", 200),
        ("/WIKI/a/", 200),
        ("/wikis", 400),
        ("/raw/x", 200),
        ("/wiki/../login", 400),
        ("/login/../wiki/a", 400),
        ("/x/%2e%2e/wiki", 400),
        ("//wiki/a", 400),
    ],
)
def test_a_path_may_have_a_mode_of_its_own_and_no_spelling_of_another_has_it(door, path, status):
    app = InputGuard(door.app(Origin()), paths={"/wiki/*": "off", "/raw/*": "shadow"})

    assert door.get(app, path, query=b"q=" + SQL_BYTES).status == status


def test_a_guard_in_shadow_may_enforce_on_one_path(door):
    app = InputGuard(door.app(Origin()), mode="shadow", paths={"/login": "enforce"})

    assert [door.get(app, path, query=b"q=" + SQL_BYTES).status for path in ("/login", "/other")] == [400, 200]


@pytest.mark.parametrize(
    ("exempt", "free"),
    [
        ("html", {"/a": ["html"], "/wiki/1": ["html"]}),
        ("json html", {"/a": ["html"], "/wiki/1": ["html"]}),
        ("form html", {"/a": [], "/wiki/1": []}),
        ("/wiki/*: json html", {"/a": [], "/wiki/1": ["html"]}),
        ("lines.*.html", {"/a": ["lines.0.html"], "/wiki/1": ["lines.0.html"]}),
        ("*", {"/a": ["html", "lines.0.html"], "/wiki/1": ["html", "lines.0.html"]}),
    ],
)
def test_fields_may_be_exempt_everywhere_or_on_some_paths(door, exempt, free):
    app = InputGuard(door.app(Origin()), exempt=[exempt])
    bodies = {"html": {"html": XSS}, "lines.0.html": {"lines": [{"html": XSS}]}}

    for path, names in free.items():
        seen = {
            name: door.get(app, path, method="POST", headers=[JSON], body=json.dumps(body).encode()).status
            for name, body in bodies.items()
        }
        assert seen == {name: 200 if name in names else 400 for name in bodies}


def test_a_header_and_a_cookie_may_be_exempt(door):
    app = InputGuard(door.app(Origin()), exempt=("header referer", "cookie prefs"))

    assert door.get(app, headers=[("referer", SQL), ("cookie", f"prefs={XSS}")]).status == 200
    assert door.get(app, headers=[("user-agent", SQL)]).status == 400


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mode": "on"}, "mode='on' must be one of"),
        ({"paths": {"/x": "on"}}, "mode 'on' must be one of"),
        ({"paths": {"x": "off"}}, "must begin with /"),
        ({"exempt": ["/x: "]}, "names no field"),
        ({"exempt": ""}, "names no field"),
    ],
)
def test_what_cannot_be_is_told_at_construction(options, said):
    with pytest.raises(SettingsError, match=said):
        InputGuard(None, **options)


def test_a_body_over_the_limit_is_refused_by_the_limit(door):
    origin = Origin(reading)
    app = BodyLimit(InputGuard(door.app(origin)), 100)
    body = json.dumps({"a": "x" * 200}).encode()

    assert door.get(app, method="POST", headers=[JSON], body=body).status == 413
    assert door.get(app, method="POST", headers=[JSON], body=[body[:50], body[50:]]).status == 413
    assert origin.bodies == []


def test_a_body_that_streams_is_not_held(asgi_door):
    async def upload():
        server = Connection(InputGuard(Origin().asgi), method="POST", headers=[(b"content-type", b"image/png")])
        server.tell(type="http.request", body=b"<script>", more_body=True)  # and no more: the app answers without
        head = await server.hear()
        await server.hear()
        await server.task
        return head["status"]

    assert asgi_door.loop.run_until_complete(upload()) == 200


def test_in_a_long_body_a_strong_attack_is_found_behind_all_that_is_judged_in_full(door, app):
    lines = [f"It's line {i}, and more of it." for i in range(3000)]
    fine = json.dumps({"lines": lines}).encode()
    bad = json.dumps({"lines": [*lines, "-7 union select pin from staff"]}).encode()

    assert door.get(app, method="POST", headers=[JSON], body=fine).status == 200
    assert told(door.get(app, method="POST", headers=[JSON], body=bad)) == "body"


def test_a_refusal_wears_the_headers_and_counts_of_the_layers_outside_and_is_not_cached(door):
    origin = Origin(lambda path, headers: Answer(headers=[("cache-control", "max-age=60")]))
    app = SecurityHeaders(RateLimit(InputGuard(ResponseCache(door.app(origin))), "5/minute"))
    bad = door.get(app, query=b"q=" + SQL_BYTES)

    assert bad.status == 400
    assert {"x-content-type-options", "ratelimit"} <= bad.headers.keys()
    assert bad.headers["cache-control"] == "no-store"
    assert [door.get(app).status for _ in range(5)] == [200] * 4 + [429]


def test_a_websocket_is_judged_by_its_handshake(asgi_door):
    async def closed():
        kind = [(b"content-type", b"application/json")]
        server = Connection(
            InputGuard(Origin().asgi), type="websocket", scheme="ws", path="/live", query_string=b"q=" + SQL_BYTES, headers=kind
        )  # fmt: skip
        server.tell(type="websocket.connect")
        told = await server.hear()
        await server.task
        return told

    assert asgi_door.loop.run_until_complete(closed()) == {"type": "websocket.close", "code": 1008}
