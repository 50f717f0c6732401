"""`nexus dashboard`: the dashboard and its API in a process of their own, for WSGI apps and for tasks behind a firewall."""

from __future__ import annotations

import argparse
import socket
import sys

from ..errors import SettingsError
from ..http import Receive, Scope, Send
from ..settings import Settings
from ..stack import Nexus

HELP = "serve the dashboard of apps that share a Redis"


def options(parser: argparse.ArgumentParser) -> None:
    """Say what may follow."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8001, help="port to listen on (8001)")


def run(given: argparse.Namespace) -> int:
    """Serve until a signal comes.

    Raises:
        SettingsError: there is no token, no Redis, no uvicorn, or the port is taken.
        StoreError: the Redis does not answer.
    """
    settings = Settings.from_env()
    if not settings.admin_secret:
        raise SettingsError("nobody could sign in: set NEXUS_ADMIN_TOKEN")
    nexus = Nexus(_nothing, settings)
    nexus.runtime.front = None  # how the app is protected is not known here: it is in other processes
    if not nexus.runtime.store.waits:
        raise SettingsError("memory:// is another process's memory: set NEXUS_STORE to the Redis of the app")
    nexus.runtime.check()
    if nexus.queues.enabled:
        nexus.queues.discover()  # the jobs of the app are registered in its own processes
    _check_port(given.host, given.port)
    try:
        import uvicorn
    except ImportError as error:
        raise SettingsError("no server to run it: pip install 'nexus-middleware[local]', or uvicorn") from error
    sys.stdout.write(f"http://{given.host}:{given.port}{settings.dashboard_path}/\n")
    sys.stdout.flush()
    config = uvicorn.Config(
        nexus, host=given.host, port=given.port, proxy_headers=False, access_log=False, log_level="warning"
    )
    uvicorn.Server(config).run()
    return 0


def _check_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise SettingsError(f"cannot listen on {host}:{port} ({error}): say --port 8002, or so") from error


async def _nothing(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer 404 to all that is not the dashboard."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"not found\n"})
