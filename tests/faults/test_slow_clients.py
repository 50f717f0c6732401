"""Clients that are slow, and a process that stands still: the others are served as if nothing were."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections import Counter
from urllib.parse import urlsplit

import httpx
import pytest

from tests.frameworks.outage import Workers

SLOW = int(os.environ.get("FAULTS_CONNECTIONS", "300"))
APP = """
import asyncio, os
from fastapi import FastAPI, Request
from nexus_middleware import Nexus, Settings

api = FastAPI()

@api.post("/order")
async def order(request: Request):
    return len(await request.body())

@api.get("/tasks")
async def tasks():
    return len(asyncio.all_tasks())

settings = Settings(store=os.environ["STORE"], rate_limit=os.environ["LIMIT"], log_level="error", input_guard="enforce")
app = Nexus(api, settings)
"""
BEGUN = (  # of requests that never come to their end
    b"GET /tasks HTTP/1.1\r\nHost: a\r\nX-",
    b"POST /order HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
    b"POST /order HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
)


@pytest.fixture
def workers(redis_url, tmp_path):
    workers = Workers(tmp_path, redis_url, "100000/minute", processes=2, app=APP)
    yield workers
    workers.stop()


def timed(client, url):
    began = time.monotonic()
    assert client.get(url).status_code == 200
    return time.monotonic() - began


def test_hundreds_of_clients_that_send_a_byte_now_and_then_hold_up_nobody_and_leave_nothing(workers):
    url = workers.urls[0]
    where = (urlsplit(url).hostname, urlsplit(url).port)
    with httpx.Client(trust_env=False, timeout=30) as client:
        before = client.get(f"{url}/tasks").json()
        alone = sorted(timed(client, f"{url}/tasks") for _ in range(30))
        slow = [socket.create_connection(where, timeout=30) for _ in range(SLOW)]
        for i, each in enumerate(slow):
            each.sendall(BEGUN[i % len(BEGUN)])
        crowded = []
        for each in slow[:60]:
            each.sendall(b"a")
            crowded.append(timed(client, f"{url}/tasks"))
        held = client.get(f"{url}/tasks").json()
        for each in slow:
            each.close()
        deadline = time.monotonic() + 30
        while client.get(f"{url}/tasks").json() > before + 2:
            assert time.monotonic() < deadline, "what was begun for them is never over"
            time.sleep(0.05)
    assert held >= before + SLOW // 3, "those whose heads are there wait in the app or before it"
    assert sorted(crowded)[30] < 10 * alone[15] + 0.2


def test_a_process_that_stands_still_delays_no_other_and_goes_on_when_it_may(redis_url, tmp_path):
    workers = Workers(tmp_path, redis_url, "20/hour", processes=2)
    still, other = workers.servers[0], workers.urls[1]
    try:
        with httpx.Client(trust_env=False, timeout=30) as client:
            first = [client.get(url).status_code for url in workers.urls * 4]
            still.send_signal(signal.SIGSTOP)
            took, meanwhile = [], []
            for _ in range(20):
                began = time.monotonic()
                meanwhile.append(client.get(other).status_code)
                took.append(time.monotonic() - began)
            still.send_signal(signal.SIGCONT)
            last = client.get(workers.urls[0]).status_code
    finally:
        still.send_signal(signal.SIGCONT)
        workers.stop()
    assert Counter([*first, *meanwhile, last]) == {200: 20, 429: 9}
    assert last == 429
    assert sorted(took)[10] < 1
