"""CSPReports: what browsers tell of broken policies, within bounds."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus_middleware import CSPReports, SettingsError
from nexus_middleware.rules.violations import Violation, violations
from tests.helpers import Clock, Origin

OLD = {
    "csp-report": {
        "document-uri": "https://user:pw@shop.example/cart?token=secret#x",
        "violated-directive": "script-src-elem https://a.example",
        "blocked-uri": "https://evil.example:8443/x.js?y",
        "script-sample": "alert(1)",
    }
}
NEW = [
    {
        "type": "csp-violation",
        "body": {
            "documentURL": "https://shop.example/",
            "effectiveDirective": "style-src-attr",
            "blockedURL": "inline",
            "disposition": "report",
        },
    },
    {"type": "deprecation", "body": {}},
]
OLD_TYPE, NEW_TYPE = [("content-type", "application/csp-report")], [("content-type", "application/reports+json")]


def layer(door, **options):
    told = []
    app = CSPReports(door.app(Origin()), record=lambda request, violation: told.append(violation), **options)
    return app, told


def send(door, app, value=OLD, headers=OLD_TYPE, **options):
    body = value if isinstance(value, (bytes, list)) and not isinstance(value, dict) else json.dumps(value).encode()
    return door.get(app, "/csp-reports", method="POST", body=body, headers=headers, **options)


def test_both_forms_of_a_report_are_understood_and_cut_down(door):
    app, told = layer(door)

    assert send(door, app).status == 204
    assert send(door, app, json.dumps(NEW).encode(), NEW_TYPE).status == 204

    assert told == [
        Violation("script-src-elem", "https://evil.example:8443", "/cart", "enforce"),
        Violation("style-src-attr", "inline", "/", "report"),
    ]


def test_all_else_goes_on_to_the_app(door):
    app, told = layer(door)

    assert door.get(app, "/csp-reports").body == b"ok"
    assert door.get(app, "/other", method="POST", body=b"{}", headers=OLD_TYPE).body == b"ok"
    assert told == []


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", OLD_TYPE, 400),
        (b'{"a": 1}', OLD_TYPE, 400),
        (b"[" * 20_000, OLD_TYPE, 400),
        (b"{}", [("content-type", "text/plain")], 415),
        (b"x" * 40_000, OLD_TYPE, 413),
        ([b"x" * 20_000, b"x" * 20_000], OLD_TYPE, 413),
    ],
)
def test_what_is_no_report_is_refused_and_not_told_of(door, body, headers, status):
    app, told = layer(door)

    assert send(door, app, body, headers).status == status
    assert told == []


def test_no_client_and_not_all_together_may_flood_it(door):
    clock = Clock()
    app, told = layer(door, per_minute=5, per_client=2, clock=clock)

    statuses = [send(door, app, client=f"203.0.113.{n // 3}").status for n in range(12)]

    assert statuses == [204, 204, 429, 204, 204, 429, 204, 429, 429, 429, 429, 429]
    assert int(send(door, app).headers["retry-after"]) >= 60
    clock.now += 60
    assert send(door, app).status == 204
    assert len(told) == 6


def test_what_extensions_and_other_schemes_break_is_one_kind_each():
    def blocked(uri):
        (violation,) = violations(json.dumps({"csp-report": {"blocked-uri": uri}}).encode())
        return violation.blocked

    seen = [blocked(uri) for uri in ("moz-extension://1/a", "chrome-extension://2/b", "data:text/x", "", "http://[x")]
    assert seen == ["extension:", "extension:", "data:", "inline", "http:"]


WORDS = st.text("ab:/?#[]@.é\n\0\u202e ", max_size=300) | st.none() | st.integers()
REPORT = st.dictionaries(st.sampled_from(["blocked-uri", "document-uri", "effective-directive", "disposition"]), WORDS)


@given(st.builds(lambda report: {"csp-report": report}, REPORT))
def test_whatever_a_report_says_what_is_kept_is_short_and_plain(report):
    (violation,) = violations(json.dumps(report).encode())

    for part in (violation.directive, violation.blocked, violation.page):
        assert len(part) <= 120
        assert part.isascii() and part.isprintable()


@given(st.binary())
def test_no_body_makes_the_reader_fail(body):
    assert violations(body) is None or isinstance(violations(body), list)


def test_a_path_or_bound_that_cannot_be_is_refused():
    for options in ({"path": "csp"}, {"per_minute": 0}, {"per_client": 0}):
        with pytest.raises(SettingsError):
            CSPReports(None, record=print, **options)
