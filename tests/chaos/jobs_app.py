"""The jobs that are run while all around them is killed: each writes down, outside of Redis, when it began and ended."""

import os
import time
from pathlib import Path

from nexus_middleware.services.jobs.registry import QUEUES, Permanent
from nexus_middleware.services.queues import Queues
from nexus_middleware.settings import Settings

LEDGER = os.environ["CHAOS_LEDGER"]


def note(what, number):
    """Append a line in one write, which no kill cuts in half."""
    file = os.open(LEDGER, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, f"{time.time():.3f} {what} {number}\n".encode())
    os.close(file)


def begun(number):
    with Path(LEDGER).open() as file:
        return sum(line.split()[1:] == ["start", str(number)] for line in file)


def mark(number, seconds=0.02, kind="plain"):
    """Be done; or fail the first time, or for good."""
    note("start", number)
    if kind == "never":
        raise Permanent("as asked")
    if kind == "late" and begun(number) == 1:
        note("failed", number)
        raise ValueError("the first time")
    time.sleep(seconds)
    note("done", number)


if "NEXUS_STORE" in os.environ:  # plain RQ calls `mark` by its name
    settings = Settings.from_env()
    queues = Queues(settings.store, settings=settings)
    for queue in QUEUES:
        queues.job(f"mark.{queue}", queue=queue)(mark)
