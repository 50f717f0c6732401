"""What every job does while all around it is killed: it writes down, outside of Redis, when it began and ended."""

import os
import time
from pathlib import Path

LEDGER = os.environ["CHAOS_LEDGER"]
TAKES = 0.02  # seconds


def note(what, number):
    """Append a line in one write, which no kill cuts in half."""
    file = os.open(LEDGER, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, f"{time.time():.3f} {what} {number}\n".encode())
    os.close(file)


def begun(number):
    with Path(LEDGER).open() as file:
        return sum(line.split()[1:] == ["start", str(number)] for line in file)


def mark(number, kind="plain"):
    """Be done, or fail for good."""
    note("start", number)
    if kind == "never":
        raise ValueError("as asked")
    time.sleep(TAKES)
    note("done", number)
