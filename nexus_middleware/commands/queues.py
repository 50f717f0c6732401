"""`nexus queues`: what waits, runs and failed, in a terminal; and to steer queues from there."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from ..errors import SettingsError
from ..services.jobs.stats import QueueStats
from ..services.queues import Queues
from ..services.queues.schedules import ScheduleRow
from ..services.queues.shapes import WorkerRow
from .blocks import shared_runtime

HELP = "show the queues, workers and schedules, or pause, resume, retry and clear a queue"
COLUMNS = ("waiting", "active", "completed", "failed", "delayed", "workers")


def options(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument("action", nargs="?", default="show", choices=[*SHOWN, *DONE], help="what to do (show)")
    parser.add_argument("queue", nargs="?", default="", help="which queue, to pause, resume, retry or clear it")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def run(given: argparse.Namespace) -> int:
    """Print a table, or what was done.

    Raises:
        SettingsError: no queue is given where one is needed, or there is none of that name.
        StoreError: Redis did not answer.
    """
    queues = shared_runtime().queues
    queues.discover()
    if given.action in DONE:
        if not given.queue:
            raise SettingsError(f"{given.action} which queue? There are {', '.join(queues.jobs.queues)}")
        sys.stdout.write(DONE[given.action](queues, given.queue) + "\n")
        return 0
    read, table = SHOWN[given.action]
    found = read(queues)
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n" if given.json else _aligned(table(found)))
    return 0


def _queues(found: dict[str, QueueStats]) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [("queue", *COLUMNS, "oldest wait", "")]
    for name, stats in found.items():
        told = [str(getattr(stats, column)) for column in COLUMNS]
        wait = f"{stats.oldest_wait_seconds:.0f} s" if stats.waiting else "-"
        rows.append((name, *told, wait, "paused" if stats.paused else ""))
    return rows


def _workers(found: list[WorkerRow]) -> list[Sequence[str]]:
    columns = ("name", "state", "pid", "done", "failed", "memory_mb", "queue", "job")
    rows = [[str(getattr(each, column) or "-") for column in columns] for each in found]
    return [columns, *rows]


def _schedules(found: list[ScheduleRow]) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [("name", "job", "cron", "zone", "next", "last")]
    for each in found:
        following = datetime.fromtimestamp(each.next, UTC).strftime("%Y-%m-%dT%H:%MZ") if each.next else "paused"
        last = f"{each.runs[0].outcome} {each.runs[0].ended[:16]}Z" if each.runs else "-"
        rows.append((each.name, each.job, each.cron, each.zone, following, last))
    return rows


def _aligned(rows: list[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        first, *rest = [text.rjust(width) for text, width in zip(row, widths, strict=True)]
        lines.append("  ".join([row[0].ljust(len(first)), *rest]).rstrip())
    return "\n".join(lines) + "\n"


def _pause(queues: Queues, queue: str) -> str:
    queues.pause(queue)
    return f"{queue} is paused: what runs goes on, and nothing more is taken"


def _resume(queues: Queues, queue: str) -> str:
    queues.resume(queue)
    return f"{queue} goes on"


def _retry(queues: Queues, queue: str) -> str:
    return f"{queues.retry_failed(queue)} failed jobs of {queue} wait again"


def _clear(queues: Queues, queue: str) -> str:
    return f"{queues.clear(queue)} jobs of {queue} that waited or were delayed are deleted"


SHOWN: dict[str, tuple[Callable[[Queues], object], Callable[..., list[Sequence[str]]]]] = {
    "show": (Queues.all_stats, _queues),
    "workers": (lambda queues: queues.board.workers(), _workers),
    "schedules": (lambda queues: queues.schedules.every(), _schedules),
}
DONE = {"pause": _pause, "resume": _resume, "retry": _retry, "clear": _clear}
