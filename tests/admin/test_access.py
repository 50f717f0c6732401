"""Who gets in: closed by default, by token, by session, by the host's own hook; and from which pages."""

from __future__ import annotations

import json
import logging

import pytest

from nexus_middleware.admin import RIGHTS
from nexus_middleware.admin.api import RESOURCES
from nexus_middleware.admin.rights import granted
from nexus_middleware.admin.sessions import LASTS, Sessions
from nexus_middleware.admin.tokens import Token
from nexus_middleware.errors import SettingsError
from tests.admin.conftest import BEARER, JSON, PAGE, SAME, SECRET, TOKEN, cookie, sign_in


def test_without_a_token_or_a_hook_all_is_a_404_and_the_log_says_how_to_open_it(make, caplog):
    desk = make(admin_token="")

    with caplog.at_level(logging.WARNING, "nexus_middleware"):
        seen = [desk.ask(path) for path in ("/health", "/sign-in", f"{PAGE}/", PAGE, f"{PAGE}/static/x/app.js")]

    assert {each.status for each in seen} == {404}
    assert len({each.body.count(b"nexus") for each in seen}) == 1
    assert [r.message for r in caplog.records if "NEXUS_ADMIN_TOKEN" in r.message]


@pytest.mark.parametrize(
    "headers",
    [
        [BEARER],
        [("authorization", f"bearer {TOKEN}")],
        [SECRET],
        [("authorization", "Basic eDp5"), SECRET],
    ],
)
def test_the_token_opens_by_either_header(desk, headers):
    assert desk.ask("/health", headers=headers).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("authorization", TOKEN)],
        [("authorization", f"Basic {TOKEN}")],
        [("authorization", f"Bearer {TOKEN}x")],
        [("x-api-key", TOKEN.upper())],
        [("x-api-key", "ÿþ")],
        [("cookie", f"nexus={TOKEN}")],
        [("cookie", "nexus=9999999999.x.")],
        [("cookie", "nexus=..")],
    ],
)
def test_nothing_else_opens_and_every_reason_looks_the_same(desk, headers):
    seen = desk.ask("/health", headers=headers)

    assert seen.status == 401 and seen.headers["www-authenticate"] == 'Bearer realm="nexus"'
    assert b"sign in, or send the token" in seen.body


def test_a_token_in_the_query_does_not_open(desk):
    assert desk.ask(f"/health?token={TOKEN.replace(' ', '+')}", headers=[]).status == 401


@pytest.mark.parametrize("path", [path.replace("{queue:path}", "email-queue") for path in RESOURCES])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS"])
def test_a_stranger_is_told_nothing_by_any_address(desk, path, method):
    if path in ("/sign-in", "/sign-out"):
        assert desk.ask(path, method=method, headers=[]).status in (204, 403, 405)
    else:
        assert desk.ask(path, method=method, headers=[]).status == 401


CHANGES = [
    ("DELETE", "/cache", "cache:clear"),
    ("POST", "/queues/email-queue/pause", "queues:pause"),
    ("POST", "/queues/email-queue/resume", "queues:pause"),
    ("POST", "/queues/email-queue/retry-failed", "queues:retry"),
    ("POST", "/queues/email-queue/empty", "queues:delete"),
    ("POST", "/security/blocked", "security:block"),
    ("DELETE", "/security/blocked", "security:unblock"),
]


@pytest.mark.parametrize(("method", "path", "right"), CHANGES)
def test_each_change_needs_its_own_right(make, method, path, right):
    rights = {"view"}
    desk = make(access=lambda scope: rights)
    options = {"method": method, "headers": [SAME], "body": {"address": "192.0.2.7"}}

    assert desk.problem(path, **options)["detail"] == f"this needs the right {right}"
    rights.add(right)
    assert desk.ask(path, **options).status == 200


