"""Have a span for each request, which whatever the app does belongs to."""

from __future__ import annotations

from typing import Any, Protocol

from ..http import App, Request
from .layer import Layer


class Spans(Protocol):
    """What makes spans; it must not wait."""

    def start(self, request: Request) -> Any: ...  # it is current for the app from then on
    def end(self, span: Any, request: Request, status: int) -> None: ...


class Tracing(Layer[None]):
    """Begin a span before the app runs, and end it with the last byte.

    Args:
        app: What is traced.
        spans: What makes the spans, such as `services.monitor.otel.RequestSpans`.
    """

    def __init__(self, app: App, *, spans: Spans) -> None:
        super().__init__(app)
        self._spans = spans

    def before(self, request: Request, answer: None) -> None:
        request.notes[self] = self._spans.start(request)

    def done(self, request: Request, status: int) -> None:
        self._spans.end(request.notes[self], request, status)
