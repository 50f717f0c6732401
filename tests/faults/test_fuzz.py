"""Any path, query, header, cookie or body that a server lets through is answered, and never with a failure of ours."""

from __future__ import annotations

import os
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexus_middleware import Nexus, Rule, Settings
from nexus_middleware.middleware.keys import by_api_key
from tests.helpers import Answer, ASGIDoor, Origin, WSGIDoor

EXAMPLES = int(os.environ.get("FAULTS_EXAMPLES", "150"))
STACK = Settings(
    rate_limit="1000000/minute",
    trusted_proxies=("0.0.0.0/0",),
    cors_origins=("https://shop.example",),
    api_keys=("a key",),
    input_guard="enforce",
    admin_token="a long secret of the tests",
    server_timing=True,
    csp_report_path="/csp-reports",
    log_level="error",
)
NASTY = (
    "",
    "%",
    "%00",
    "%ff%fe",
    "\\",
    "..",
    "//",
    ";",
    "\x7f",
    "é",
    "0" * 5_000,
    "' or 1=1 --",
    "<script>",
    "=?utf-8?q?x?=",
)
PATHS = (
    "/api/items",
    "/livez",
    "/metrics",
    "/csp-reports",
    "/admin/infrastructure/",
    "/admin/infrastructure/api/overview",
    "/api/infrastructure/health",
    "/api/infrastructure/cache",
    "/api/infrastructure/queues",
    "/api/infrastructure/logs",
    "/api/infrastructure/performance",
    "/api/infrastructure/security",
)
NAMES = (
    "accept", "accept-encoding", "accept-language", "access-control-request-headers", "access-control-request-method",
    "authorization", "cache-control", "content-encoding", "content-type", "cookie", "forwarded", "host", "if-match",
    "if-modified-since", "if-none-match", "if-range", "origin", "pragma", "range", "referer", "sec-fetch-site",
    "traceparent", "tracestate", "user-agent", "x-api-key", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
    "x-request-id",
)  # fmt: skip
LATIN = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60)
VALUES = st.one_of(LATIN, st.sampled_from([text for text in NASTY if "\x7f" not in text]))
TYPES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/plain", "")
MADE = st.fixed_dictionaries({
    "path": st.builds(
        lambda start, rest: start + quote(rest, safe="/%;"),
        st.sampled_from(PATHS),
        st.one_of(st.text(max_size=30), st.sampled_from(NASTY)),
    ),
    "query": st.one_of(st.text(max_size=60).map(lambda text: quote(text, safe="&=%;+").encode()), st.just(b"%zz=%&&=")),
    "headers": st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=6),
    "method": st.sampled_from(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PURGE", "")),
    "body": st.binary(max_size=200),
    "kind": st.sampled_from(TYPES),
    "opened": st.booleans(),
    "client": st.sampled_from(("203.0.113.7", "2001:db8::1", "::ffff:203.0.113.7", "unix", None)),
})  # fmt: skip


@pytest.mark.parametrize("kind", [ASGIDoor, WSGIDoor], ids=["asgi", "wsgi"])
def test_nothing_that_a_caller_sends_makes_a_failure_of_ours(kind):
    door = kind()
    origin = Origin(
        lambda path, headers: Answer(headers=[("cache-control", "max-age=60"), ("vary", "accept")], reads=True)
    )
    stack = Nexus(door.app(origin), STACK, rules=[Rule("1000000/minute", key=by_api_key, name="key", path="/api/*")])

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[*HealthCheck])
    @given(MADE)
    def fuzz(made):
        opened = [("authorization", f"Bearer {STACK.admin_token}")] if made["opened"] else []
        said = [*opened, *made["headers"], *([("content-type", made["kind"])] if made["kind"] else [])]
        options = {key: made[key] for key in ("query", "method", "body", "client")}
        seen = door.get(stack, made["path"], headers=said, **options)
        assert seen.status < 500, seen.body
        assert not any(c in value for _, value in seen.pairs for c in "\r\n\0")

    fuzz()
    assert origin.asked, "some came through"
    stack.runtime.close()
    door.close()
