"""The command `nexus worker`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ..errors import SettingsError

HELP = "run the jobs that were put into the queues"


def options(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument(
        "--app",
        default="",
        metavar="MODULE:ATTR",
        help="where your own jobs are registered: a Queues, or a Nexus, such as shop.main:app",
    )
    parser.add_argument(
        "--queues",
        default="",
        metavar="NAME,NAME",
        help="serve only these, the first of them first (all)",
    )
    parser.add_argument("--burst", action="store_true", help="stop when no job waits any more")
    parser.add_argument(
        "--ready",
        default="",
        metavar="FILE",
        help="keep this file there, and touch it every few seconds, while jobs can be run: for probes",
    )
    parser.add_argument("--parent", type=_pid, default=0, metavar="PID", help="stop when this parent process is gone")
    parser.add_argument("--processes", type=_positive, default=1, metavar="N", help="how many jobs run at once (1)")


def run(given: argparse.Namespace) -> int:
    """Work until a signal comes; 0 is returned then.

    Raises:
        SettingsError: a setting or option does not fit.
        StoreError: the store does not answer.
    """
    if os.name == "nt":
        raise SettingsError(
            "the worker does not run on Windows, which has no fork and no signals: use WSL or a container"
        )
    from ..services.jobs.smtp import Server
    from .apps import load_queues
    from .supervisor import Orders, Supervisor

    queues = load_queues(given.app)
    served = [queues.known(name.strip()) for name in given.queues.split(",") if name.strip()]
    for warning in queues.ledger.check():
        sys.stderr.write(f"nexus worker: warning: {warning}\n")
    if queues.settings.smtp_url:
        Server.from_url(queues.settings.smtp_url)
    orders = Orders(
        app=given.app,
        queues=tuple(served),
        processes=given.processes,
        burst=given.burst,
        parent=given.parent,
        ready=_writable(given.ready) if given.ready else None,
    )
    Supervisor(queues, orders).run()
    queues.close()
    return 0


def _writable(file: str) -> Path:
    path = Path(file)
    try:
        path.touch()
        path.unlink()
    except OSError as error:
        raise SettingsError(f"--ready={file!r} cannot be written: {error.strerror}") from error
    return path


def _pid(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} must be the number of a process")
    return int(text)


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if not 0 < number <= 256:
        raise argparse.ArgumentTypeError(f"{text!r} must be a number from 1 to 256")
    return number
