"""What one process has counted: since its start, of the last minutes, and what it has still to tell."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Generator
from typing import Any

from ...stores.commands import Command, GetFields
from ...stores.memory import MemoryStore
from .fleet import WINDOW
from .incidents import Incidents
from .intake import FULL, Intake, Name
from .outbox import REQUESTS, Outbox
from .rings import RINGS, Slots
from .stats import Stat, total

SLOW = {"api": 1.0, "first": 1.0, "db": 0.5, "call": 1.0, "timer": 1.0}  # seconds
STEP = RINGS[0].step
WAITING = 500  # commands for a store that is away


class Counts:
    """The counts of this process; a forked one makes its own.

    Args:
        own: The memory in which this process's history is kept, whether or not there is a store.
        shared: Whether there is a store.
    """

    def __init__(self, own: MemoryStore, *, shared: bool) -> None:
        self.pid = os.getpid()
        self.name = f"{socket.gethostname()}:{self.pid}:{secrets.token_hex(3)}"
        self.intake, self.incidents, self.outbox = Intake(SLOW), Incidents(), Outbox()
        self.since_start: dict[Name, Stat] = {}
        self.began = time.time()  # seconds since the epoch: of what is in there
        self.total = 0  # requests since the start
        self.dropped: deque[tuple[float, int]] = deque(maxlen=50)  # when, and how many measurements
        self._own, self._shared = own, shared
        self._slots = Slots()
        self._waiting: deque[Command[Any]] = deque(maxlen=WAITING)
        self._recent: deque[tuple[int, dict[str, Stat]]] = deque(maxlen=WINDOW // STEP + 1)
        self._folding = threading.Lock()

    def note(self, kind: str, label: str, seconds: float, *, failed: bool = False, status: str = "") -> bool:
        """Note a duration; whether it is time to `fold`."""
        row = self.intake.row(Name(kind, label, status), failed=failed)
        row.seconds.append(seconds)
        return len(row.seconds) >= FULL

    def fold(self, now: float, gauges: dict[str, float]) -> None:
        """Count what was noted."""
        with self._folding:
            stats = self.intake.take()
            rows, commands = self.incidents.take()
            dropped = self.outbox.put(now, stats, rows) + self._slots.add(now, stats, gauges)
            if dropped:
                self.dropped.append((now, dropped))
            for name, stat in stats.items():
                self.since_start.setdefault(name, Stat(buckets={})).add(stat)
                self._remember(now, name, stat)
            if commands:
                self._own.run(commands)
            if self._shared:
                self._waiting.extend(commands)

    def _remember(self, now: float, name: Name, stat: Stat) -> None:
        self.total += stat.count if name.kind == "api" else 0
        at = int(now) // STEP * STEP
        if not self._recent or self._recent[-1][0] != at:
            self._recent.append((at, {}))
        self._recent[-1][1].setdefault(name.kind, Stat(buckets={})).add(stat)

    def recent(self, kind: str, now: float, seconds: int = WINDOW) -> Stat:
        """Return what was counted of one kind over the last seconds."""
        return total([stats[kind] for at, stats in [*self._recent] if at > now - seconds - STEP and kind in stats])

    def forget(self) -> None:
        """Forget what people see of this process, and nothing that is still to be told."""
        self.since_start, self.began = {}, time.time()
        self._recent.clear()

    def exchange(self, told: list[Command[Any]]) -> Generator[list[Command[Any]], list[Any], list[Any]]:
        """Tell what is to be told, with what else is `told`; return the answers to that, and to `REQUESTS` after them.

        Raises:
            StoreError: the store did not hear; it will be told again, and what counts once, counts once.
        """
        slots, written = self._slots.commands(self.name)
        self._own.run(slots)
        batch = self._batch()
        if not self._shared:
            while batch is not None and self.outbox.heard(batch[0]):
                batch = self._batch()
            self._slots.sent(written)
            return []
        once: list[Command[Any]] = [batch[0]] if batch else []
        other = [*self._waiting]
        answers = yield [*once, *told, GetFields(REQUESTS), *slots, *other]
        for _ in other:
            self._waiting.popleft()
        self._slots.sent(written)
        if batch is not None:
            self.outbox.heard(batch[0])
        return answers[len(once) : len(once) + len(told) + 1]

    def _batch(self) -> tuple[Any, bool] | None:
        batch = self.outbox.batch(self.name)
        if batch is not None and batch[1]:
            self._own.run([batch[0]])
        return batch
