"""Monitor: what it counts, over one process and over all, and what it calls healthy."""

import asyncio
import math
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus_middleware.errors import StoreError
from nexus_middleware.rules.buckets import bound, bucket, percentile
from nexus_middleware.services.monitor import Monitor, PerformanceTimer
from nexus_middleware.services.monitor.intake import OTHER
from nexus_middleware.services.monitor.machine import Machine
from nexus_middleware.services.monitor.stats import Stat, total
from nexus_middleware.stores.redis import RedisStore


class Request:
    client, request_id = "203.0.113.7", "r1"

    def __init__(self, route="/items/{id}", scheme="http", method="GET", **notes):
        self.route, self.scheme, self.method, self.notes = route, scheme, method, notes


def test_requests_are_counted_by_the_template_of_their_route():
    monitor = Monitor()
    for status in (200, 200, 503):
        monitor.record(Request(), status, 0.010, 0.002)
    monitor.record(Request(route=""), 404, 0.001, 0.001)
    stats = monitor.api_stats()
    row = stats["GET /items/{id}"]
    assert (row["count"], row["errors"], row["slow"], row["avg"], row["max"]) == (3, 1, 0, 10.0, 10.0)
    assert stats["GET (no route)"]["count"] == 1
    assert monitor.health()["api"]["requestCount"] == 4


def test_a_websocket_is_no_request_with_a_response_time():
    monitor = Monitor()
    monitor.record(Request(scheme="ws"), 101, 60.0, None)
    assert monitor.health()["api"]["requestCount"] == 0


def test_health_has_the_fields_of_its_documented_shape():
    health = Monitor().health()
    assert set(health) >= {"status", "memory", "cpu", "uptime", "api", "database", "checks", "reasons"}
    assert set(health["memory"]) >= {"rssMB", "heapUsedMB", "limitMB", "percent"}
    assert 0 < health["memory"]["heapUsedMB"] <= health["memory"]["rssMB"] < health["memory"]["limitMB"]
    assert health["api"]["requestCount"] == 0
    assert health["api"]["avgResponseTime"] == 0


def test_percentiles_are_within_nine_percent():
    stat = Stat()
    stat.take([ms / 1000 for ms in range(1, 1001)], failed=False, slow=1.0)
    assert stat.ms(0.5) == pytest.approx(500, rel=0.091)
    assert stat.ms(0.95) == pytest.approx(950, rel=0.091)
    assert stat.mean == 500.5
    assert (stat.slow, stat.longest) == (1, 1_000_000)


