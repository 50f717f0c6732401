"""Measure how long each answer takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from ..http import App, Head, Request
from .layer import Layer

now = time.perf_counter


class Record(Protocol):
    """What is told of each finished request: seconds to the last byte, and to the first; None where no head came."""

    def __call__(self, request: Request, status: int, seconds: float, first: float | None) -> None: ...


class RequestTiming(Layer[None]):
    """Time each request from its first step to the first and to the last byte of its answer.

    Args:
        app: What is measured.
        record: What is told of each finished request.
        server_timing: Say the time to the first byte in a Server-Timing header (W3C Server Timing).
        clock: Seconds that never go backwards.
    """

    def __init__(
        self,
        app: App,
        *,
        record: Record | None = None,
        server_timing: bool = False,
        clock: Callable[[], float] = now,
    ) -> None:
        super().__init__(app)
        self._record, self._server_timing, self._clock = record, server_timing, clock

    def before(self, request: Request, answer: None) -> None:
        request.notes["began"] = self._clock()

    def after(self, request: Request, head: Head) -> None:
        notes = request.notes
        first = notes["first"] = self._clock() - notes["began"]
        if self._server_timing:
            head.add(b"server-timing", b"app;dur=%.1f" % (first * 1000))

    def done(self, request: Request, status: int) -> None:
        if self._record is not None and not request.again:
            notes = request.notes
            self._record(request, status, self._clock() - notes["began"], notes.get("first"))
