"""Real servers, told to log as the docs say: every line that they and the app write has the one shape."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.conftest import free_port

ROOT = Path(__file__).parents[3]
APP = "tests.services.logs.served"
CONFIG = re.search(r"```json\n(\{\n  \"version\".*?)```", (ROOT / "docs" / "operations.md").read_text(), re.DOTALL)[1]
SERVERS = {
    "uvicorn": f"uvicorn {APP}:asgi --port PORT --log-config FILE",
    "uvicorn, two workers": f"uvicorn {APP}:asgi --port PORT --workers 2 --log-config FILE",
    "gunicorn, uvicorn workers": f"gunicorn {APP}:asgi -k uvicorn.workers.UvicornWorker -b 127.0.0.1:PORT"
    " --log-config-json FILE",
    "gunicorn": f"gunicorn {APP}:wsgi -b 127.0.0.1:PORT --log-config-json FILE",
    "hypercorn": f"hypercorn {APP}:asgi -b 127.0.0.1:PORT --access-logfile - --log-config json:FILE",
    "granian": f"granian {APP}:asgi --interface asgi --port PORT --access-log --log-config FILE",
}


def lines(text):
    """Read the lines of a log; what is in another shape cannot be."""
    made = [json.loads(line) for line in text.splitlines()]
    assert all([*line][:3] == ["at", "level", "event"] for line in made)
    return made


@pytest.mark.parametrize("server", SERVERS)
def test_every_line_of_a_server_is_of_the_one_shape(server, tmp_path):
    port, config = free_port(), tmp_path / "logging.json"
    config.write_text(CONFIG)
    words = SERVERS[server].replace("PORT", str(port)).replace("FILE", str(config)).split()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    with (tmp_path / "told").open("w") as told:
        process = subprocess.Popen([sys.executable, "-m", *words], env=env, cwd=tmp_path, stdout=told, stderr=told)
    try:
        first = ask(port, "/a?token=hunter2")
        fails = ask(port, "/fails")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)

    made = lines((tmp_path / "told").read_text())

    assert (first.status_code, fails.status_code) == (200, 500)
    assert any(line["event"] == "asked\r\nat /a?token=[redacted]" and line["logger"] == "shop" for line in made)
    wanted = {"kind": "request", "method": "GET", "path": "/a", "status": 200, "client": "127.0.0.1"}
    assert any(line.items() >= wanted.items() for line in made), "its own line of the request"
    assert any("RuntimeError" in line.get("exception", line["event"]) and line["level"] == "error" for line in made)
    assert len({line.get("logger") for line in made}) >= 3, "its parent and its workers too"
    assert "hunter2" not in json.dumps(made)


def ask(port, path):
    deadline = time.monotonic() + 60
    while True:
        try:
            return httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=20)
        except httpx.TransportError:
            assert time.monotonic() < deadline, "it did not begin"
            time.sleep(0.05)


def test_every_line_of_rq_s_own_worker_is_of_the_one_shape(redis_url):
    words = [sys.executable, "-m", APP, redis_url]

    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)

    made = lines(done.stdout)
    assert done.stderr == ""
    assert {line["logger"] for line in made} >= {"rq.worker", "shop"}
    assert "hunter2" not in done.stdout
