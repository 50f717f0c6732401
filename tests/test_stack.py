"""Nexus: the whole stack through both doors."""

import asyncio
import json
import os
import subprocess
import sys
import time

import pytest

from nexus_middleware import CacheRule, Layer, Nexus, RequestID, Rule, Settings
from tests.helpers import Answer, Origin

TOKEN = ("authorization", "Bearer a long secret")


@pytest.fixture
def make(door):
    """Make stacks around an origin, and close them."""
    made = []

    def make(origin=None, **options):
        settings = Settings(**{"admin_token": "a long secret", "log_level": "error", **options.pop("settings", {})})
        nexus = Nexus(door.app(origin or Origin()), settings, **options)
        made.append(nexus)
        return nexus

    yield make
    for nexus in made:
        nexus.runtime.close()


def test_the_call_over_the_limit_is_refused_with_retry_after_and_the_security_headers(door, make):
    nexus = make()
    answers = [door.get(nexus, f"/{i}") for i in range(101)]
    assert [a.status for a in answers] == [200] * 100 + [429]
    last = answers[-1].headers
    assert last["retry-after"] == "60"
    assert last["x-content-type-options"] == "nosniff"
    assert len(last["x-request-id"]) == 32
    assert json.loads(answers[-1].body)["request_id"] == last["x-request-id"]


def test_health_tells_exactly_the_traffic_there_was(asgi_door):
    nexus = Nexus(Origin().asgi, Settings(admin_token="a long secret", log_level="error"))
    for i in range(50):
        asgi_door.get(nexus, f"/{i}")
    told = asgi_door.get(nexus, "/api/infrastructure/health", headers=[TOKEN])
    assert json.loads(told.body)["health"]["api"]["requestCount"] == 50
    asgi_door.get(nexus, "/livez")
    again = asgi_door.get(nexus, "/api/infrastructure/health", headers=[TOKEN])
    assert json.loads(again.body)["health"]["api"]["requestCount"] == 50
    nexus.runtime.close()


def test_the_second_reader_of_a_page_is_answered_from_the_cache(door, make):
    origin = Origin(lambda path, headers: Answer([b"a course"]))
    nexus = make(origin, cache_rules=[CacheRule("/courses/*", ttl=60)])
    first, second = door.get(nexus, "/courses/1"), door.get(nexus, "/courses/1")
    assert len(origin.asked) == 1
    assert second.headers["cache-status"].startswith("nexus; hit")
    assert first.body == second.body
    assert second.headers["ratelimit"].startswith('"default";r=98')


def test_more_rules_count_beside_the_one_for_all(door, make):
    nexus = make(rules=[Rule("2/minute", path="/login", methods=("POST",), name="auth")])
    posts = [door.get(nexus, "/login", method="POST").status for _ in range(3)]
    assert posts == [200, 200, 429]
    assert door.get(nexus, "/login").status == 200


def test_a_blocked_address_is_refused_at_once(door, make):
    nexus = make()
    nexus.security.block("203.0.113.7", reason="test")
    assert door.get(nexus, "/").status == 403
    nexus.security.unblock("203.0.113.7")
    assert door.get(nexus, "/").status == 200


def test_the_probes_say_no_more_than_ok_and_are_not_limited(door, make):
    nexus = make(settings={"rate_limit": "1/minute"})
    for path in ("/livez", "/readyz"):
        for _ in range(3):
            answer = door.get(nexus, path)
            assert (answer.status, answer.body) == (200, b"ok\n")
            assert "server-timing" not in answer.headers
    nexus.runtime.ready = False
    assert door.get(nexus, "/readyz").status == 503
    assert door.get(nexus, "/livez").status == 200


def test_a_path_that_is_given_back_is_the_app_s(door, make):
    origin = Origin()
    nexus = make(origin, settings={"livez_path": "", "dashboard_path": "", "api_path": ""})
    for path in ("/livez", "/admin/infrastructure/", "/api/infrastructure/health"):
        door.get(nexus, path)
    assert len(origin.asked) == 3


SHOP = {"cors_origins": ("https://shop.example",), "api_keys": ("the key of the shop",)}
FROM_SHOP = ("origin", "https://shop.example")


