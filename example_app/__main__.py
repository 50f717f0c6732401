"""Run the academy with all that belongs to it: a Redis, a worker, a mailbox; Ctrl-C ends them all."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from nexus_middleware import NexusError, Settings, SettingsError

STATE = Path(".nexus")
WINDOWS = (
    "On Windows there is neither a Redis of the example's own nor a worker: limits and cache are this process's,\n"
    "and no mail is sent. Set NEXUS_STORE to a Redis, and run `nexus worker` in WSL or a container, for all of it.\n"
)
GRACE = 10.0  # seconds for the worker to finish its job


def main() -> None:
    """Start all, serve until a signal comes, stop all; exit code 2 if something must be changed first."""
    host = os.environ.get("HOST", "127.0.0.1")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)  # uvicorn ends by raising its signal again: that must not end us before the rest
    try:
        port = _port(host)
        settings = Settings.from_env()
        with ExitStack() as stack:
            _prepare(settings, stack)
            _serve(host, port)
    except NexusError as error:
        sys.exit(_failure(error))


def _leave(*_: object) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # what was started is being stopped
    raise SystemExit(0)


def _failure(error: Exception) -> int:
    sys.stderr.write(f"example_app: {error}\n")
    return 2


def _port(host: str) -> int:
    given = os.environ.get("PORT", "8000")
    if not (given.isascii() and given.isdigit() and 0 < int(given) < 65536):
        raise SettingsError(f"PORT={given!r} must be a number from 1 to 65535")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(given)))
        except OSError as error:
            raise SettingsError(f"cannot listen on {host}:{given} ({error.strerror}): say PORT=8001, or so") from error
    return int(given)


def _prepare(settings: Settings, stack: ExitStack) -> None:
    """Start what the web process needs, and leave its addresses in the environment for it and the worker."""
    from nexus_middleware.runtime import Runtime
    from nexus_middleware.services.jobs.smtp import Server
    from nexus_middleware.stores.embedded import embedded_server

    from .data import Academy
    from .mailbox import mailbox

    database = os.environ.setdefault("ACADEMY_DB", str(STATE / "academy.db"))
    os.environ.setdefault("NEXUS_LOG_DIR", "logs")
    os.environ.setdefault("NEXUS_MEDIA_DIR", str(STATE / "media"))
    os.environ.setdefault("NEXUS_FUNNELS", "sale:lesson.viewed>checkout.opened>paid")
    os.environ.setdefault("NEXUS_REPORT_TO", "staff@example.test")
    if not settings.admin_token:
        os.environ["NEXUS_ADMIN_TOKEN"] = _token(STATE / "admin_token")
    if os.name == "nt":
        sys.stdout.write(WINDOWS)
    elif "NEXUS_STORE" not in os.environ and not os.environ.get("REDIS_URL"):
        os.environ["NEXUS_STORE"] = stack.enter_context(embedded_server(STATE, environment=settings.environment))
    runtime = Runtime(Settings.from_env())
    runtime.check()
    if settings.smtp_url:
        Server.from_url(settings.smtp_url)
    else:
        os.environ["NEXUS_SMTP_URL"] = stack.enter_context(mailbox(Academy(Path(database)).catch))
        os.environ.setdefault("NEXUS_SMTP_FROM", "academy@example.test")
    if not os.environ.get("NEXUS_STORE", os.environ.get("REDIS_URL", "")).startswith("memory:"):
        runtime.queues.schedule_recurring_jobs()
        stack.enter_context(_worker())


@contextmanager
def _worker() -> Generator[None]:
    """Run the worker in a session of its own, so that Ctrl-C reaches it through us, in order."""
    command = [
        sys.executable,
        "-m",
        "nexus_middleware",
        "worker",
        "--app",
        "example_app.app:app",
        "--parent",
        str(os.getpid()),
    ]
    worker = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        yield
    finally:
        worker.terminate()
        try:
            worker.wait(GRACE)
        except subprocess.TimeoutExpired:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


def _token(path: Path) -> str:
    """Return the token that opens the dashboard, which stays the same over restarts."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path.read_text()


def _serve(host: str, port: int) -> None:
    import uvicorn

    from .app import app

    where = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    token = app.settings.admin_token
    sys.stdout.write(
        f"The academy     {where}/\nWhat to try     {where}/try\n"
        f"The dashboard   {where}{app.settings.dashboard_path}/   sign in with {token}\n"
        f"Its API         curl -H 'Authorization: Bearer {token}' {where}{app.settings.api_path}/health\n"
        "Ctrl-C stops everything.\n"
    )
    sys.stdout.flush()
    config = uvicorn.Config(app, host=host, port=port, proxy_headers=False, access_log=False, log_level="warning")
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
