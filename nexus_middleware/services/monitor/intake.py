"""Where measurements arrive: a request's path only appends to lists; the background counts what is in them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import NamedTuple

from .stats import Stat

OTHER = "(other)"
LABELS = 500  # of each kind; what comes after them goes under "(other)"
LONGEST = 300  # characters of a label
FULL = 5_000  # durations in one list, from which on its thread counts them itself
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "TRACE", "CONNECT"))


class Name(NamedTuple):
    """What was measured: api, first, stream, socket, db, call, timer or lag; of what; and a status class or ""."""

    kind: str
    label: str
    status: str = ""


class Row:
    """Durations of one name in seconds, not yet counted."""

    __slots__ = ("add", "add_first", "failed", "first", "name", "seconds")

    def __init__(self, name: Name, *, failed: bool) -> None:
        self.name, self.failed = name, failed
        self.seconds: list[float] = []
        self.first: list[float] = []  # to the first byte
        self.add, self.add_first = self.seconds.append, self.first.append  # found once, and not for each request


class Intake:
    """Rows by name, within bounds.

    Appending to a list is atomic, and so is taking its beginning: nothing is lost between threads, without a lock.

    Args:
        slow: Seconds, by kind, from which on one counts as slow.
    """

    def __init__(self, slow: Mapping[str, float]) -> None:
        self._slow = slow
        self._lock = threading.Lock()
        self._rows: dict[tuple[Name, bool], Row] = {}
        self._labels: dict[str, set[str]] = {}
        self.requests: dict[tuple[str, str, int], Row] = {}  # by method, route and status, so that one look finds it

    def request_row(self, method: str, route: str, status: int) -> Row:
        """Return the row of a request whose like has not been seen, and keep it for those to come."""
        known = method in METHODS
        label = f"{method if known else 'OTHER'} {route or '(no route)'}"
        group = f"{status // 100}xx" if 100 <= status < 600 else "5xx"
        row = self.row(Name("api", label, group), failed=group == "5xx")
        if known and 200 <= status < 600 and row.name.label != OTHER:  # a websocket's 101 is looked at each time
            self.requests[method, route, status] = row
        return row

    def row(self, name: Name, *, failed: bool) -> Row:
        """Return the row of `name`, or that of "(other)" if there are too many names."""
        row = self._rows.get((name, failed))
        return row if row is not None else self._made(name, failed=failed)

    def _made(self, name: Name, *, failed: bool) -> Row:
        with self._lock:
            labels = self._labels.setdefault(name.kind, set())
            label = name.label[:LONGEST]
            if label not in labels and len(labels) >= LABELS:
                label = OTHER
            labels.add(label)
            name = name._replace(label=label)
            return self._rows.setdefault((name, failed), Row(name, failed=failed))

    def take(self) -> dict[Name, Stat]:
        """Count what has arrived, and forget it here; for one thread at a time."""
        stats: dict[Name, Stat] = {}
        for row in [*self._rows.values()]:
            if row.seconds:
                self._count(stats, row.name, row.seconds, failed=row.failed)
            if row.first:
                self._count(stats, Name("first", row.name.label), row.first, failed=row.failed)
        return stats

    def _count(self, stats: dict[Name, Stat], name: Name, arrived: list[float], *, failed: bool) -> None:
        seconds = arrived[:]
        del arrived[: len(seconds)]
        stat = stats.get(name)
        if stat is None:
            stat = stats[name] = Stat(buckets={})
        stat.take(seconds, failed=failed, slow=self._slow.get(name.kind, 1.0))
