"""A limit holds over processes: never one call more, never one less."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.conftest import free_port

ROOT = Path(__file__).parents[2]
APP = """
import os
from nexus_middleware import Nexus, Settings, stores
from nexus_middleware.stores.redis import RedisStore

# patient with a crowded machine: what is counted is tried here, not what is done when Redis is late
stores._OPEN[os.environ["STORE"], "nexus"] = RedisStore(os.environ["STORE"], budget=5)

async def hello(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})

app = Nexus(hello, Settings(store=os.environ["STORE"], rate_limit="50/minute", log_level="error"))
"""


@pytest.fixture
def four(redis_url, tmp_path):
    """The addresses of four processes of one app, which share a Redis."""
    (tmp_path / "shared.py").write_text(APP)
    env = {**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}", "STORE": redis_url}
    ports = [free_port() for _ in range(4)]
    options = ["--no-proxy-headers", "--log-level", "error"]
    commands = [[sys.executable, "-m", "uvicorn", "shared:app", "--port", str(port), *options] for port in ports]
    servers = [subprocess.Popen(command, env=env) for command in commands]
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    deadline = time.monotonic() + 20
    for url in urls:
        while not _answers(url):
            assert time.monotonic() < deadline, "a server did not start"
            time.sleep(0.05)
    yield urls
    for server in servers:
        server.send_signal(signal.SIGTERM)
    assert all(server.wait(20) in (0, -signal.SIGTERM) for server in servers)


def _answers(url):
    try:
        return httpx.get(f"{url}/livez", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_of_200_calls_at_once_to_four_processes_exactly_the_limit_passes(four):
    with httpx.Client(trust_env=False, timeout=30) as client, ThreadPoolExecutor(50) as pool:
        answers = [*pool.map(lambda i: client.get(f"{four[i % 4]}/{i}"), range(200))]
    assert Counter(answer.status_code for answer in answers) == {200: 50, 429: 150}
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"default";q=50;w=60'}
    left = sorted(
        int(answer.headers["ratelimit"].split("r=")[1].split(";")[0]) for answer in answers if answer.is_success
    )
    assert left == [*range(50)], "each that passed was told of another place"
