"""What is soaked: four web processes, a worker of two, and a Redis behind a proxy; and the faults that befall them."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil

from tests.chaos.field import LastingServer
from tests.conftest import free_port
from tests.frameworks.outage import ROOT, Proxy

PROCESSES, SPARED = 4, 2  # the first two are never killed: what grows shows in them
TOKEN, LIMIT = "a long secret of the soak", 200


class Site:
    """All processes of one run."""

    def __init__(self, folder: Path, *, seed: int) -> None:
        self.redis = LastingServer(folder, port=free_port())
        self.proxy = Proxy(self.redis.port)
        self.notes = folder / "notes"
        self.notes.touch()
        keep = {name: value for name, value in os.environ.items() if not name.startswith("NEXUS_")}
        own = {"STORE": self.proxy.url, "NEXUS_STORE": self.proxy.url, "TOKEN": TOKEN, "LIMIT": str(LIMIT)}
        self._env = {**keep, **own, "NOTES": str(self.notes), "PYTHONPATH": str(ROOT)}
        self._ports = [free_port() for _ in range(PROCESSES)]
        self.urls = [f"http://127.0.0.1:{port}" for port in self._ports]
        self.webs = [self._web(port) for port in self._ports]
        self.worker = self._start("-m", "nexus_middleware", "worker", "--processes", "2", "--app", "tests.soak.app:app")
        self._random = random.Random(seed)
        self.faults: list[str] = []

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, *words], env=self._env, cwd=ROOT, stdout=subprocess.DEVNULL)

    def _web(self, port: int) -> subprocess.Popen[bytes]:
        options = ("--no-proxy-headers", "--log-level", "critical", "--no-access-log", "--timeout-keep-alive", "75")
        return self._start("-m", "uvicorn", "tests.soak.app:app", "--port", str(port), *options)

    def well(self, *, seconds: float = 150) -> None:
        """Wait until every process answers and reaches Redis."""
        deadline = time.monotonic() + seconds
        for url in self.urls:
            while not self._keeps(url):
                assert time.monotonic() < deadline, f"{url} does not come back"
                time.sleep(0.1)

    def _keeps(self, url: str) -> bool:
        try:
            told = httpx.get(f"{url}/api/infrastructure/cache", headers=self.key(), trust_env=False, timeout=10)
        except httpx.TransportError:
            return False
        return told.status_code == 200

    def key(self) -> dict[str, str]:
        """Return what opens the API."""
        return {"authorization": f"Bearer {TOKEN}"}

    def fault(self) -> None:
        """Let one thing go wrong, and be well again."""
        choice: Callable[[], None] = self._random.choice(
            [self.frozen, self.killed, self.slow, self.web_killed, self.child_killed]
        )
        self.faults.append(choice.__name__)
        choice()

    def frozen(self) -> None:
        """Redis stands still."""
        self.redis.process.send_signal(signal.SIGSTOP)
        time.sleep(1.0)
        self.redis.process.send_signal(signal.SIGCONT)

    def killed(self) -> None:
        """Redis dies, and is started again with what it wrote."""
        self.redis.stop(kill=True)
        time.sleep(0.5)
        for _ in range(5):  # a crowded machine may take longer than it is given
            with contextlib.suppress(AssertionError):
                return self.redis.start()
            self.redis.stop(kill=True)
        raise AssertionError("Redis does not start again")

    def slow(self) -> None:
        """The way to Redis is slow: below, and then above, what a trip may take."""
        for delay in (0.02, 0.2):
            self.proxy.delay = delay
            time.sleep(1.0)
        self.proxy.delay = 0.0

    def web_killed(self) -> None:
        """A web process dies."""
        which = self._random.randrange(SPARED, PROCESSES)
        self.webs[which].kill()
        self.webs[which].wait()
        self.webs[which] = self._web(self._ports[which])

    def child_killed(self) -> None:
        """A process of the worker dies, perhaps in the middle of a job."""
        children = psutil.Process(self.worker.pid).children()
        if children:
            self._random.choice(children).kill()

    def stop(self) -> None:
        """End all of it."""
        self.redis.process.send_signal(signal.SIGCONT)
        for process in (*self.webs, self.worker):
            process.terminate()
        for process in (*self.webs, self.worker):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.proxy.stop()
        self.redis.stop(kill=True)
