"""Measure how long each answer takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from ..http import FAILED, App, Head, Request
from .layer import Layer

now = time.perf_counter
NOTED, STREAM = "noted", "stream"  # in `request.notes`: that there is more to a request than its time
LONG = 0.05  # seconds, below which even a stream is an answer like any other
HEADLESS = (None, None)  # the time of the first byte, and its head, where the app sent none
STREAMS = (b"text/event-stream", b"multipart/x-mixed-replace", b"application/x-ndjson", b"application/json-seq")


class Record(Protocol):
    """What is told of each finished request: seconds to the last byte, and to the first; None where the app sent no head."""

    def __call__(self, request: Request, status: int, seconds: float, first: float | None) -> None: ...


class RequestTiming(Layer[None]):
    """Time each request from its first step to the first and to the last byte of its answer.

    A stream (server-sent events, NDJSON and the like) that took 50 ms or more is marked in `request.notes["noted"]`: its
    length is no response time. Until it is finished, a request is in `running`.

    Args:
        app: What is measured.
        record: What is told of each finished request.
        server_timing: Say the time to the first byte in a Server-Timing header (W3C Server Timing), and what each layer
            took of it that `costs.timed` has wrapped.
        running: Where requests under way are kept, each with the time of its beginning, for others to count.
        clock: Seconds that never go backwards.
    """

    def __init__(
        self,
        app: App,
        *,
        record: Record | None = None,
        server_timing: bool = False,
        running: dict[Any, float] | None = None,
        clock: Callable[[], float] = now,
    ) -> None:
        super().__init__(app)
        self._record, self._server_timing, self._clock = record, server_timing, clock
        self.running: dict[Any, float] = {} if running is None else running

    def before(self, request: Request, answer: None) -> None:
        self.running[request] = self._clock()

    def after(self, request: Request, head: Head) -> None:
        first = self._clock() - self.running[request]
        request.notes["first"] = first, head
        if self._server_timing:
            costs: dict[str, float] = request.notes.get("costs", {})
            layers = [b"%s;dur=%.3f" % (name.encode(), seconds * 1000) for name, seconds in costs.items()]
            app = max(0.0, first - sum(costs.values()))
            head.add(b"server-timing", b", ".join([b"app;dur=%.1f" % (app * 1000), *layers]))

    def done(self, request: Request, status: int) -> None:
        began = self.running.pop(request)
        if self._record is None or request.again:
            return
        seconds = self._clock() - began
        first, head = HEADLESS if FAILED in request.notes else request.notes.get("first", HEADLESS)
        if seconds >= LONG and head is not None and head.get(b"content-type").startswith(STREAMS):
            request.notes[NOTED] = STREAM
        self._record(request, status, seconds, first)
