"""SecurityHeaders: what is sent where, what wins, what is taken away, and what a nonce does."""

import asyncio
import re

import pytest

from nexus_middleware import (
    BodyLimit,
    HeaderPolicy,
    IPFilter,
    RateLimit,
    ResponseCache,
    SecurityHeaders,
    SettingsError,
)
from nexus_middleware.rules.leaking_headers import LEAKING
from tests.helpers import Answer, Origin

STATIC = {  # of the OWASP Secure Headers Project, without Clear-Site-Data, which is for signing out
    "cache-control": "no-store, max-age=0",
    "content-security-policy": "default-src 'none'",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "accelerometer=(),",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "x-dns-prefetch-control": "off",
    "x-frame-options": "DENY",
    "x-permitted-cross-domain-policies": "none",
}
HTML = ("content-type", "text/html")


def says(*pairs, status=200):
    return Origin(lambda path, headers: Answer(status=status, headers=[HTML, *pairs]))


@pytest.mark.parametrize("preset", ["strict", "api"])
def test_a_closed_preset_sends_the_twelve_static_headers(door, preset):
    seen = door.get(SecurityHeaders(door.app(says()), preset=preset), scheme="https")

    assert {name: seen.headers.get(name, "")[: len(start)] for name, start in STATIC.items()} == STATIC
    assert seen.headers["x-xss-protection"] == "0"


def test_the_default_says_nothing_that_keeps_a_page_from_loading_what_it_loads(door):
    headers = door.get(SecurityHeaders(door.app(says())), scheme="https").headers

    assert headers["content-security-policy"] == "base-uri 'self'; frame-ancestors 'self'; object-src 'none'"
    assert not {"cross-origin-embedder-policy", "cross-origin-resource-policy", "cache-control"} & {*headers}


def test_strict_transport_security_goes_out_over_https_only(door):
    app = SecurityHeaders(door.app(says()))

    assert "strict-transport-security" not in door.get(app).headers
    assert door.get(app, scheme="https").headers["strict-transport-security"] == "max-age=63072000"


def test_what_the_app_says_wins(door):
    origin = says(("x-frame-options", "SAMEORIGIN"), ("cache-control", "max-age=60"), ("x-own", "1"))

    seen = door.get(SecurityHeaders(door.app(origin), preset="strict"))

    names = [name for name, _ in seen.pairs]
    assert len(names) == len({*names})
    assert (seen.headers["x-frame-options"], seen.headers["cache-control"]) == ("SAMEORIGIN", "max-age=60")
    assert (seen.headers["content-type"], seen.headers["x-own"]) == ("text/html", "1")


def test_unless_it_is_overridden(door):
    origin = says(("x-frame-options", "SAMEORIGIN"), ("x-own", "1"))

    seen = door.get(SecurityHeaders(door.app(origin), preset="strict", override=("X-Frame-Options", "X-Own")))

    assert seen.headers["x-frame-options"] == "DENY"
    assert "x-own" not in seen.headers


def test_none_of_the_87_headers_that_tell_of_the_server_goes_out(door):
    assert len(LEAKING) == 87
    app = SecurityHeaders(door.app(says(*[(name.decode().title(), "v1") for name in LEAKING])))

    assert not {name for name, _ in door.get(app).pairs} & {name.decode() for name in LEAKING}


def test_one_that_is_to_be_kept_is(door):
    app = SecurityHeaders(door.app(says(("SourceMap", "/app.map"), ("X-Powered-By", "x"))), keep=("sourcemap",))

    headers = door.get(app).headers
    assert headers["sourcemap"] == "/app.map"
    assert "x-powered-by" not in headers


@pytest.mark.parametrize("status", [204, 304, 404, 500, 503])
def test_every_status_carries_them(door, status):
    seen = door.get(SecurityHeaders(door.app(says(status=status)), preset="strict"))

    assert seen.status == status
    assert seen.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("make", "status"),
    [
        (lambda app: IPFilter(app, deny=["203.0.113.0/24"]), 403),
        (lambda app: RateLimit(app, "1/minute"), 429),
        (lambda app: BodyLimit(app, 1), 413),
    ],
)
def test_refusals_carry_them_too(door, make, status):
    app = SecurityHeaders(make(door.app(says())), preset="strict")

    door.get(app)
    seen = door.get(app, method="POST", body=b"xx")

    assert (seen.status, seen.headers["x-content-type-options"]) == (status, "nosniff")


def test_an_app_that_fails_sends_them_with_its_500(asgi_door):
    app = SecurityHeaders(asgi_door.app(Origin(lambda path, headers: Answer(fails=True))))
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b""}

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "client": ("203.0.113.7", 1)}
    with pytest.raises(RuntimeError):
        asyncio.run(app(scope, receive, send))

    assert sent[0]["status"] == 500
    assert (b"x-content-type-options", b"nosniff") in sent[0]["headers"]


