"""An app of two processes that limits, caches and queues, on a Redis to which anything may happen."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import redis

from tests.conftest import Server, free_port
from tests.frameworks.outage import Called, Workers

LIMIT, PROCESSES = 20, 2
APP = """
import os
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from nexus_middleware import CacheRule, Nexus, Rule, Settings, by_header
from nexus_middleware.errors import StoreError

api = FastAPI()

@api.get("/limited")
@api.get("/free")
async def hello():
    return "hello"

@api.get("/value")
async def value():
    return await nexus.cache.aget_or_set("value", lambda: 42)

@api.post("/jobs")
async def jobs():
    try:
        return await nexus.queues.aqueue_email(to="ann@example.org", subject="Hello", text="Hi")
    except StoreError:
        return JSONResponse("try again", 503)

settings = Settings(store=os.environ["STORE"], rate_limit="", log_level="error")
rules = [Rule(os.environ["LIMIT"], path="/limited", key=by_header("x-caller"))]
app = nexus = Nexus(api, settings, rules=rules, cache_rules=[CacheRule("/free", ttl=1)])
"""


@dataclass
class Site:
    """The running processes, and their Redis."""

    server: Server
    workers: Workers

    def calls(self, caller: str, path: str, n: int, *, method: str = "GET") -> list[Called]:
        """Call each process in turn, `n` times in all."""
        seen = []
        with httpx.Client(trust_env=False, timeout=30, headers={"x-caller": caller}) as client:
            for i in range(n):
                began = time.monotonic()
                status = client.request(method, self.workers.urls[i % PROCESSES] + path).status_code
                seen.append(Called(began, time.monotonic() - began, status))
        return seen

    def queued(self, n: int) -> tuple[list[str], int]:
        """Ask `n` times for a job; return those that were acknowledged, and how many were refused by the app."""
        ids, refused = [], 0
        with httpx.Client(trust_env=False, timeout=30) as client:
            for i in range(n):
                seen = client.post(f"{self.workers.urls[i % PROCESSES]}/jobs")
                assert seen.status_code in (200, 503), seen.text
                refused += seen.status_code == 503
                if seen.status_code == 200:
                    ids.append(seen.json())
        return ids, refused

    def recovered(self, *, seconds: float = 30) -> None:
        """Wait until each process has a Redis again."""
        deadline = time.monotonic() + seconds
        while self.queued(PROCESSES)[1]:
            assert time.monotonic() < deadline, "it does not come back"
            time.sleep(0.1)
        time.sleep(3)  # signs of life, one a second: a Redis without its data has to learn how many share a limit


@contextmanager
def opened(folder: Path) -> Iterator[Site]:
    server = Server(folder)
    workers = Workers(folder, server.url, f"{LIMIT}/hour", processes=PROCESSES, app=APP)
    yield Site(server, workers)
    workers.stop()
    server.stop(kill=True)


@dataclass
class Fault:
    """How something goes wrong, and how it is well again."""

    name: str
    begin: Callable[[Server], object]
    end: Callable[[Server], object]
    keeps: bool = True  # what is in Redis outlives it
    refuses: bool = True  # no job can be queued meanwhile


def _crowd(server: Server) -> None:
    """Take all connections but one's own."""
    server.client.config_set("maxclients", 1)
    server.client.client_kill_filter(_type="normal", skipme=True)


def _strangers(server: Server) -> None:
    """Write what is not ours, under names that look like it too."""
    pipe = server.client.pipeline(transaction=False)
    for i in range(20_000):
        pipe.set(f"foreign:{i}", "x" * 20)
        pipe.lpush(f"nexus:cache:foreign:{i}", "x")
    pipe.execute()


def _restart(server: Server) -> None:
    server.stop(kill=True)
    server.start()


def _well(server: Server) -> None: ...


FAULTS = (
    Fault("killed", lambda s: s.stop(kill=True), lambda s: s.start(), keeps=False),
    Fault("frozen", lambda s: s.process.send_signal(signal.SIGSTOP), lambda s: s.process.send_signal(signal.SIGCONT)),
    Fault(
        "out of memory", lambda s: s.client.config_set("maxmemory", 1), lambda s: s.client.config_set("maxmemory", 0)
    ),
    Fault(
        "read-only replica",
        lambda s: s.client.execute_command("REPLICAOF", "127.0.0.1", free_port()),
        lambda s: s.client.execute_command("REPLICAOF", "NO", "ONE"),
    ),
    Fault("full of connections", _crowd, lambda s: s.client.config_set("maxclients", 1_000)),
    Fault("full of foreign keys", _strangers, _well, refuses=False),
    Fault("restarted without its data", _restart, _well, keeps=False, refuses=False),
)


def there(server: Server, ids: list[str]) -> list[str]:
    """Return those jobs that Redis has."""
    with redis.Redis(port=server.port) as client:
        return [ident for ident in ids if client.exists(f"rq:job:{ident}")]
