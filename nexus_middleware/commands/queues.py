"""`nexus queues`: what waits, runs and failed, in a terminal."""

from __future__ import annotations

import argparse
import sys

from .blocks import shared_runtime

HELP = "show the queues"
COLUMNS = ("waiting", "active", "completed", "failed", "delayed", "workers")


def options(parser: argparse.ArgumentParser) -> None:
    """Nothing may follow."""


def run(_given: argparse.Namespace) -> int:
    """Print a table."""
    rows: list[tuple[str, ...]] = [("queue", *COLUMNS, "")]
    for name, stats in shared_runtime().queues.all_stats().items():
        told = [str(getattr(stats, column)) for column in COLUMNS]
        rows.append((name, *told, "paused" if stats.paused else ""))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        first, *rest = [text.rjust(width) for text, width in zip(row, widths, strict=True)]
        sys.stdout.write("  ".join([row[0].ljust(len(first)), *rest]).rstrip() + "\n")
    return 0
