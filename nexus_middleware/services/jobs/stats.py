"""What is told of a queue."""

from __future__ import annotations

import math
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
    workers: int  # alive, that serve it
    busy: int
    throughput_per_minute: float  # of the last five whole minutes
    wait_p95: float | None
    run_p95: float | None
    failed_total: int  # since ever
    retried_total: int
    rescued_total: int


def read(row: list[Any], workers: int) -> QueueStats:
    """Read the row of one queue that `queue_stats.lua` gave."""
    waiting, active, kept, failed, delayed, deferred, canceled, paused, busy, recent, oldest, totals, times = row
    completed, failures, retried, rescued = (int(total or 0) for total in totals)
    spans = [each.partition(":") for each in times.split()]
    return QueueStats(
        waiting=waiting,
        active=active,
        completed=completed,
        failed=failed,
        delayed=delayed,
        paused=bool(paused),
        deferred=deferred,
        canceled=canceled,
        completed_kept=kept,
        oldest_wait_seconds=round(oldest, 3),
        workers=workers,
        busy=busy,
        throughput_per_minute=recent / 5,
        wait_p95=_p95([wait for wait, _, _ in spans if wait]),  # a retry has none
        run_p95=_p95([run for _, _, run in spans]),
        failed_total=failures,
        retried_total=retried,
        rescued_total=rescued,
    )


def _p95(spans: list[str]) -> float | None:
    ordered = sorted(map(float, spans))
    return ordered[math.ceil(0.95 * len(ordered)) - 1] if ordered else None