def test_who_may_only_read_reads_everything_and_changes_nothing(make):
    desk = make(access=lambda scope: "read_only")

    for path in ("/health", "/cache", "/queues", "/overview", "/me", "/security/blocked"):
        assert desk.ask(path, headers=[]).status == 200
    for method, path, _ in CHANGES:
        assert desk.ask(path, method=method, headers=[SAME], body={"address": "192.0.2.7"}).status == 403
    assert desk.json("/me")["rights"] == ["view"]


def test_a_hook_sees_the_whole_scope_and_may_be_a_coroutine(make):
    async def access(scope):
        return "all" if (b"x-user", b"ada") in scope["headers"] else None

    desk = make(access=access)

    assert desk.ask("/cache", method="DELETE", headers=[("x-user", "ada"), SAME, JSON]).status == 200
    assert desk.ask("/health", headers=[]).status == 404
    assert desk.ask(f"{PAGE}/", headers=[]).status == 404
    assert sign_in(desk).status == 404


def test_a_hook_replaces_the_token(make):
    assert make(access=lambda scope: None).ask("/health", headers=[BEARER]).status == 404


@pytest.mark.parametrize("wrong", ["everything", {"cache:explode"}, True, 7])
def test_a_hook_that_says_something_else_is_an_error_and_opens_nothing(wrong):
    with pytest.raises(SettingsError, match=r"access\(scope\)"):
        granted(wrong)


def test_all_is_every_right():
    assert granted("all") == RIGHTS


# --- sessions


@pytest.mark.parametrize(("scheme", "name", "secure"), [("https", "__Host-nexus=", True), ("http", "nexus=", False)])
def test_signing_in_begins_a_session(desk, scheme, name, secure):
    seen = sign_in(desk, scheme=scheme)

    line = seen.headers["set-cookie"]
    assert line.startswith(name) and ("; Secure" in line) is secure
    assert "; HttpOnly" in line and "; SameSite=Strict" in line and "; Path=/;" in line and f"Max-Age={LASTS}" in line
    assert desk.ask("/health", headers=[cookie(seen)], scheme=scheme).status == 200
    assert desk.ask("/cache", headers=[cookie(seen), SAME, JSON], method="DELETE", scheme=scheme).status == 200
    other = "http" if scheme == "https" else "https"
    assert desk.ask("/health", headers=[cookie(seen)], scheme=other).status == 401


def test_a_session_ends_after_twelve_hours(clock):
    token = Token.of(TOKEN)
    sessions = Sessions((token,), clock=clock)
    line = sessions.cookie(token, secure=False)[1].decode().partition(";")[0]

    assert sessions.owner(f"a=b; {line}", secure=False) == token
    clock.now += 12 * 3600
    assert sessions.owner(line, secure=False) is None


def test_a_session_is_of_no_use_with_another_token_or_another_end(clock):
    ada, bob = Token.of(TOKEN, "a.da"), Token.of(TOKEN + "x", "bob")
    both = Sessions((ada, bob), clock=clock)
    line = both.cookie(ada, secure=False)[1].decode().partition(";")[0]

    assert both.owner(line, secure=False) == ada
    assert Sessions((Token.of("another", "a.da"), bob), clock=clock).owner(line, secure=False) is None
    assert Sessions((bob,), clock=clock).owner(line, secure=False) is None
    assert both.owner(line.replace("nexus=1", "nexus=2"), secure=False) is None
    assert both.owner(line.replace(".a.da.", ".bob."), secure=False) is None


def test_a_token_with_a_name_opens_and_its_name_is_in_the_log_and_on_the_list(make):
    desk = make(admin_token="", admin_tokens=("ada=first secret", "bob=second secret"))
    bearer = ("authorization", "Bearer second secret")

    assert json.loads(desk.ask("/me", headers=[bearer]).body)["name"] == "bob"
    begun = sign_in(desk, token="first secret")
    assert json.loads(desk.ask("/me", headers=[cookie(begun)]).body)["name"] == "ada"
    assert desk.ask("/cache", headers=[cookie(begun), SAME, JSON], method="DELETE").status == 200
    details = [event["detail"] for event in desk.nexus.security.events(kind="admin_action")]
    assert details == ["cache_clear everything by ada", "sign_in by ada"]
    assert desk.ask("/me", headers=[BEARER]).status == 401


