"""What one server process takes for a request on a real socket: its processor's time, on a connection that is kept."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil

from tests.conftest import free_port

ASKED = b"GET /items HTTP/1.1\r\nHost: example.org\r\nUser-Agent: bench\r\n\r\n"


class Server:
    """A server that runs, and one connection to it."""

    def __init__(self, command: list[str], port: int) -> None:
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._line = _connected(port)

    def cost(self, n: int) -> float:
        """Return the microseconds of processor time of one of `n` requests."""
        process = psutil.Process(self._process.pid)
        before = sum(process.cpu_times()[:2])
        for _ in range(n):
            self._ask()
        return (sum(process.cpu_times()[:2]) - before) / n * 1e6

    def close(self) -> None:
        """End it."""
        self._line.close()
        self._process.terminate()
        self._process.wait(10)

    def _ask(self) -> None:
        self._line.sendall(ASKED)
        said = b""
        while b"\r\n\r\n" not in said:
            said += self._more()
        head, _, body = said.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"the server said {head[:80]!r}")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        left = int(fields[b"content-length"]) - len(body)
        while left > 0:
            left -= len(self._more())

    def _more(self) -> bytes:
        if not (part := self._line.recv(65_536)):
            raise RuntimeError("the server has closed the connection")
        return part


@contextlib.contextmanager
def uvicorn(app: str) -> Iterator[Server]:
    """Serve `app`, module:attribute, by one uvicorn process that neither logs nor believes proxies."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--no-access-log", "--no-proxy-headers"]
    command += ["--log-level", "error", "--timeout-keep-alive", "600"]
    with contextlib.closing(Server(command, port)) as server:
        yield server


def _connected(port: int) -> socket.socket:
    deadline = time.monotonic() + 60
    while True:
        try:
            line = socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return line