def test_the_longest_path_holds_and_ends_where_a_segment_ends(door):
    paths = {
        "/a": HeaderPolicy(csp="default-src a"),
        "/a/b/": HeaderPolicy(csp="default-src b"),
        "/docs": "docs",
    }
    app = SecurityHeaders(door.app(says()), preset="strict", paths=paths)

    def policy(path):
        return door.get(app, path).headers["content-security-policy"]

    assert [policy(path)[:13] for path in ("/a", "/a/x", "/a/b/c")] == [
        "default-src a",
        "default-src a",
        "default-src b",
    ]
    assert "cdn.jsdelivr.net" in policy("/docs")
    assert "cdn.jsdelivr.net" in policy("/docs/oauth2-redirect")
    assert "cdn.jsdelivr.net" not in policy("/docs-of-others")
    assert policy("/abc") == policy("/")


def test_headers_of_one_s_own_replace_those_of_the_preset_and_empty_ones_go(door):
    app = SecurityHeaders(
        door.app(says()),
        preset="strict",
        headers={"Cache-Control": "", "Origin-Agent-Cluster": "?1"},
        paths={"/frames": HeaderPolicy("strict", headers={"X-Frame-Options": "SAMEORIGIN"})},
    )

    headers = door.get(app).headers
    assert headers["origin-agent-cluster"] == "?1"
    assert "cache-control" not in headers
    assert door.get(app, "/frames").headers["x-frame-options"] == "SAMEORIGIN"


def test_a_policy_may_only_report_beside_the_one_that_is_enforced(door):
    app = SecurityHeaders(
        door.app(says()), csp="default-src 'self'", report_only="default-src 'none'", paths={"/docs": "docs"}
    )

    headers = door.get(app).headers
    assert headers["content-security-policy"] == "default-src 'self'"
    assert headers["content-security-policy-report-only"] == "default-src 'none'"
    assert door.get(app, "/docs").headers["content-security-policy-report-only"] == "default-src 'none'"


def test_browsers_are_told_where_to_report_to(door):
    app = SecurityHeaders(door.app(says()), csp="default-src 'self'", report_only="img-src x", report_path="/csp")

    plain, secure = door.get(app).headers, door.get(app, scheme="https").headers

    assert plain["content-security-policy"] == "default-src 'self'; report-uri /csp"
    assert secure["content-security-policy-report-only"] == "img-src x; report-uri /csp; report-to csp"
    assert secure["reporting-endpoints"] == 'csp="/csp"'
    assert "reporting-endpoints" not in plain


class Page(Origin):
    """Reads its nonce where the path says so."""

    def answer(self, path, headers):
        self.asked.append(path)
        if path == "/page":
            self.nonces = [self.seen.csp_nonce, self.seen.csp_nonce]
        return Answer(headers=[HTML, ("cache-control", "public, max-age=60")])


def test_a_nonce_is_made_when_it_is_read_and_sent_in_the_policy_of_that_response_alone(door):
    page = Page()
    app = SecurityHeaders(door.app(page), csp="default-src 'self'; img-src *", report_only="script-src 'none'")

    with_nonce = [door.get(app, "/page") for _ in range(2)]
    nonces = [re.findall(r"'nonce-([^']*)'", seen.headers["content-security-policy"]) for seen in with_nonce]

    assert "nonce" not in door.get(app, "/other").headers["content-security-policy"]
    assert nonces[0] != nonces[1]
    assert nonces[1] == page.nonces
    assert len(page.nonces[0]) == 22  # 128 bits
    assert with_nonce[1].headers["content-security-policy-report-only"] == f"script-src 'nonce-{page.nonces[0]}'"


def test_under_strict_a_nonce_alone_opens_scripts(door):
    page = Page()

    policy = door.get(SecurityHeaders(door.app(page), preset="strict"), "/page").headers["content-security-policy"]

    assert f"script-src 'strict-dynamic' 'nonce-{page.nonces[0]}';" in policy
    assert f"style-src 'self' 'nonce-{page.nonces[0]}';" in policy


def test_where_everything_inline_is_allowed_a_nonce_forbids_nothing(door):
    app = SecurityHeaders(door.app(Page()), paths={"/page": "docs"})

    assert "nonce" not in door.get(app, "/page").headers["content-security-policy"]


def test_a_page_with_a_nonce_is_never_stored(door, store):
    origin = Page()
    app = SecurityHeaders(ResponseCache(door.app(origin), store=store), csp="default-src 'self'")

    first, second = (door.get(app, "/page").headers["content-security-policy"] for _ in range(2))

    assert len(origin.asked) == 2
    assert first != second


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"preset": "loose"}, "default, strict, api, docs"),
        ({"csp": "default-src 'self'\nx: y"}, "one line"),
        ({"report_only": "ünsafe"}, "one line"),
        ({"override": ["a b"]}, "'a b'"),
        ({"headers": {"x-y": "a\r\nb: c"}}, "x-y"),
        ({"paths": {"docs": "docs"}}, "must begin with /"),
        ({"report_path": "csp"}, "must begin with /"),
    ],
)
def test_what_does_not_fit_is_refused_when_the_layer_is_made(options, word):
    with pytest.raises(SettingsError, match=re.escape(word)):
        SecurityHeaders(None, **options)
