"""Traces and metrics by OpenTelemetry, under the names of its semantic conventions; needs the extra `otel`."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterable
from typing import Any

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from ...http import Request
from ...rules.buckets import BOUNDS, BUCKETS
from . import Monitor
from .intake import Name
from .stats import Stat

LOG = logging.getLogger("nexus_middleware")
EVERY = 10.0  # seconds
SCOPE = "nexus_middleware"
Attributes = dict[str, Any]


class RequestSpans:
    """Makes a span for each request: of kind server, a child of the caller's by `traceparent` (W3C Trace Context).

    Args:
        provider: None for the one that the app has set up; without one, spans go where OTEL_EXPORTER_OTLP_ENDPOINT says.
        resource: What the spans are of, if we set up the provider.
    """

    def __init__(self, provider: trace.TracerProvider | None = None, *, resource: Resource | None = None) -> None:
        known = provider or trace.get_tracer_provider()
        self._own: TracerProvider | None = None
        if isinstance(known, trace.ProxyTracerProvider):
            known = self._own = TracerProvider(resource=resource)
            self._own.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = known.get_tracer(SCOPE)
        self._propagator = TraceContextTextMapPropagator()

    def start(self, request: Request) -> tuple[trace.Span, context.Context]:
        """Begin the span of `request`, which is current from then on."""
        parent = request.header(b"traceparent")
        state = request.header(b"tracestate") or b""
        carrier = {"traceparent": parent.decode("latin-1"), "tracestate": state.decode("latin-1")} if parent else {}
        around = self._propagator.extract(carrier, context=context.Context()) if parent else context.Context()
        attributes = {
            "http.request.method": request.method,
            "url.path": request.path,
            "url.scheme": request.scheme,
            "client.address": request.client,
        }
        span = self._tracer.start_span(request.method, around, trace.SpanKind.SERVER, attributes)
        before = context.get_current()
        context.attach(trace.set_span_in_context(span, before))
        return span, before

    def end(self, span: tuple[trace.Span, context.Context], request: Request, status: int) -> None:
        """End it, with the route and the status."""
        ours, before = span
        context.attach(before)  # not `detach`: the last byte may leave in another task
        if ours.is_recording():
            if route := request.route:
                ours.update_name(f"{request.method} {route}")
                ours.set_attribute("http.route", route)
            ours.set_attribute("http.response.status_code", status)
            if request.request_id:
                ours.set_attribute("http.request.header.x-request-id", request.request_id)
            if status >= 500:
                error = sys.exc_info()[1]
                ours.set_attribute("error.type", type(error).__qualname__ if error else str(status))
                ours.set_status(trace.StatusCode.ERROR)
        ours.end()

    def close(self) -> None:
        """Send what waits, if the provider is ours."""
        if self._own is not None:
            self._own.shutdown()


class Metrics:
    """Sends what this process has counted, every 10 s, from a thread of its own: no request pays for it.

    Args:
        monitor: What counts.
        resource: What the metrics are of.
        exporter: None for OTLP over HTTP to where OTEL_EXPORTER_OTLP_ENDPOINT says.
    """

    def __init__(self, monitor: Monitor, *, resource: Resource, exporter: Any = None) -> None:
        self._monitor, self._resource = monitor, resource
        self._exporter = exporter or OTLPMetricExporter()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nexus-otel", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Send a last time, and stop; 2 s at the most."""
        self._stopping.set()
        self._thread.join(2.0)

    def _run(self) -> None:
        while not self._stopping.wait(EVERY):
            self.send()
        self.send()

    def send(self) -> None:
        """Send now; a failure is logged."""
        try:
            self._exporter.export(self.data())
        except Exception:
            LOG.exception("metrics could not be sent by OpenTelemetry")

    def data(self) -> MetricsData:
        """Return all that was counted since this process began, or since `Monitor.reset`."""
        monitor = self._monitor
        monitor.fold()
        counted = [*monitor.counts.since_start.items()]
        began, now = int(monitor.counts.began * 1e9), time.time_ns()
        metrics = [
            _histogram("http.server.request.duration", _served(counted), began, now),
            _histogram("http.client.request.duration", _called(counted), began, now),
            _histogram("db.client.operation.duration", [({}, s) for n, s in counted if n.kind == "db"], began, now),
            _gauge("http.server.active_requests", "{request}", len(monitor.running), now),
            _gauge("process.memory.usage", "By", round(monitor.memory()["rssMB"] * 2**20), now),
            _gauge("process.cpu.utilization", "1", (monitor.cpu() or 0.0) / 100, now),
        ]
        kept = [metric for metric in metrics if metric.data.data_points]
        scopes = [ScopeMetrics(InstrumentationScope(SCOPE), kept, "")]
        return MetricsData([ResourceMetrics(self._resource, scopes, "")])


class Telemetry:
    """Traces and metrics of one process.

    Args:
        monitor: What counts.
        environment: As in the settings.
        release: The app's version; "" if unknown.
    """

    def __init__(self, monitor: Monitor, *, environment: str, release: str) -> None:
        told: Attributes = {"service.instance.id": monitor.counts.name, "deployment.environment.name": environment}
        of = Resource.create(told | ({"service.version": release} if release else {}))
        self.spans = RequestSpans(resource=of)
        self._monitor, self._of = monitor, of
        self._metrics: Metrics | None = None

    def start(self) -> None:
        """Begin to send metrics, in a forked process again."""
        self._metrics = Metrics(self._monitor, resource=self._of)
        self._metrics.start()

    def close(self) -> None:
        """Send what waits."""
        if self._metrics is not None:
            self._metrics.close()
        self.spans.close()


def _served(counted: Iterable[tuple[Name, Stat]]) -> list[tuple[Attributes, Stat]]:
    rows = []
    for name, stat in counted:
        if name.kind == "api":
            method, _, route = name.label.partition(" ")
            known = {"http.request.method": "_OTHER" if method == "OTHER" else method, "http.route": route}
            rows.append(
                (known | ({"error.type": name.status} if name.status == "5xx" else {"status": name.status}), stat)
            )
    return rows


def _called(counted: Iterable[tuple[Name, Stat]]) -> list[tuple[Attributes, Stat]]:
    rows = []
    for name, stat in counted:
        if name.kind == "call":
            method, _, host = name.label.partition(" ")
            rows.append(({"http.request.method": method, "server.address": host}, stat))
    return rows


def _histogram(name: str, rows: Iterable[tuple[Attributes, Stat]], began: int, now: int) -> Metric:
    points = [
        HistogramDataPoint(
            attributes=attributes,
            start_time_unix_nano=began,
            time_unix_nano=now,
            count=stat.count,
            sum=stat.micros / 1e6,
            bucket_counts=[stat.buckets.get(number, 0) for number in range(BUCKETS)],
            explicit_bounds=BOUNDS,
            min=0.0,
            max=stat.longest / 1e6,
        )
        for attributes, stat in rows
    ]
    return Metric(name, "", "s", Histogram(points, AggregationTemporality.CUMULATIVE))


def _gauge(name: str, unit: str, value: float, now: int) -> Metric:
    point = NumberDataPoint(attributes={}, start_time_unix_nano=0, time_unix_nano=now, value=value)
    return Metric(name, "", unit, Gauge([point]))
