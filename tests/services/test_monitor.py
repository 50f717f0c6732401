"""Monitor: what it counts, over one process and over all, and what it calls healthy."""

import asyncio

import pytest

from nexus_middleware.errors import StoreError
from nexus_middleware.rules.buckets import bound, bucket
from nexus_middleware.rules.health import Judge, Threshold
from nexus_middleware.services.monitor import Monitor, PerformanceTimer
from nexus_middleware.services.monitor.machine import Machine
from nexus_middleware.services.monitor.timings import OTHER, Timings, summary
from nexus_middleware.stores.redis import RedisStore


class Request:
    method, scheme = "GET", "http"

    def __init__(self, route="/items/{id}", scheme="http"):
        self.route, self.scheme = route, scheme


def test_requests_are_counted_by_the_template_of_their_route():
    monitor = Monitor()
    for status in (200, 200, 503):
        monitor.record(Request(), status, 0.010, 0.002)
    monitor.record(Request(route=""), 404, 0.001, 0.001)
    stats = monitor.api_stats()
    assert stats["GET /items/{id}"] == {"count": 3, "errors": 1, "slow": 0, "avg": 10.0, "max": 10.0}
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
    timings = Timings(slow=1.0)
    for ms in range(1, 1001):
        timings.add("x", ms / 1000, failed=False)
    told = summary(timings.recent())
    assert told.p50 == pytest.approx(500, rel=0.09)
    assert told.p95 == pytest.approx(950, rel=0.09)
    assert told.mean == pytest.approx(500.5)
    assert told.slow == 1


@pytest.mark.parametrize("seconds", [0.0001, 0.00012, 0.0034, 0.1, 1.0, 9.99, 119.0])
def test_a_bucket_holds_what_is_put_into_it(seconds):
    number = bucket(seconds)
    assert seconds <= bound(number) * (1 + 1e-9)
    assert number == 0 or seconds > bound(number - 1) * (1 - 1e-9)


def test_what_is_older_than_five_minutes_leaves_the_window_and_not_the_count(clock):
    timings = Timings(slow=1.0, clock=clock)
    timings.add("x", 0.1, failed=True)
    clock.now += 299
    assert timings.recent().count == 1
    clock.now += 20
    assert timings.recent().count == 0
    assert timings.total == 1


def test_labels_are_bounded():
    timings = Timings(slow=1.0, labels=3)
    for i in range(10):
        timings.add(f"/{i}", 0.1, failed=False)
    rows = timings.rows()
    assert len(rows) == 4
    assert rows[OTHER]["count"] == 7


def test_queries_count_by_their_shape_and_keep_no_value():
    monitor = Monitor()
    monitor.track_db("SELECT * FROM users WHERE email = 'ada@example.test'", 12)
    monitor.track_db("SELECT * FROM users WHERE email = 'emmy@example.test'", 800)
    assert monitor.db_stats() == {
        "SELECT * FROM users WHERE email = ?": {"count": 2, "errors": 0, "slow": 1, "avg": 406.0, "max": 800.0}
    }
    assert monitor.health()["database"]["queryCount"] == 2


def test_measure_notes_a_failure_and_lets_it_go_on():
    monitor = Monitor()
    assert monitor.measure("sum", lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        monitor.measure("sum", lambda: 1 // 0)
    assert monitor.api_stats()["sum"]["errors"] == 1


def test_a_timer_tells_its_marks_in_milliseconds(clock):
    timer = PerformanceTimer("import", clock=clock)
    clock.now += 0.25
    assert timer.mark("parsed") == 250
    clock.now += 0.75
    timing = timer.end()
    clock.now += 9
    assert (timing.total, timing.marks) == (1000, {"parsed": 250})
    assert timer.end() == timing


def test_all_processes_are_counted_and_one_that_is_gone_is_not(redis_url, clock, monkeypatch):
    first, second = (Monitor(RedisStore(redis_url, budget=5), clock=clock) for _ in range(2))
    names = iter(["host:1", "host:2"] * 50)
    monkeypatch.setattr("nexus_middleware.services.monitor._name", lambda: current[0])
    current = [next(names)]
    for _ in range(30):
        first.track_api("GET /", 10, 200)
    first.tick(clock.now)
    current[0] = "host:2"
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


def test_a_peak_is_no_verdict_and_a_lasting_one_is():
    judge = Judge((Threshold("cpu", "CPU", "%", 80, 95, 60),))
    assert [judge.checks({"cpu": 99}, now)[0].status for now in (0, 59, 60)] == ["healthy", "healthy", "unhealthy"]
    assert judge.checks({"cpu": 50}, 61)[0].status == "healthy"
    assert judge.checks({"cpu": 99}, 62)[0].status == "healthy"
    assert judge.checks({"cpu": None}, 63)[0].text == "CPU: not measured yet"


def test_the_processor_s_share_is_unknown_before_the_second_sample():
    machine = Machine()
    assert machine.percent is None
    machine.sample()
    assert machine.percent is None
    machine.sample()
    assert 0 <= machine.percent <= 100