@given(st.lists(st.floats(0.0001, 80), min_size=1, max_size=300), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_is_at_most_nine_percent_from_the_exact_one(seconds, share):
    stat = Stat()
    stat.take(seconds, failed=False, slow=1.0)
    exact = sorted(seconds)[math.ceil(share * len(seconds) - 1e-9) - 1]
    assert percentile(stat.buckets, share) == pytest.approx(exact, rel=0.0906)


@given(st.lists(st.lists(st.floats(0, 200), min_size=1, max_size=50), min_size=1, max_size=5))
def test_what_processes_counted_adds_up_to_what_one_would_have_counted(parts):
    each = []
    for part in parts:
        each.append(Stat())
        each[-1].take(part, failed=True, slow=1.0)
    whole, one = total(each), Stat()
    one.take([x for part in parts for x in part], failed=True, slow=1.0)
    assert whole.buckets == one.buckets
    assert (whole.count, whole.errors, whole.slow, whole.longest) == (one.count, one.errors, one.slow, one.longest)
    assert whole.micros == pytest.approx(one.micros, abs=len(parts))


@pytest.mark.parametrize("seconds", [0.0001, 0.00012, 0.0034, 0.1, 1.0, 9.99, 99.0])
def test_a_bucket_holds_what_is_put_into_it(seconds):
    number = bucket(seconds)
    assert seconds <= bound(number) * (1 + 1e-9)
    assert number == 0 or seconds > bound(number - 1) * (1 - 1e-9)


def test_there_are_81_buckets():
    assert {bucket(10 ** (exponent / 50)) for exponent in range(-300, 200)} == set(range(81))


def test_what_is_older_than_five_minutes_leaves_the_window_and_not_the_count(clock):
    monitor = Monitor(clock=clock)
    monitor.track_api("GET /", 100, 500)
    monitor.fold()
    clock.now += 290
    assert monitor.counts.recent("api", clock.now).count == 1
    clock.now += 30
    assert monitor.counts.recent("api", clock.now).count == 0
    assert monitor.health()["api"]["requestCount"] == 1


def test_labels_are_bounded_whatever_clients_send(monkeypatch):
    monkeypatch.setattr("nexus_middleware.services.monitor.intake.LABELS", 3)
    monitor = Monitor()
    for i in range(10):
        monitor.record(Request(route=f"/{i}"), 200, 0.1, 0.1)
        monitor.record(Request(route="/0", method=f"M{i}"), 200, 0.1, 0.1)
    rows = monitor.api_stats()
    assert len(rows) == 4
    assert sum(row["count"] for row in rows.values()) == 20
    assert rows["OTHER /0"]["count"] == 10
    assert rows[OTHER]["count"] == 8
    assert len(monitor.counts.intake.requests) == 2


def test_no_measurement_is_lost_between_threads(clock):
    monitor = Monitor(clock=clock)

    def work():
        for _ in range(12_000):
            monitor.record(Request(), 200, 0.001, 0.001)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        monitor.tick(clock.now)
        clock.now += 1
    assert monitor.api_stats()["GET /items/{id}"]["count"] == 48_000
    assert monitor.health()["api"]["requestCount"] == 48_000


def test_queries_count_by_their_shape_and_keep_no_value():
    monitor = Monitor()
    monitor.track_db("SELECT * FROM users WHERE email = 'ada@example.test'", 12)
    monitor.track_db("SELECT * FROM users WHERE email = 'emmy@example.test'", 800)
    ((query, row),) = monitor.db_stats().items()
    assert query == "SELECT * FROM users WHERE email = ?"
    assert (row["count"], row["errors"], row["slow"], row["avg"], row["max"]) == (2, 0, 1, 406.0, 800.0)
    assert monitor.health()["database"]["queryCount"] == 2


def test_measure_notes_a_failure_and_lets_it_go_on():
    monitor = Monitor()
    assert monitor.measure("sum", lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        monitor.measure("sum", lambda: 1 // 0)
    assert monitor.timer_stats()["sum"]["errors"] == 1


def test_a_timer_tells_its_marks_in_milliseconds(clock):
    timer = PerformanceTimer("import", clock=clock)
    clock.now += 0.25
    assert timer.mark("parsed") == 250
    clock.now += 0.75
    timing = timer.end()
    clock.now += 9
    assert (timing.total, timing.marks) == (1000, {"parsed": 250})
    assert timer.end() == timing


def test_all_processes_are_counted_and_one_that_is_gone_is_not(redis_url, clock):
    first, second = (Monitor(RedisStore(redis_url, budget=5), clock=clock) for _ in range(2))
    for _ in range(30):
        first.track_api("GET /", 10, 200)
    first.tick(clock.now)
    for _ in range(10):
        second.track_api("GET /", 30, 500)
    second.tick(clock.now)
    health = second.health()
    assert health["api"]["requestCount"] == 40
    assert health["api"]["avgResponseTime"] == 15
    assert health["api"]["errorRate"] == 25
    assert health["processes"] == 2
    clock.now += 60
    second.tick(clock.now)
    assert second.health()["processes"] == 1
    assert second.health()["api"]["requestCount"] == 40
    second.leave()
    first.leave()


def test_what_was_not_told_while_the_store_was_down_is_told_after(own_server, clock):
    monitor = Monitor(RedisStore(own_server.url, budget=5), clock=clock)
    monitor.track_api("GET /", 10, 200)
    own_server.stop()
    with pytest.raises(StoreError):
        monitor.tick(clock.now)
    down = asyncio.run(monitor.ahealth())
    assert down["api"]["requestCount"] == 1
    assert down["status"] == "degraded"
    assert any("does not answer since" in reason for reason in down["reasons"])
    own_server.start()
    clock.now += 10
    up = Monitor(RedisStore(own_server.url + "?", budget=5), clock=clock)
    up.tick(clock.now)
    assert up.health()["status"] == "healthy"


def test_the_processor_s_share_is_unknown_before_the_second_sample():
    machine = Machine()
    assert machine.percent is None
    machine.sample()
    assert machine.percent is None
    machine.sample()
    assert 0 <= machine.percent <= 100