def test_a_preflight_needs_no_key_and_is_not_counted(door, make):
    nexus = make(settings={**SHOP, "rate_limit": "1/minute"})
    asked = [FROM_SHOP, ("access-control-request-method", "PUT"), ("access-control-request-headers", "x-api-key")]
    answers = [door.get(nexus, "/api/x", method="OPTIONS", headers=asked) for _ in range(3)]
    assert [a.status for a in answers] == [204] * 3
    assert "x-api-key" in answers[0].headers["access-control-allow-headers"]
    assert answers[0].headers["x-content-type-options"] == "nosniff"
    assert door.get(nexus, "/api/x", headers=[("x-api-key", "the key of the shop")]).status == 200


def test_wrong_keys_are_counted_and_another_origin_s_page_may_read_so(door, make):
    nexus = make(settings={**SHOP, "rate_limit": "2/minute"})
    answers = [door.get(nexus, "/api/x", headers=[FROM_SHOP, ("x-api-key", str(i))]) for i in range(3)]
    assert [a.status for a in answers] == [401, 401, 429]
    assert {a.headers["access-control-allow-origin"] for a in answers} == {"https://shop.example"}
    assert answers[2].headers["retry-after"] == "60"


def test_the_dashboard_and_the_probes_know_neither_keys_nor_origins(asgi_door):
    nexus = Nexus(Origin().asgi, Settings(admin_token="a long secret", log_level="error", **SHOP))
    for path, headers in (("/livez", []), ("/api/infrastructure/health", [TOKEN])):
        answer = asgi_door.get(nexus, path, headers=[FROM_SHOP, *headers])
        assert (answer.status, "access-control-allow-origin" in answer.headers) == (200, False)
    nexus.runtime.close()


def test_without_a_list_of_keys_or_origins_those_layers_are_not_there(door, make):
    answer = door.get(make(), "/api/x", headers=[FROM_SHOP])
    assert (answer.status, "vary" in answer.headers) == (200, False)


class Mark(Layer):
    def after(self, request, head):
        head.add(b"x-mark", b"1")


def test_the_list_of_layers_can_be_edited(door, make):
    nexus = make(layers=lambda standard: [*[make for make in standard if make is not RequestID], Mark])
    answer = door.get(nexus, "/")
    assert answer.headers["x-mark"] == "1"
    assert "x-request-id" not in answer.headers


def test_with_the_glass_broken_all_passes_through(door, make):
    nexus = make(settings={"off": True, "rate_limit": "1/minute"})
    answers = [door.get(nexus, "/") for _ in range(3)]
    assert [a.pairs for a in answers] == [[]] * 3
    assert all(a.status == 200 for a in answers)


def test_refusals_are_security_events_that_health_looks_at(asgi_door):
    nexus = Nexus(Origin().asgi, Settings(rate_limit="1/hour", log_level="error"))
    for _ in range(6):
        asgi_door.get(nexus, "/")
    assert nexus.runtime._attacks() == 5
    now = time.time()
    nexus.monitor.tick(now)
    checks = {check.name: check for check in nexus.monitor.checks()}
    assert checks["security"].value in (None, 5)
    assert nexus.monitor.duty.values["security"].value == 5
    asgi_door.loop.run_until_complete(nexus.runtime.aclose())


def test_without_access_the_dashboard_is_not_there(asgi_door):
    nexus = Nexus(Origin().asgi, Settings(log_level="error"))
    for path in ("/admin/infrastructure/", "/api/infrastructure/health"):
        assert asgi_door.get(nexus, path).status == 404
    nexus.runtime.close()


def test_with_a_redis_that_is_gone_pages_are_served_and_counted_here(own_server, asgi_door):
    nexus = Nexus(Origin().asgi, Settings(store=own_server.url, rate_limit="3/minute", log_level="error"))
    assert asgi_door.get(nexus, "/a").status == 200
    own_server.stop(kill=True)
    assert [asgi_door.get(nexus, f"/{i}").status for i in range(3)] == [200, 200, 429]
    own_server.start()
    asgi_door.loop.run_until_complete(asyncio.sleep(0.6))  # the breaker tries again after half a second
    assert asgi_door.get(nexus, "/b").status == 429, "what was admitted alone counts on"
    assert asgi_door.get(nexus, "/b", client="203.0.113.99").status == 200
    asgi_door.loop.run_until_complete(nexus.runtime.aclose())


def test_importing_the_package_loads_none_of_the_heavy_libraries():
    heavy = ["redis", "rq", "psutil", "structlog", "starlette", "limits", "secure", "httpx", "uvicorn"]
    code = f"import sys, nexus_middleware; print(*[name for name in {heavy!r} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    assert told.stdout.strip() == ""
