"""Four processes of one app, a Redis that comes and goes, a proxy that delays: what outages are tried on."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx

from tests.conftest import free_port

ROOT = Path(__file__).parents[2]
APP = """
import os
from nexus_middleware import Nexus, Settings

async def hello(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})

app = Nexus(hello, Settings(store=os.environ["STORE"], rate_limit=os.environ["LIMIT"], log_level="error"))
"""


@dataclass
class Called:
    """One call: when it began, how long it took, in seconds, and what came back."""

    at: float
    took: float
    status: int


class Workers:
    """Processes of one app that share a Redis."""

    def __init__(self, folder: Path, store: str, limit: str, *, processes: int = 4, app: str = APP) -> None:
        (folder / "shared.py").write_text(app)
        env = {**os.environ, "PYTHONPATH": f"{ROOT}:{folder}", "STORE": store, "LIMIT": limit}
        ports = [free_port() for _ in range(processes)]
        options = ["--no-proxy-headers", "--log-level", "critical"]
        commands = [[sys.executable, "-m", "uvicorn", "shared:app", "--port", str(port), *options] for port in ports]
        self.servers = [subprocess.Popen(x, env=env, stderr=subprocess.DEVNULL) for x in commands]
        self.urls = [f"http://127.0.0.1:{port}" for port in ports]
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 20
        for url in self.urls:
            while not self._answers(url):
                assert time.monotonic() < deadline, "a server did not start"
                time.sleep(0.05)

    def _answers(self, url: str) -> bool:
        try:
            return httpx.get(f"{url}/livez", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        for server in self.servers:
            server.send_signal(signal.SIGTERM)
        assert all(server.wait(20) in (0, -signal.SIGTERM) for server in self.servers)


class Load:
    """Calls each process in turn, one call after the other on a thread of its own, until it is told to stop."""

    def __init__(self, urls: list[str], *, every: float) -> None:
        self.calls: list[Called] = []
        self._every, self._over = every, threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(url,)) for url in urls]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, url: str) -> None:
        with httpx.Client(trust_env=False, timeout=30) as client:
            client.get(f"{url}/livez")
            while not self._over.wait(self._every):
                began = time.monotonic()
                status = client.get(url).status_code
                self.calls.append(Called(began, time.monotonic() - began, status))

    def most_admitted(self, window: float, *, since: float) -> int:
        """Return how many calls were admitted in the fullest window that begins after `since`."""
        times = sorted(call.at for call in self.calls if call.status == 200 and call.at >= since)
        return max((sum(1 for t in times[i:] if t < first + window) for i, first in enumerate(times)), default=0)


class Proxy:
    """Passes bytes on to a Redis, each way `delay` seconds late."""

    def __init__(self, port: int) -> None:
        self.delay, self._target = 0.0, port
        self.loop = asyncio.new_event_loop()
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        self._thread = threading.Thread(target=self._run, args=(listener,), daemon=True)
        self._thread.start()

    def _run(self, listener: socket.socket) -> None:
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._serve, sock=listener))
        self.loop.run_forever()
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(self._pass(reader, there[1]), self._pass(there[0], writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65_536):
                if self.delay:
                    await asyncio.sleep(self.delay)
                writer.write(chunk)
                await writer.drain()
        except (OSError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0.05))
        self.loop.close()