def test_a_token_to_read_with_changes_nothing_by_itself_nor_by_its_session(make):
    desk = make(admin_tokens=("grafana:read_only=third secret",))
    bearer = ("x-api-key", "third secret")
    session = cookie(sign_in(desk, token="third secret"))

    for headers in ([bearer, JSON], [session, SAME, JSON]):
        assert desk.ask("/health", headers=headers).status == 200
        assert desk.ask("/cache", headers=headers, method="DELETE").status == 403
    assert desk.ask("/cache", headers=[BEARER, JSON], method="DELETE").status == 200


def test_the_host_s_user_is_named_if_the_hook_lets_it_in(make):
    class User:
        display_name = "Ada\n\x1b[31m" + "a" * 200

    desk = make(access=lambda scope: scope.setdefault("user", User()) and "all")
    name = json.loads(desk.ask("/me", headers=[]).body)["name"]
    assert name.startswith("Ada") and len(name) <= 64 and name.isprintable()


def test_signing_out_takes_the_cookie_away(desk):
    seen = desk.ask("/sign-out", method="POST", headers=[SAME, JSON])

    assert seen.headers["set-cookie"].startswith("nexus=; Path=/; Max-Age=0")


# --- wrong tokens


def test_the_sixth_wrong_token_in_a_quarter_of_an_hour_is_a_429_and_so_is_the_right_one_then(desk):
    seen = [sign_in(desk, token="wrong").status for _ in range(6)]

    assert seen == [401] * 5 + [429]
    late = sign_in(desk)
    assert late.status == 429 and 890 < int(late.headers["retry-after"]) <= 900
    assert desk.ask("/health", headers=[BEARER]).status == 429
    assert desk.ask("/health", headers=[BEARER], client="198.51.100.1").status == 200


def test_wrong_tokens_in_headers_count_too_and_right_ones_never(desk):
    assert {desk.ask("/health").status for _ in range(20)} == {200}
    assert [desk.ask("/health", headers=[("x-api-key", "no")]).status for _ in range(6)] == [401] * 5 + [429]


def test_an_ipv6_caller_is_counted_by_its_network(desk):
    seen = [sign_in(desk, token="wrong", client=f"2001:db8::{n}").status for n in range(1, 7)]

    assert seen[-1] == 429


def test_who_is_shut_out_keeps_a_session(desk):
    session = cookie(sign_in(desk))
    for _ in range(6):
        sign_in(desk, token="wrong")

    assert desk.ask("/health", headers=[session]).status == 200


def test_all_processes_count_together_and_each_alone_without_redis(make, own_server):
    first, second = make(store=own_server.url), make(store=own_server.url)
    assert [sign_in(desk, token="no").status for desk in (first, second) * 3] == [401] * 5 + [429]

    own_server.stop(kill=True)
    third = make(store=own_server.url)
    assert [sign_in(third, token="no").status for _ in range(6)] == [401] * 5 + [429]


def test_behind_a_trusted_proxy_it_is_the_visitor_s_scheme_and_address_that_count(make):
    desk = make(trusted_proxies=("203.0.113.0/24",))
    proxied = [("x-forwarded-proto", "https"), ("x-forwarded-for", "198.51.100.9")]

    seen = sign_in(desk, headers=[("origin", "https://example.org"), *proxied])

    assert seen.headers["set-cookie"].startswith("__Host-nexus=")
    assert desk.json("/me", headers=[cookie(seen), *proxied])["address"] == "198.51.100.9"
    for _ in range(6):
        sign_in(desk, token="wrong", headers=[SAME, *proxied])
    assert sign_in(desk, headers=[SAME, *proxied]).status == 429
    assert sign_in(desk).status == 200
