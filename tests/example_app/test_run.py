"""The example as `make run` starts it: a mail goes from the web to the mailbox, and nothing is left behind."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.conftest import free_port

ROOT = Path(__file__).parents[2]


@pytest.fixture
def academy(tmp_path):
    port = free_port()
    keep = {k: v for k, v in os.environ.items() if not k.startswith("NEXUS_") and k != "REDIS_URL"}
    environ = {**keep, "PORT": str(port), "PYTHONPATH": str(ROOT)}
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "example_app"], cwd=tmp_path, env=environ, stdout=out, stderr=out
        )
    process.url = f"http://127.0.0.1:{port}"
    process.out = tmp_path / "out"
    yield process
    if process.poll() is None:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait()


def ask(url, payload=None):
    data = None if payload is None else json.dumps(payload).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_purchase_is_mailed_and_a_signal_leaves_no_process(academy, number):
    ask(f"{academy.url}/checkout", {"email": "ann@example.org", "course_id": "1"})
    deadline = time.monotonic() + 30
    while not ask(f"{academy.url}/mail"):
        assert time.monotonic() < deadline, academy.out.read_text()
        time.sleep(0.05)
    children = psutil.Process(academy.pid).children(recursive=True)
    assert {"nexus_middleware", "nexus_middleware.worker.child"} <= {w for c in children for w in c.cmdline()}
    academy.send_signal(number)
    assert academy.wait(30) == 0
    _, alive = psutil.wait_procs(children, timeout=5)
    assert not alive
    assert "Traceback" not in academy.out.read_text()
