"""What this process uses of the machine: memory, processor, time."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

MEBI = 2**20
NO_LIMIT = 2**60  # bytes: cgroup v1 writes a number like this for none


class Machine:
    """Samples of this process; psutil is loaded with the first."""

    def __init__(self) -> None:
        import psutil

        self._process = psutil.Process()
        self.started = self._process.create_time()  # seconds since the epoch
        self.cores = usable_cores()
        self.memory_limit = memory_limit() or int(psutil.virtual_memory().total)  # bytes
        self.percent: float | None = None  # of the usable cores, over the last sampling step; None before the second
        self._last: tuple[float, float] | None = None

    def sample(self) -> None:
        """Measure the processor's use since the last sample."""
        used, wall = sum(self._process.cpu_times()[:2]), time.monotonic()
        if self._last is not None and wall > self._last[1]:
            share = (used - self._last[0]) / (wall - self._last[1]) / self.cores
            self.percent = round(min(100.0, max(0.0, share * 100)), 1)
        self._last = used, wall

    def memory(self) -> dict[str, float]:
        """Return the resident set and its private part in MiB, and the limit that holds for this process."""
        info: Any = self._process.memory_info()
        rss = info.rss
        private = rss - info.shared if hasattr(info, "shared") else self._process.memory_full_info().uss
        return {
            "rssMB": round(rss / MEBI, 1),
            "heapUsedMB": round(max(0, private) / MEBI, 1),
            "limitMB": round(self.memory_limit / MEBI, 1),
            "percent": round(rss / self.memory_limit * 100, 1),
        }


def usable_cores() -> float:
    """Return how many cores this process may use: its affinity, or the container's quota if that is less."""
    try:
        available = float(len(os.sched_getaffinity(0)))
    except AttributeError:  # not on macOS
        available = float(os.cpu_count() or 1)
    quota, _, period = _read("/sys/fs/cgroup/cpu.max").partition(" ")
    return min(available, int(quota) / int(period)) if quota.isdigit() and period.isdigit() else available


def memory_limit() -> int | None:
    """Return the container's limit in bytes; None without one."""
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        text = _read(path)
        if text.isdigit() and int(text) < NO_LIMIT:
            return int(text)
    return None


def duration(seconds: float) -> str:
    """Return a time span as people read it.

    >>> duration(42), duration(225_000), duration(3_600)
    ('42s', '2d 14h 30m', '1h 0m')
    """
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    days, hours, minutes = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60
    parts = [(days, "d"), (hours, "h"), (minutes, "m")]
    while parts[0][0] == 0:
        parts.pop(0)
    return " ".join(f"{amount}{unit}" for amount, unit in parts)


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
