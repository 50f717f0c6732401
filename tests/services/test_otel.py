"""OpenTelemetry: a collector receives a span for each request, and what was counted, under the conventions' names."""

from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from nexus_middleware import Nexus, Settings
from nexus_middleware.middleware.tracing import Tracing
from nexus_middleware.services.monitor import Monitor
from nexus_middleware.services.monitor.otel import RequestSpans
from tests.helpers import Answer, Origin

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def collector(monkeypatch):
    """A stub of the collector, which keeps what it is sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            received.append((self.path, body))
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            return

    received = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    yield received
    server.shutdown()
    server.server_close()


def values(attributes):
    return {each.key: each.value.string_value or each.value.int_value for each in attributes}


def test_a_collector_receives_spans_and_histograms(collector, asgi_door):
    nexus = Nexus(Origin().asgi, Settings(otel=True, release="7.1", log_level="error"))
    asgi_door.loop.run_until_complete(nexus._start())
    asgi_door.get(nexus, "/a", headers=[("traceparent", PARENT), ("x-request-id", "r1")])
    asgi_door.get(nexus, "/b")
    asgi_door.loop.run_until_complete(nexus.runtime.aclose())

    bodies = dict(collector)
    (spans,) = ExportTraceServiceRequest.FromString(bodies["/v1/traces"]).resource_spans
    first = spans.scope_spans[0].spans[0]
    assert values(spans.resource.attributes)["service.name"] == "shop"
    assert values(spans.resource.attributes)["service.version"] == "7.1"
    assert first.trace_id.hex() == PARENT.split("-")[1]
    assert first.parent_span_id.hex() == PARENT.split("-")[2]
    assert values(first.attributes)["http.request.method"] == "GET"
    assert values(first.attributes)["http.response.status_code"] == 200
    assert first.kind == 2
    (metrics,) = ExportMetricsServiceRequest.FromString(bodies["/v1/metrics"]).resource_metrics
    told = {metric.name: metric for metric in metrics.scope_metrics[0].metrics}
    (point,) = told["http.server.request.duration"].histogram.data_points
    assert (point.count, sum(point.bucket_counts), len(point.bucket_counts)) == (2, 2, 81)
    assert told["http.server.request.duration"].unit == "s"
    assert told["process.memory.usage"].gauge.data_points[0].as_int > 2**20


@pytest.fixture
def spans():
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter, RequestSpans(provider), provider.get_tracer("app")


def test_what_the_app_does_is_within_the_request_s_span(door, spans):
    exporter, made, tracer = spans

    def say(path, headers):
        with tracer.start_as_current_span("inner"):
            return Answer()

    app = Tracing(door.app(Origin(say)), spans=made)
    for _ in range(2):
        assert door.get(app).status == 200

    inner, outer, inner_2, outer_2 = exporter.get_finished_spans()
    assert inner.parent.span_id == outer.context.span_id
    assert inner_2.parent.span_id == outer_2.context.span_id
    assert outer.parent is None
    assert outer_2.parent is None
    assert outer.context.trace_id != outer_2.context.trace_id
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_request_that_fails_is_a_span_with_an_error(door, spans):
    exporter, made, _ = spans
    app = Tracing(door.app(Origin(lambda path, headers: Answer(fails=True))), spans=made)
    with contextlib.suppress(RuntimeError):
        door.get(app)
    (span,) = exporter.get_finished_spans()
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.attributes["error.type"] == "RuntimeError"


def test_a_broken_traceparent_begins_a_new_trace(door, spans):
    exporter, made, _ = spans
    app = Tracing(door.app(Origin()), spans=made)
    door.get(app, headers=[("traceparent", "00-zz-\x7f")])
    assert exporter.get_finished_spans()[0].parent is None


def test_what_is_reset_begins_anew():
    from opentelemetry.sdk.resources import Resource

    from nexus_middleware.services.monitor.otel import Metrics

    monitor = Monitor()
    monitor.track_api("GET /a", 5, 200)
    metrics = Metrics(monitor, resource=Resource.create({}), exporter=object())
    before = metrics.data().resource_metrics[0].scope_metrics[0].metrics[0].data.data_points[0]
    monitor.reset()
    monitor.track_api("GET /a", 5, 500)
    after = metrics.data().resource_metrics[0].scope_metrics[0].metrics[0].data.data_points[0]
    assert (before.count, after.count) == (1, 1)
    assert after.start_time_unix_nano > before.start_time_unix_nano
    assert after.attributes["error.type"] == "5xx"


def test_a_collector_that_is_gone_is_logged_and_nothing_else(caplog):
    from opentelemetry.sdk.resources import Resource

    from nexus_middleware.services.monitor.otel import Metrics

    class Gone:
        def export(self, data):
            raise OSError("nobody is there")

    Metrics(Monitor(), resource=Resource.create({}), exporter=Gone()).send()
    assert "could not be sent" in caplog.text
