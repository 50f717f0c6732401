"""What a store is to be told once: kept until it says that it has heard."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from ...stores.commands import AddOnce, Row
from .intake import Name
from .rings import MOST_FIELDS, by_label
from .stats import Stat

REQUESTS = "monitor:requests"
MOST_MINUTES = 60  # that wait while the store is away; then the oldest go


class Outbox:
    """Counts by minute and label, told in batches: only when one was heard is the next one made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minutes: dict[int, dict[Name, Stat]] = {}
        self._extra: list[Row] = []
        self._requests = 0
        self._number = 0
        self._batch: tuple[AddOnce, int] | None = None

    @property
    def unsent(self) -> int:
        """Requests that the store has not said it heard of."""
        with self._lock:
            return self._requests + (self._batch[1] if self._batch else 0)

    @property
    def waits(self) -> bool:
        """Whether there is something to tell."""
        with self._lock:
            return bool(self._batch or self._minutes or self._requests or self._extra)

    def put(self, now: float, stats: dict[Name, Stat], rows: list[Row]) -> int:
        """Add what was measured, and other rows; return how many measurements were dropped to keep the bound."""
        with self._lock:
            minute = self._minutes.setdefault(int(now) // 60 * 60, {})
            for name, stat in stats.items():
                minute.setdefault(name, Stat(buckets={})).add(stat)
                self._requests += stat.count if name.kind == "api" else 0
            self._extra += rows
            return sum([self._drop(at) for at in sorted(self._minutes)[:-MOST_MINUTES]])

    def _drop(self, at: int) -> int:
        return sum([stat.count for stat in self._minutes.pop(at).values()])

    def batch(self, member: str) -> tuple[AddOnce, bool] | None:
        """Return what is to be told next, and whether it is new: else it was told before and nobody knows if it arrived.

        None if there is nothing to tell.
        """
        with self._lock:
            if self._batch is not None:
                return self._batch[0], False
            requests, self._requests = self._requests, 0
            rows = [*self._rows(), *self._extra]
            self._extra = []
            if requests:
                rows.append(Row({REQUESTS: None}, {"n": requests}))
            if not rows:
                return None
            self._number += 1
            self._batch = AddOnce(member, self._number, tuple(rows)), requests
            return self._batch[0], True

    def heard(self, batch: AddOnce) -> bool:
        """Forget what the store has heard; whether there is more to tell."""
        with self._lock:
            if self._batch is not None and self._batch[0] is batch:
                self._batch = None
            return bool(self._minutes or self._requests or self._extra)

    def _rows(self) -> Iterator[Row]:
        """Take rows, of the oldest minutes first, until a trip has enough."""
        room = MOST_FIELDS
        for at in sorted(self._minutes):
            stats = self._minutes[at]
            for name, row in by_label(at, dict(stats)):
                if room <= 0:
                    return
                room -= len(row.adds)
                del stats[name]
                yield row
            del self._minutes[at]
