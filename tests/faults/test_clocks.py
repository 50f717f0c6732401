"""A wall clock that jumps an hour, either way: limits, blocks, the cache and the counts of running processes go on."""

from __future__ import annotations

import time
from collections import Counter

import httpx
import pytest

from tests.fleets import wait_for
from tests.frameworks.outage import Workers

TOKEN, TTL = "a long secret of the tests", 2
CLOCK = """
import pathlib, time
real, told = time.time, pathlib.Path(__file__).with_name("offset")
time.time = lambda: real() + float(told.read_text())
"""
APP = f"""
import os
from fastapi import FastAPI
from nexus_middleware import CacheRule, Nexus, Rule, Settings, by_header

api, runs = FastAPI(), [0]

@api.get("/limited")
async def limited():
    return "yours"

@api.get("/page")
async def page():
    runs[0] += 1
    return runs[0]

settings = Settings(store=os.environ["STORE"], rate_limit="", log_level="error", admin_token={TOKEN!r})
rules = [Rule(os.environ["LIMIT"], path="/limited", key=by_header("x-caller"))]
app = Nexus(api, settings, rules=rules, cache_rules=[CacheRule("/page", ttl={TTL})])
"""


@pytest.fixture(params=["memory", "redis"])
def url(request, redis_url, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(CLOCK)
    (tmp_path / "offset").write_text("0")
    store = "memory://" if request.param == "memory" else redis_url
    workers = Workers(tmp_path, store, "5/minute", processes=1, app=APP)
    yield workers.urls[0]
    workers.stop()


@pytest.mark.parametrize("step", [3600, -3600], ids=["an-hour-on", "an-hour-back"])
def test_a_clock_that_jumps_frees_nobody_and_keeps_nothing_longer(url, step, tmp_path):
    own = {"authorization": f"Bearer {TOKEN}", "sec-fetch-site": "same-origin"}

    def call(client, caller, times):
        return Counter(client.get("/limited", headers={"x-caller": caller}).status_code for _ in range(times))

    def count(client):
        return client.get("/api/infrastructure/health", headers=own).json()["health"]["api"]["requestCount"]

    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        assert call(client, "ann", 7) == {200: 5, 429: 2}
        assert client.get("/page").json() == client.get("/page").json() == 1
        block = client.post("/api/infrastructure/security/blocked", json={"address": "203.0.113.9"}, headers=own)
        assert block.status_code < 300, block.text
        wait_for(lambda: count(client) == 9)

        (tmp_path / "next").write_text(str(step))
        (tmp_path / "next").replace(tmp_path / "offset")  # in one step: who reads half of it has no clock
        jumped = time.monotonic()

        refused = client.get("/limited", headers={"x-caller": "ann"})
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 60
        assert call(client, "bob", 7) == {200: 5, 429: 2}
        wait_for(lambda: count(client) == 17, 8)  # told every two seconds, by whatever clock
        time.sleep(max(0, TTL + 1 - time.monotonic() + jumped))
        wait_for(lambda: client.get("/page").json() == 2, 5)  # no answer lives longer than its time
        assert client.get("/page").json() == 2, "and a new one is kept"
        assert "203.0.113.9" in client.get("/api/infrastructure/security/blocked", headers=own).text
