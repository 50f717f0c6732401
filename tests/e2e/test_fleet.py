"""Four real workers: what they count together is what a client has counted, and one that is killed takes little with it."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import Server, free_port

ROOT = Path(__file__).parents[2]
TOKEN = {"Authorization": "Bearer the fleet's token"}
# the slowest are in the middle of a bucket, so that what the machine adds moves none into another
WAITS = [260 if i % 25 == 0 else 20 + i % 80 for i in range(600)]  # ms


class Fleet:
    """Workers on one port, and a client that counts."""

    def __init__(self, redis_url):
        self.latencies = []  # of all requests that were sent, in seconds
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "uvicorn", "tests.e2e.fleet_app:app", "--workers", "4", "--no-access-log"]
        command += ["--port", str(self.port), "--no-proxy-headers", "--log-level", "error"]
        self.process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "FLEET_STORE": redis_url})
        self.wait_for(lambda: self.get("/livez").status_code == 200)
        self.wait_for(lambda: self.health()["meta"]["processes"] == 4)

    def wait_for(self, holds, seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if holds():
                    return
            assert time.monotonic() < deadline, "it did not come to that"
            time.sleep(0.1)

    def get(self, path):
        return httpx.get(self.base + path, headers=TOKEN, timeout=20)

    def health(self):
        return self.get("/api/infrastructure/health").json()

    def counted(self):
        return self.health()["health"]["api"]["requestCount"]

    def metrics(self):
        families = text_string_to_metric_families(self.get("/metrics").text)
        return {(s.name, s.labels.get("process", "")): s.value for f in families for s in f.samples}

    def load(self, waits, *, connections=16):
        """Send a request for each of `waits`; return the pids that answered."""
        pids, left = [], iter(waits)

        async def connection():
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            for ms in left:
                began = time.perf_counter()
                writer.write(f"GET /wait/{ms} HTTP/1.1\r\nHost: fleet\r\n\r\n".encode())
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200"), head
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                pids.append(int(await reader.readexactly(length)))
                self.latencies.append(time.perf_counter() - began)
            writer.close()
            await writer.wait_closed()

        async def all_at_once():
            async with asyncio.timeout(60):
                await asyncio.gather(*[connection() for _ in range(connections)])

        asyncio.run(all_at_once())
        return pids

    def count_by_wrk(self):
        """Send sixteen times 40 of the waits by wrk, within its 15 s; return its own count."""
        words = ["-t16", "-c16", "-d15s", "--timeout", "15s", "-s", "tests/e2e/fleet.lua", self.base, "--"]
        words += [str(ms) for ms in WAITS[:40]]
        told = subprocess.run(["wrk", *words], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout
        requests, errors, *latencies = told.splitlines()[-1].split()
        for each in latencies:
            microseconds, _, count = each.partition("*")
            self.latencies += [int(microseconds) / 1e6] * int(count)
        assert (int(requests), int(errors)) == (640, 0)
        return 640

    def exact(self, share):
        """Return the latency, in ms, that `share` of all requests did not exceed, as the client knows it."""
        return sorted(self.latencies)[math.ceil(share * len(self.latencies)) - 1] * 1000

    def stop(self):
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.terminate()
        try:
            self.process.wait(20)
        finally:
            for child in children:
                if child.is_running():
                    child.kill()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("redis"))
    fleet = Fleet(server.url)
    yield fleet
    fleet.stop()
    server.stop()


def test_four_workers_count_what_the_client_counted_and_their_p99_is_within_nine_percent(fleet):
    count = fleet.counted()
    for _ in range(3):  # the client's own clock runs through what else the machine does: it may take a second look
        count += fleet.count_by_wrk() if shutil.which("wrk") else len(fleet.load(WAITS))
        fleet.wait_for(lambda: fleet.counted() >= count, seconds=10)  # noqa: B023
        api = fleet.health()["health"]["api"]
        assert api["requestCount"] == count
        assert fleet.metrics()["nexus_http_requests_total", ""] == count
        if api["p99"] == pytest.approx(fleet.exact(0.99), rel=0.09):
            break
    assert api["p99"] == pytest.approx(fleet.exact(0.99), rel=0.09)
    fleet.wait_for(lambda: _weighed(fleet.metrics()), seconds=15)


def _weighed(told):
    """Whether each worker's memory is what the system says, as far as a moment's difference allows."""
    return all(
        value == pytest.approx(psutil.Process(int(process.partition(":")[2])).memory_info().rss, rel=0.05)
        for (name, process), value in told.items()
        if name == "nexus_process_resident_memory_bytes"
    )


def test_a_worker_that_is_killed_loses_one_flush_at_most_and_is_soon_forgotten(fleet):
    before, pids = fleet.counted(), fleet.load([5] * 200)
    assert len({*pids}) > 1, "one worker answered all"
    before += len(pids)
    fleet.wait_for(lambda: fleet.counted() == before, seconds=10)
    late = fleet.load([1] * 100)
    victim, most = Counter(late).most_common(1)[0]

    os.kill(victim, signal.SIGKILL)
    fleet.wait_for(lambda: fleet.health()["meta"]["processes"] == 4 and victim not in _pids(fleet), seconds=40)

    assert before + 100 - most <= fleet.counted() <= before + 100


def _pids(fleet):
    return {int(process.partition(":")[2]) for _, process in fleet.metrics() if process}
