"""What is told of a queue."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import msgspec


class QueueStats(msgspec.Struct, frozen=True, rename="camel"):
    """One queue, counted. Times in milliseconds are of the last 100 completed jobs, None before there is one."""

    waiting: int
    active: int
    completed: int  # since ever
    failed: int  # kept, and to be retried
    delayed: int
    paused: bool
    deferred: int
    canceled: int
    completed_kept: int
    oldest_wait_seconds: float
    workers: int
    busy: int
    throughput_per_minute: float  # of the last five whole minutes
    wait_p95: float | None
    run_p95: float | None
    failed_total: int  # since ever
    retried_total: int
    rescued_total: int


def read(row: list[Any], now: float, workers: int) -> QueueStats:
    """Read the row of one queue that `queue_stats.lua` gave at `now`, in seconds since the epoch."""
    waiting, active, kept, failed, delayed, deferred, canceled, paused, busy, recent, oldest, flat, times = row
    totals = {flat[i].decode(): int(flat[i + 1]) for i in range(0, len(flat), 2)}
    spans = [line.decode().split(":") for line in times]
    since = datetime.fromisoformat(oldest.decode()).timestamp() if oldest else now
    return QueueStats(
        waiting=waiting,
        active=active,
        completed=totals.get("completed", 0),
        failed=failed,
        delayed=delayed,
        paused=bool(paused),
        deferred=deferred,
        canceled=canceled,
        completed_kept=kept,
        oldest_wait_seconds=round(max(0.0, now - since), 3),
        workers=workers,
        busy=busy,
        throughput_per_minute=recent / 5,
        wait_p95=_p95([wait for wait, _ in spans if wait]),  # a retry has none
        run_p95=_p95([run for _, run in spans]),
        failed_total=totals.get("failed", 0),
        retried_total=totals.get("retried", 0),
        rescued_total=totals.get("rescued", 0),
    )


def _p95(spans: list[str]) -> float | None:
    ordered = sorted(float(span) for span in spans)
    return ordered[math.ceil(0.95 * len(ordered)) - 1] if ordered else None
