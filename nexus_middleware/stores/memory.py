"""State in this process: for tests, for development, and for one worker."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from ..rules.windows import Allowance, Limit
from .commands import Command, Drop, Get, Hit, Put


class MemoryStore:
    """Keeps everything in dictionaries behind one lock."""

    url = "memory://"
    waits = False

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._hits: dict[str, deque[float]] = {}
        self._values: dict[str, tuple[bytes, float]] = {}

    def run(self, commands: Sequence[Command[Any]]) -> list[Any]:
        with self._lock:
            now = self._clock()
            return [self._answer(command, now) for command in commands]

    async def arun(self, commands: Sequence[Command[Any]]) -> list[Any]:
        return self.run(commands)

    def close(self) -> None: ...

    async def aclose(self) -> None: ...

    def _answer(self, command: Command[Any], now: float) -> Any:
        match command:
            case Hit(limits):
                return self._hit(limits, now)
            case Get(key):
                value, until = self._values.get(key, (None, now))
                return value if until > now else None
            case Put(key, value, ttl):
                self._values[key] = value, now + (float("inf") if ttl is None else ttl)
                return True
            case Drop(keys):
                return sum(self._values.pop(key, None) is not None for key in keys)
            case _:
                raise TypeError(f"unknown command {command!r}")

    def _hit(self, limits: tuple[tuple[str, Limit], ...], now: float) -> tuple[Allowance, ...]:
        logs = [self._log(key, limit, now) for key, limit in limits]
        free = [len(log) + limit.cost <= limit.amount for log, (_, limit) in zip(logs, limits, strict=True)]
        if all(free):
            for log, (_, limit) in zip(logs, limits, strict=True):
                log.extend([now] * limit.cost)
        return tuple([_allowance(log, limit, now, ok) for log, (_, limit), ok in zip(logs, limits, free, strict=True)])

    def _log(self, key: str, limit: Limit, now: float) -> deque[float]:
        log = self._hits.setdefault(key, deque())
        while log and log[0] <= now - limit.window:
            log.popleft()
        return log


def _allowance(log: deque[float], limit: Limit, now: float, free: bool) -> Allowance:
    until = (log[0] if log else now) if free else log[len(log) + limit.cost - limit.amount - 1]
    return Allowance(free, limit.amount - len(log), until + limit.window - now)
