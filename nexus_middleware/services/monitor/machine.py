"""What this process uses of the machine, as the background samples it: memory, processor, time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MEBI = 2**20
NO_LIMIT = 2**60  # bytes: cgroup v1 writes a number like this for none
CGROUPS = Path("/sys/fs/cgroup")


class Machine:
    """Samples of this process; psutil is loaded with the first."""

    def __init__(self) -> None:
        import psutil

        self._process = psutil.Process()
        self.started = self._process.create_time()  # seconds since the epoch
        self.cores = usable_cores()
        whole = int(psutil.virtual_memory().total)
        self.memory_limit = min(whole, memory_limit() or whole)  # bytes
        self.rss = self.private = 0  # bytes, as last sampled
        self.percent: float | None = None  # of the usable cores, over the last sampling step; None before the second
        self._last: tuple[float, float] | None = None
        self.weigh()

    def sample(self) -> None:
        """Measure memory, and the processor's use since the last sample."""
        self.weigh()
        used, wall = sum(self._process.cpu_times()[:2]), time.monotonic()
        if self._last is not None and wall > self._last[1]:
            share = (used - self._last[0]) / (wall - self._last[1]) / self.cores
            self.percent = round(min(100.0, max(0.0, share * 100)), 1)
        self._last = used, wall

    def weigh(self) -> None:
        """Measure memory."""
        info: Any = self._process.memory_info()
        self.rss = info.rss
        private = info.rss - info.shared if hasattr(info, "shared") else self._process.memory_full_info().uss
        self.private = max(0, private)

    def memory(self) -> dict[str, float]:
        """Return the resident set and its private part in MiB, and the limit that holds for this process."""
        return {
            "rssMB": mebi(self.rss),
            "heapUsedMB": mebi(self.private),
            "limitMB": mebi(self.memory_limit),
            "percent": round(self.rss / self.memory_limit * 100, 1),
        }


def mebi(size: float) -> float:
    """Return bytes in MiB, with one decimal."""
    return round(size / MEBI, 1)


def usable_cores(root: Path = CGROUPS) -> float:
    """Return how many cores this process may use: its affinity, or the container's quota if that is less."""
    try:
        available = float(len(os.sched_getaffinity(0)))
    except AttributeError:  # not on macOS
        available = float(os.cpu_count() or 1)
    for folder in _groups("cpu", root):
        quota, _, period = _read(folder / "cpu.max").partition(" ")
        if not quota:
            quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
        if quota.isdigit() and period.isdigit() and int(period):
            available = min(available, int(quota) / int(period))
    return available


def memory_limit(root: Path = CGROUPS) -> int | None:
    """Return the container's limit in bytes; None without one."""
    texts = [
        _read(folder / name) for folder in _groups("memory", root) for name in ("memory.max", "memory.limit_in_bytes")
    ]
    return min([int(text) for text in texts if text.isdigit() and int(text) < NO_LIMIT], default=None)


def _groups(controller: str, root: Path) -> Iterator[Path]:
    """Yield the folders of the control groups that this process is in, of either version, the outer ones too."""
    for line in _read("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        top = root / controllers if controllers else root
        group = top / path.lstrip("/")
        yield from [group, *[parent for parent in group.parents if parent.is_relative_to(top)]]
    yield from (root, root / controller)  # where a container's own view differs from what it is told of itself


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


def _read(path: Path | str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
