"""Four workers under three servers: a change of rules reaches all of them within a second, a lost Redis changes nothing."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.conftest import free_port

ROOT = Path(__file__).parents[2]
TOKEN = {"Authorization": "Bearer the token of the four workers"}
WITHIN = 1.0  # seconds
APP = """
import os
from nexus_middleware import Nexus, Settings

async def hello(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-pid", b"%d" % os.getpid())]})
        await send({"type": "http.response.body", "body": b"hello"})

app = Nexus(hello, Settings(store=os.environ["STORE"], rate_limit="", log_level="error",
                            admin_token="the token of the four workers"))
"""


class Workers:
    """uvicorn with two processes, hypercorn and granian with one each."""

    def __init__(self, store, folder):
        (folder / "live_app.py").write_text(APP)
        ports = [free_port() for _ in range(3)]
        python = [sys.executable, "-m"]
        a, b, c = map(str, ports)
        commands = [
            [
                *python,
                "uvicorn",
                "live_app:app",
                "--port",
                a,
                "--workers",
                "2",
                "--no-proxy-headers",
                "--log-level=error",
            ],
            [*python, "hypercorn", "live_app:app", "--bind", f"127.0.0.1:{b}", "--log-level", "error"],
            [*python, "granian", "--interface", "asgi", "--port", c, "--log-level", "error", "live_app:app"],
        ]
        env = {**os.environ, "PYTHONPATH": f"{ROOT}:{folder}", "STORE": store}
        self.servers = [subprocess.Popen(command, env=env, start_new_session=True) for command in commands]
        self.urls = [f"http://127.0.0.1:{port}" for port in ports]

    def ask(self):
        """Ask each server: when, which process answered, and what limit it told of."""
        for url in self.urls:
            with contextlib.suppress(OSError, http.client.HTTPException):
                line = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)
                asked = time.monotonic()
                line.request("GET", "/")
                answer = line.getresponse()
                yield asked, answer.headers["x-pid"], answer.headers.get("ratelimit-policy", "")
                line.close()

    def enforce(self, name):
        body = {"action": "enforce", "text": f'[[limit]]\nname = "{name}"\nlimit = "100000/minute"\n'}
        url = f"{self.urls[0]}/api/infrastructure/rules"
        return httpx.post(url, json=body, headers=TOKEN, trust_env=False, timeout=10)

    def see(self, name="", *, seconds=20):
        """Ask until all four told of the limit of that name; return the seconds after which none did without it."""
        began = last = time.monotonic()
        told = set()
        while len(told) < 4:
            for asked, pid, said in self.ask():
                if said.startswith(f'"{name}"' if name else ""):
                    told.add(pid)
                else:
                    told.discard(pid)
                    last = asked
            assert time.monotonic() - began < seconds, told
        return last - began

    def stop(self):
        for server in self.servers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
        for server in self.servers:
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait(5)


@pytest.fixture
def workers(own_server, tmp_path):
    workers = Workers(own_server.url, tmp_path)
    try:
        workers.see(seconds=40)
        yield workers
    finally:
        workers.stop()


def test_rules_reach_all_workers_within_a_second_and_outlive_the_loss_of_redis(workers, own_server):
    assert workers.enforce("first").status_code == 200
    assert workers.see("first") <= WITHIN

    own_server.stop(kill=True)
    assert workers.enforce("second").status_code == 503
    workers.see("first")  # each by itself now

    own_server.start()  # empty
    deadline = time.monotonic() + 15
    while workers.enforce("third").status_code != 200:
        assert time.monotonic() < deadline, "the store is back, and nobody may change rules"
        time.sleep(0.2)
    assert workers.see("third") <= WITHIN
    shown = httpx.get(f"{workers.urls[1]}/api/infrastructure/rules", headers=TOKEN, trust_env=False, timeout=10).json()
    assert [(x["version"], x["act"]) for x in shown["history"]] == [(2, "enforce"), (1, "enforce")]
