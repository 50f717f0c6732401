"""A process that is told to end says so to whoever probes it, and finishes what it has begun."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from nexus_middleware.drain import drain
from tests.conftest import free_port

ROOT = Path(__file__).parents[1]
TOKEN = {"Authorization": "Bearer the fleet's token"}


class Runtime:
    ready = True


def test_sigterm_makes_it_unready_before_the_server_hears_of_it(monkeypatch):
    runtime, heard = Runtime(), []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(runtime.ready))
    try:
        drain(runtime)
        drain(runtime)  # a second time wraps nothing more
        os.kill(os.getpid(), signal.SIGTERM)
        assert heard == [False]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_without_a_handler_of_the_server_s_nothing_is_changed():
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        drain(Runtime())
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_real_server_drains(redis_url):
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "tests.e2e.fleet_app:app", "--port", str(port), "--log-level", "error"]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "FLEET_STORE": redis_url})
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            deadline = time.monotonic() + 30
            while True:
                try:
                    if client.get("/readyz").status_code == 200:
                        break
                except httpx.HTTPError:
                    assert time.monotonic() < deadline
                time.sleep(0.05)
            with ThreadPoolExecutor(1) as pool:
                slow = pool.submit(client.get, "/wait/1500")
                with httpx.Client(base_url=client.base_url, timeout=20) as asking:
                    while not asking.get("/api/infrastructure/health", headers=TOKEN).json()["health"]["api"][
                        "inFlight"
                    ]:
                        assert time.monotonic() < deadline
                process.terminate()
                assert slow.result(20).status_code == 200
            assert process.wait(20) in (0, -signal.SIGTERM)
    finally:
        process.kill()
        process.wait()
