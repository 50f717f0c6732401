"""/metrics: what Prometheus's own parser reads, of all processes, and for administrators alone."""

from __future__ import annotations

import math

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse

from nexus_middleware import Nexus, Settings
from nexus_middleware.rules.exposition import Exposition
from nexus_middleware.services.monitor import Monitor
from nexus_middleware.services.monitor.prometheus import requests
from nexus_middleware.services.monitor.stats import Stat
from tests.admin.conftest import BEARER
from tests.helpers import Origin


def samples(text, parser=parse):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in parser(text)
        for sample in family.samples
    }


def test_prometheus_s_parser_reads_what_all_processes_counted(make, redis_url):
    desk = make(store=redis_url)
    other = Monitor(desk.nexus.runtime.store)
    for _ in range(3):
        other.track_api("GET /courses/{id}", 12, 200)
    other.track_db("SELECT 1", 3)
    other.leave()
    for _ in range(2):
        desk.door.get(desk.nexus, "/courses")

    seen = desk.ask("/metrics")
    told = samples(seen.body.decode())

    assert seen.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    labels = (("method", "GET"), ("route", "/courses/{id}"))
    assert told["nexus_http_requests_total", *labels, ("status", "2xx")] == 3
    assert told["nexus_http_requests_total", ("method", "GET"), ("route", "(no route)"), ("status", "2xx")] == 2
    assert told["nexus_http_request_duration_seconds_count", *labels] == 3
    assert told["nexus_http_request_duration_seconds_sum", *labels] == pytest.approx(0.036)
    assert told["nexus_db_query_duration_seconds_count",] == 1
    assert told["nexus_processes",] == 1
    assert told["nexus_health_status", ("check", "redis")] == 0
    assert told["nexus_queue_jobs", ("queue", "email-queue"), ("state", "waiting")] == 45


def test_a_counter_never_falls_when_its_process_ends(make, redis_url):
    desk = make(store=redis_url)
    for _ in range(3):
        other = Monitor(desk.nexus.runtime.store)
        other.track_api("GET /a", 12, 200)
        other.leave()
    key = ("nexus_http_requests_total", ("method", "GET"), ("route", "/a"), ("status", "2xx"))
    assert samples(desk.ask("/metrics").body.decode())[key] == 3


def test_the_buckets_of_a_histogram_add_up(make):
    desk = make()
    for ms in (0.05, 3, 50, 700, 200_000):
        desk.nexus.monitor.track_api("GET /a", ms, 200)
    told = samples(desk.ask("/metrics").body.decode())
    buckets = {
        float(dict(labels)["le"]): value
        for (name, *labels), value in told.items()
        if name == "nexus_http_request_duration_seconds_bucket"
    }
    assert [buckets[bound] for bound in sorted(buckets)] == sorted(buckets.values())
    assert buckets[0.0001] == 1
    assert buckets[math.inf] == 5
    assert max(bound for bound in buckets if bound < math.inf) == pytest.approx(52.4288)


def test_who_accepts_openmetrics_gets_it_with_request_ids_for_exemplars():
    page = Exposition(open_metrics=True)
    stat = Stat()
    stat.take([0.01, 1.5], failed=False, slow=1.0)
    slow = [{"method": "GET", "route": "/a", "requestId": "r1", "ms": 1500.0, "at": 1_790_000_000.0}]
    requests(page, {("api", "GET /a", "2xx"): stat}, slow)

    families = {family.name: family for family in parse_open(page.text())}

    marked = [x for x in families["nexus_http_request_duration_seconds"].samples if x.exemplar]
    assert [(x.labels["le"], x.exemplar.labels, x.exemplar.value) for x in marked] == [
        ("1.6384", {"request_id": "r1"}, 1.5)
    ]


def test_openmetrics_is_read_as_a_whole(make):
    desk = make()
    desk.nexus.monitor.track_api("GET /a", 5, 200)
    seen = desk.ask("/metrics", headers=(BEARER, ("accept", "application/openmetrics-text; version=1.0.0")))
    assert seen.headers["content-type"].startswith("application/openmetrics-text")
    assert samples(seen.body.decode(), parse_open)["nexus_processes",] == 1


def test_what_clients_send_breaks_no_line(make):
    desk = make()
    desk.nexus.monitor.track_api('GET /a"b\\c\nd} 7', 5, 200)
    told = samples(desk.ask("/metrics").body.decode())
    assert told["nexus_http_requests_total", ("method", "GET"), ("route", '/a"b\\c\nd} 7'), ("status", "2xx")] == 1


def test_it_stands_at_a_path_of_its_own_for_administrators_alone(make):
    desk = make()
    assert desk.door.get(desk.nexus, "/metrics").status == 401
    assert desk.door.get(desk.nexus, "/metrics", headers=[BEARER]).status == 200
    assert desk.door.get(desk.nexus, "/metrics/x", headers=[BEARER]).status == 404


def test_while_nobody_has_access_the_path_is_the_app_s(asgi_door):
    app = Origin()
    nexus = Nexus(app.asgi, Settings(log_level="error"))
    assert asgi_door.get(nexus, "/metrics").body == b"ok"
    asgi_door.loop.run_until_complete(nexus.runtime.aclose())


def test_while_redis_is_away_this_process_s_own_counts_are_told(make, own_server):
    desk = make(store=own_server.url)
    desk.door.get(desk.nexus, "/a")
    own_server.stop()
    told = samples(desk.ask("/metrics").body.decode())
    assert told["nexus_http_requests_total", ("method", "GET"), ("route", "(no route)"), ("status", "2xx")] == 1
    assert told["nexus_health_status", ("check", "redis")] in (0, 1)
    assert not any(name.startswith("nexus_cache") for name, *_ in told)
