"""Real frameworks under real servers: the same stack does the same in each."""

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
ASGI = ("starlette", "fastapi", "django_asgi")
WSGI = ("flask", "django_wsgi")


def command(name, port):
    target = f"tests.frameworks.apps:{name}"
    if name in ASGI:
        return ["uvicorn", "--factory", target, "--port", str(port), "--no-proxy-headers", "--log-level", "error"]
    return ["gunicorn", f"{target}()", "--bind", f"127.0.0.1:{port}", "--threads", "4", "--log-level", "error"]


@pytest.fixture(params=[*ASGI, *WSGI])
def site(request, tmp_path):
    """A client of a server that runs one of the apps."""
    port = free_port()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    with (tmp_path / "err").open("wb") as err:
        server = subprocess.Popen(
            [sys.executable, "-m", *command(request.param, port)], env=env, stderr=err, cwd=tmp_path
        )
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        deadline = time.monotonic() + 20
        while not _answers(client):
            assert server.poll() is None, (tmp_path / "err").read_text()
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.05)
        yield client
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) in (0, -signal.SIGTERM)


def _answers(client):
    try:
        return client.get("/livez").status_code == 200
    except httpx.TransportError:
        return False


def test_the_stack_protects_caches_limits_and_tells(site):
    first, second = site.get("/courses/7"), site.get("/courses/7")
    assert first.text == second.text == "course 7, made by handler run 1"
    assert second.headers["cache-status"].startswith("nexus; hit; ttl=")
    assert first.headers["x-content-type-options"] == "nosniff"
    assert len(first.headers["x-request-id"]) == 32
    broken = site.get("/fails", headers={"connection": "close"})  # uvicorn hangs up after a failure
    assert broken.status_code == 500
    assert "x-request-id" in broken.headers
    assert site.get("/nowhere").status_code == 404
    statuses = [site.get("/nowhere").status_code for _ in range(7)]
    assert statuses == [404] * 6 + [429], "a 404 counts too"
    refused = site.get("/courses/7")
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert 50 < int(refused.headers["retry-after"]) <= 60
    assert site.get("/readyz").text == "ok\n"
