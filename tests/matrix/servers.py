"""Servers of several workers, started as a deployment starts them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.conftest import free_port

ROOT = Path(__file__).parents[2]
APP = "tests.matrix.serve"
SERVERS = {
    "uvicorn": f"uvicorn {APP}:asgi --host 127.0.0.1 --port PORT --workers N --no-proxy-headers --log-level error",
    "granian": f"granian {APP}:asgi --interface asgi --host 127.0.0.1 --port PORT --workers N --log-level error",
    "hypercorn": f"hypercorn {APP}:asgi --bind 127.0.0.1:PORT --workers N --graceful-timeout 30 --log-level error",
    "gunicorn, uvicorn workers": f"gunicorn {APP}:asgi -k uvicorn.workers.UvicornWorker --preload"
    " --bind 127.0.0.1:PORT -w N --log-level error",
    "gunicorn, gthread": f"gunicorn {APP}:wsgi -k gthread --threads 4 --preload --bind 127.0.0.1:PORT -w N"
    " --log-level error",
    "granian, wsgi": f"granian {APP}:wsgi --interface wsgi --blocking-threads 4 --host 127.0.0.1 --port PORT"
    " --workers N --log-level error",
    "hypercorn, wsgi": f"hypercorn wsgi:{APP}:wsgi --bind 127.0.0.1:PORT --workers N --graceful-timeout 30"
    " --log-level error",
}
START = 90  # seconds; a crowded machine needs many of them


@dataclass
class Site:
    """A running server."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, trust_env=False, timeout=30)

    def told(self) -> str:
        return (self.folder / "err").read_text()[-3_000:]


@contextmanager
def running(app: str, server: str, store: str, folder: Path, *, workers: int = 2) -> Iterator[Site]:
    """Run `app` under `server`, until the block is left."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "page.bin").write_bytes(bytes(range(256)) * 1_200)
    port = free_port()
    words = SERVERS[server].replace("PORT", str(port)).replace(" N ", f" {workers} ").split()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "MATRIX_APP": app}
    env |= {"MATRIX_STORE": store, "MATRIX_FOLDER": str(folder)}
    with (folder / "err").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", *words], env=env, cwd=folder, stdout=err, stderr=err, start_new_session=True
        )
    site = Site(f"http://127.0.0.1:{port}", folder, process)
    try:
        _wait(site)
        yield site
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(40)
        finally:
            _end(process.pid)


def _wait(site: Site) -> None:
    deadline = time.monotonic() + START
    while True:
        assert site.process.poll() is None, site.told()
        assert time.monotonic() < deadline, f"it did not start: {site.told()}"
        try:
            if httpx.get(f"{site.url}/readyz", trust_env=False, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)


def _end(group: int) -> None:
    """Kill what is left of the session that we started."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
