"""`nexus check`: each code is found where it applies and not where it does not, and has a page."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.asgi import get_asgi_application
from django.test import override_settings
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from nexus_middleware import (
    APIKey,
    CacheRule,
    IPFilter,
    Nexus,
    RateLimit,
    RequestID,
    Rule,
    SecurityHeaders,
    Settings,
    TrustedProxies,
    by_header,
)
from nexus_middleware.checks import CHECKS, findings, look, posture
from nexus_middleware.checks.registry import check
from nexus_middleware.stores.redis import RedisStore
from tests.djangos import configured

ROOT = Path(__file__).parents[2]
TOKEN = "a token of more than sixteen characters"
PUBLIC = "redis://redis.example.com:6379/0"


def page(request):
    return PlainTextResponse("")


SITE = [Route("/login", page), Mount("/shop", routes=[Route("/cart", page)])]


class Slow(BaseHTTPMiddleware): ...


def nexus(app=None, *, access=None, layers=list, rules=(), **settings):
    return Nexus(app, Settings(**{"admin_token": TOKEN, **settings}), access=access, layers=layers, rules=rules)


def flask(**config):
    app = Flask("shop")
    app.config.update(SECRET_KEY="x", **config)
    app.wsgi_app = nexus(app.wsgi_app).wsgi
    return app


def codes(app, *, workers=1, environ=None):
    return {finding.code for finding in findings(look(app, workers=workers, environ=environ or {}))}


def strict(app, **options):
    return TrustedProxies(SecurityHeaders(RateLimit(app), preset="strict", **options), ("10.0.0.0/8",))


def session(**options):
    return Starlette(middleware=[Middleware(SessionMiddleware, secret_key="x", **options)])


HARMFUL = {
    "NX001": lambda: APIKey(RateLimit(None), ["a key"]),
    "NX002": lambda: TrustedProxies(RateLimit(None), ("*",)),
    "NX003": lambda: TrustedProxies(IPFilter(None, allow=["10.0.0.0/8"]), ("*",)),
    "NX004": lambda: RateLimit(Starlette(routes=SITE), [Rule("5/minute", path="/login")]),
    "NX005": lambda: nexus(Starlette(middleware=[Middleware(Slow)])),
    "NX006": lambda: strict(FastAPI()),
    "NX007": session,
    "NX009": lambda: nexus(admin_token=""),
    "NX010": lambda: RateLimit(None, store=RedisStore(PUBLIC)),
    "NX011": lambda: Starlette(middleware=[Middleware(RequestID)]),
    "NX012": lambda: nexus(off=True),
    "NX013": lambda: nexus(Starlette(routes=SITE), rules=[Rule("5/minute", path="/log-in", name="a")]),
    "NX014": lambda: nexus(rules=[Rule("500/minute", path="/login", name="a")]),
    "NX015": lambda: nexus(rate_limit="", rules=[Rule("5/minute", key=by_header("x-team"))]),
}
HARMLESS = {
    "NX001": lambda: RateLimit(APIKey(None, ["a key"])),
    "NX002": lambda: TrustedProxies(RateLimit(None), ("10.0.0.0/8",)),
    "NX003": lambda: TrustedProxies(IPFilter(None, allow=["10.0.0.0/8"]), ("10.0.0.0/8",)),
    "NX004": lambda: RateLimit(
        Starlette(routes=SITE), [Rule("5/minute", path="/login", name="a"), Rule("9/minute", path="/shop/*", name="b")]
    ),
    "NX005": lambda: nexus(session()),
    "NX006": lambda: strict(FastAPI(), paths={"/docs": "docs", "/redoc": "docs"}),
    "NX007": lambda: session(https_only=True),
    "NX009": nexus,
    "NX010": lambda: RateLimit(None, store=RedisStore("redis://redis.internal:6379/0")),
    "NX011": lambda: RequestID(Starlette()),
    "NX012": nexus,
    "NX013": lambda: nexus(Starlette(routes=SITE), rules=[Rule("5/minute", path="/shop/*", name="a")]),
    "NX014": lambda: nexus(rules=[Rule("50/minute", path="/login", name="a"), Rule("9/second", name="b")]),
    "NX015": lambda: nexus(rules=[Rule("5/minute", key=by_header("x-team"), name="team")]),
}


@pytest.mark.parametrize("code", HARMFUL)
def test_a_check_finds_what_it_is_for(code):
    assert code in codes(HARMFUL[code]())


@pytest.mark.parametrize("code", HARMLESS)
def test_a_check_finds_nothing_where_nothing_is_wrong(code):
    assert code not in codes(HARMLESS[code]())


@pytest.mark.parametrize(
    ("path", "route", "found"),
    [
        ("/courses/7", "/courses/{id}", False),
        ("/courses/*", "/courses/{id}/lessons", False),
        ("/courses/*/lessons", "/courses/<int:id>/lessons", False),
        ("/static/img/*", "/static", False),
        ("*", "/", False),
        ("/COURSES/", "/courses", False),
        ("/course/*", "/courses/{id}", True),
        ("/courses/7/x", "/courses", False),  # it may be a mount
        ("/", "/courses", True),
    ],
)
def test_a_rule_that_might_match_a_route_is_none_that_never_does(path, route, found):
    app = Starlette(routes=[Route(route, page)])

    assert ("NX013" in codes(nexus(app, rules=[Rule("5/minute", path=path, name="a")]))) is found


def idle(*rules, **options):
    told = [x.message for x in findings(look(nexus(rate_limit="", rules=rules, **options), environ={}))]
    return [x.partition("'")[2].partition("'")[0] for x in told if "never refuses" in x]


def test_a_limit_is_idle_beside_one_that_refuses_the_same_calls_before():
    login = {"path": "/login", "methods": ("POST",)}

    assert idle(Rule("5/hour"), Rule("10/minute", name="b", **login)) == ["b"]
    assert idle(Rule("5/minute"), Rule("5/minute", name="b")) == ["b"]
    assert idle(Rule("5/hour", **login), Rule("10/minute", name="b")) == []
    assert idle(Rule("5/hour", mode="shadow"), Rule("10/minute", name="b")) == []
    assert idle(Rule("50/hour"), Rule("10/minute", name="b")) == []
    assert idle(Rule("5/hour"), Rule("10/minute;3/day", name="b")) == ["default"]
    assert idle(Rule("5/hour", exempt=("/a",)), Rule("10/minute", name="b")) == []
    assert idle(Rule("5/hour"), Rule("10/minute", name="b", key=by_header("x-team"))) == []


def test_a_cache_rule_behind_a_wider_one_and_one_that_varies_without_end_are_found():
    wide, narrow = CacheRule("/courses/*", ttl=60), CacheRule("/courses/new", ttl=5, vary=("User-Agent",))

    assert {"NX014", "NX015"} <= codes(Nexus(None, Settings(admin_token=TOKEN), cache_rules=[wide, narrow]))
    assert "NX014" not in codes(Nexus(None, Settings(admin_token=TOKEN), cache_rules=[narrow, wide]))


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        ("default-src 'self'", True),
        ("script-src * 'unsafe-inline'", False),
        ("img-src 'self'", False),
        ("script-src 'unsafe-inline' https://cdn.jsdelivr.net", False),
        ("script-src 'unsafe-inline'", True),
    ],
)
def test_a_policy_of_one_s_own_is_read_for_what_the_pages_of_the_api_need(policy, found):
    assert ("NX006" in codes(SecurityHeaders(FastAPI(), csp=policy))) is found


def test_django_is_asked_whether_its_cookies_are_secure():
    configured()
    app = get_asgi_application()
    with override_settings(SESSION_COOKIE_SECURE=False, CSRF_COOKIE_SECURE=True):
        (found,) = [x.message for x in findings(look(nexus(app), environ={})) if x.code == "NX007"]
    assert "SESSION_COOKIE_SECURE = True" in found
    with override_settings(SESSION_COOKIE_SECURE=True, CSRF_COOKIE_SECURE=True):
        assert "NX007" not in codes(nexus(app))


def test_a_rule_in_shadow_covers_no_route():
    assert "NX004" in codes(RateLimit(Starlette(routes=SITE), [Rule("9/minute", mode="shadow")]))


def test_memory_is_enough_for_one_process_and_not_for_several():
    assert "NX008" not in codes(nexus())
    assert "NX008" in codes(nexus(), workers=2)
    assert look(None, environ={"WEB_CONCURRENCY": "3"}).workers == 3
    assert look(None, environ={"GUNICORN_CMD_ARGS": "--bind=:80 --workers=4"}).workers == 4


def test_the_stack_as_it_comes_has_nothing_to_find():
    assert codes(nexus(FastAPI())) == set()


@pytest.mark.parametrize(
    ("hook", "open_to_all"),
    [
        (lambda scope: "all", True),
        (lambda scope: scope.get("user"), False),
        (lambda scope: scope["user"].is_admin and "all", False),
    ],
)
def test_a_hook_that_lets_in_strangers_is_found(hook, open_to_all):
    assert ("NX009" in codes(nexus(access=hook))) is open_to_all


def test_a_short_token_is_found_and_not_repeated():
    named = nexus(admin_token="", admin_tokens=("ada=0123456789abcdef", "bob=hunter2"))
    for app in (nexus(admin_token="hunter2"), named):
        (found,) = [x for x in findings(look(app, environ={})) if x.code == "NX009"]

    assert "hunter2" not in found.message


def test_a_password_in_a_url_is_not_repeated():
    app = RateLimit(None, store=RedisStore("redis://user:hunter2@redis.example.com/0"))

    (found,) = [x for x in findings(look(app, environ={})) if x.code == "NX010"]

    assert "TLS" in found.message
    assert "hunter2" not in found.message


def test_flask_is_looked_through_from_either_side():
    app = flask()

    assert codes(app) == {"NX007"}
    assert codes(flask(SESSION_COOKIE_SECURE=True)) == set()


def test_the_server_s_own_belief_is_found():
    assert "NX002" in codes(nexus(), environ={"FORWARDED_ALLOW_IPS": "*"})


def test_the_posture_is_that_of_the_layers_that_run():
    app = nexus(FastAPI(), header_preset="strict")

    seen = posture(app.runtime.front)

    assert [layer["name"] for layer in seen["layers"]] == [type(layer).__name__ for layer in app.stack.chain.layers]
    assert seen["missing"] == []
    assert seen["headers"]["x-frame-options"] == "DENY"
    assert {finding["code"] for finding in seen["findings"]} == {"NX006"}


def test_every_code_has_a_page_that_bears_its_title():
    for code, each in CHECKS.items():
        text = (ROOT / "docs" / "checks" / f"{code.lower()}.md").read_text()
        assert text.startswith(f"# {code}: {each.title}\n")
        assert f"| [{code}]({code.lower()}.md) | {each.title} |" in (ROOT / "docs/checks/index.md").read_text()


def test_a_code_belongs_to_one_check():
    with pytest.raises(ValueError, match="NX001"):
        check("NX001")(lambda subject: [])


def run(*arguments, folder):
    command = [sys.executable, "-m", "nexus_middleware", "check", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_says_what_it_found_and_by_its_exit_code_whether(tmp_path):
    (tmp_path / "shop.py").write_text(
        "from nexus_middleware import Nexus, Settings\n"
        f"good = Nexus(None, Settings(admin_token={TOKEN!r}))\n"
        "bad = Nexus(None, Settings())\n"
    )

    clean = run("shop:good", folder=tmp_path)
    found = run("shop:bad", "--json", "--workers", "2", folder=tmp_path)
    shown = run("shop:bad", folder=tmp_path)

    assert (clean.returncode, clean.stdout, clean.stderr) == (0, "nothing found\n", "")
    assert found.returncode == 1
    assert [each["code"] for each in json.loads(found.stdout)] == ["NX008", "NX009"]
    assert shown.returncode == 1
    assert shown.stdout.startswith("NX009  A dashboard")


@pytest.mark.parametrize("wrong", ["shop", "missing:app", "json:nothing", "shop:", ":app"])
def test_wrong_use_is_one_line_and_exit_code_2(tmp_path, wrong):
    ran = run(wrong, folder=tmp_path)

    assert ran.returncode == 2
    assert ran.stderr.startswith("nexus check: ")
    assert len(ran.stderr.splitlines()) == 1
