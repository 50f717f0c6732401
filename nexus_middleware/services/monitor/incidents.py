"""Single things worth a look: slow requests, the same query again and again, and exceptions, grouped."""

from __future__ import annotations

import hashlib
import threading
import traceback
from collections import deque
from types import TracebackType
from typing import Any

import msgspec

from ...rules.tracebacks import masked
from ...stores.commands import Command, Push, Put, Row, SetFields
from .history import ERROR_COUNTS, ERRORS, REPEATS, SLOW, error_key
from .rings import SEPARATOR

KEPT = 200  # slow requests, and groups of errors
KEPT_FOR = 8 * 86_400.0  # seconds
REPEATED = 10  # times in one request, from which on a query is marked: what Django's Silk calls N+1
FRAMES = 30


class Work:
    """The queries of one request."""

    __slots__ = ("count", "ms", "shapes")

    def __init__(self) -> None:
        self.count, self.ms = 0, 0.0
        self.shapes: dict[str, int] = {}

    def add(self, query: str, ms: float) -> None:
        """Note a query."""
        self.count += 1
        self.ms += ms
        self.shapes[query] = self.shapes.get(query, 0) + 1


class Group(msgspec.Struct):
    """Exceptions of one type from one line."""

    last: float
    count: int = 0
    first: dict[str, Any] | None = None  # what is told of the first


class Incidents:
    """What was noted and not yet told."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slow: deque[bytes] = deque(maxlen=KEPT)
        self._repeats: dict[str, list[int]] = {}  # by query and endpoint: requests, most times in one
        self._groups: dict[str, Group] = {}
        self._seen: set[str] = set()

    def slow(self, **facts: Any) -> None:
        """Note a slow request."""
        self._slow.append(msgspec.json.encode(facts))

    def worked(self, work: Work, endpoint: str) -> None:
        """Note the queries that one request sent too often."""
        for query, times in work.shapes.items():
            if times >= REPEATED:
                with self._lock:
                    row = self._repeats.get(f"{query}{SEPARATOR}{endpoint}")
                    if row is None and len(self._repeats) < KEPT:
                        row = self._repeats.setdefault(f"{query}{SEPARATOR}{endpoint}", [0, 0])
                    if row is not None:
                        row[:] = row[0] + 1, max(row[1], times)

    def failed(self, error: BaseException, now: float, endpoint: str, request_id: str) -> None:
        """Note an exception."""
        kind, where = type(error).__qualname__, place(error.__traceback__)
        ident = hashlib.sha256(f"{type(error).__module__}.{kind} {where}".encode()).hexdigest()[:12]
        with self._lock:
            if ident not in self._seen and len(self._seen) >= KEPT:
                ident, kind, where = "other", "(other)", ""
            group = self._groups.setdefault(ident, Group(now))
            group.last, group.count = now, group.count + 1
            if ident in self._seen:
                return
            self._seen.add(ident)
            trace = [] if ident == "other" else described(error)
            group.first = {"id": ident, "type": kind, "where": where, "endpoint": endpoint, "requestId": request_id}
            group.first |= {"first": now, "message": masked(str(error))[:500], "traceback": trace}

    def take(self) -> tuple[list[Row], list[Command[Any]]]:
        """Return what is to be counted once, and what else is to be told; it is forgotten here."""
        with self._lock:
            repeats, self._repeats = self._repeats, {}
            groups, self._groups = self._groups, {}
        slow = [self._slow.popleft() for _ in range(len(self._slow))]
        rows = [
            Row({REPEATS: KEPT_FOR}, {f"{key}{SEPARATOR}n": n}, {f"{key}{SEPARATOR}most": most})
            for key, (n, most) in repeats.items()
        ]
        rows += [Row({ERROR_COUNTS: KEPT_FOR}, {ident: group.count}) for ident, group in groups.items()]
        commands: list[Command[Any]] = [Push(SLOW, tuple(slow), KEPT, KEPT_FOR)] if slow else []
        for ident, group in groups.items():
            commands.append(SetFields(ERRORS, {ident: b"%.3f" % group.last}, KEPT_FOR))
            if group.first is not None:
                text = msgspec.json.encode(group.first)
                commands.append(Put(error_key(ident), text, KEPT_FOR, absent=True))
        return rows, commands


def place(trace: TracebackType | None) -> str:
    """Return the file and line that raised."""
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def described(error: BaseException) -> list[str]:
    """Return the traceback, innermost last, with the lines of the source and no value of any variable."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    lines = [f"{frame.filename}:{frame.lineno} in {frame.name}: {frame.line}" for frame in frames]
    return [line[:300] for line in lines]
