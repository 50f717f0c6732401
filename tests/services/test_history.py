"""History: what was measured is there for hours and days, for all processes, after a restart and in an outage."""

import pytest

from nexus_middleware.errors import SettingsError, StoreError
from nexus_middleware.http import CURRENT
from nexus_middleware.services.monitor import Monitor
from nexus_middleware.stores.redis import RedisStore
from tests.services.test_monitor import Request


@pytest.fixture
def start(redis_url, clock):
    def start():
        made.append(Monitor(RedisStore(redis_url, budget=5), clock=clock))
        return made[-1]

    made = []
    yield start
    for monitor in made:
        monitor.store.close()


def flush(monitor, clock):
    clock.now += 2
    monitor.tick(clock.now)


def test_every_process_is_in_the_charts_and_after_its_end_too(start, clock):
    first, second = start(), start()
    for _ in range(3):
        first.track_api("GET /a", 10, 200)
    second.track_api("GET /a", 40, 503)
    flush(first, clock)
    first.leave()
    flush(second, clock)

    told = start().history.series("15m")

    requests = [point for point in told["points"] if point["requests"]]
    assert (told["scope"], told["step"], len(told["points"])) == ("cluster", 10, 90)
    assert sum(point["requests"] for point in requests) == 4
    assert requests[-1]["statuses"] == {"2xx": 3, "5xx": 1}
    assert told["points"][-1]["partial"] is True
    assert sum(p["requests"] for p in second.history.series("15m", process=second.counts.name)["points"]) == 1


@pytest.mark.parametrize("window", ["15m", "1h", "6h", "24h", "7d"])
def test_each_window_has_every_request_in_its_own_ring(start, clock, window):
    monitor = start()
    for _ in range(4):
        monitor.track_api("GET /a", 10, 200)
        flush(monitor, clock)
        clock.now += 31
    assert sum(point["requests"] for point in monitor.history.series(window)["points"]) == 4
    assert monitor.history.endpoints(window)["items"][0]["count"] == 4


def test_the_rings_end_by_themselves(start, clock, redis_server):
    monitor = start()
    monitor.track_api("GET /a", 10, 200)
    flush(monitor, clock)
    keys = [
        key.decode() for key in redis_server.client.keys("*monitor:slots:*") + redis_server.client.keys("*labels:*")
    ]
    ends = {key.split(":")[4] + key.split(":")[3]: redis_server.client.ttl(key) for key in keys}
    assert ends == {
        "10slots": pytest.approx(4200, abs=2),
        "60slots": pytest.approx(25_200, abs=2),
        "300slots": pytest.approx(90_000, abs=2),
        "1800slots": pytest.approx(691_200, abs=2),
        "60labels": pytest.approx(25_200, abs=2),
        "300labels": pytest.approx(90_000, abs=2),
        "1800labels": pytest.approx(691_200, abs=2),
    }


def test_an_endpoint_has_its_histograms_and_its_share(start, clock):
    monitor = start()
    for ms in (10, 10, 80):
        monitor.record(Request("/a"), 200, ms / 1000, 0.001)
    monitor.record(Request("/b"), 404, 0.1, 0.1)
    flush(monitor, clock)

    rows = monitor.history.endpoints("1h")["items"]
    one = monitor.history.endpoint("GET /a", "1h")

    assert [(row["endpoint"], row["count"], row["share"]) for row in rows] == [("GET /a", 3, 0.5), ("GET /b", 1, 0.5)]
    assert rows[1]["statuses"] == {"4xx": 1}
    assert sum(count for _, count in one["histogram"]) == 3
    assert one["firstByte"]["avg"] == 1.0
    assert (one["max"], monitor.history.endpoint("GET /none", "1h")["count"]) == (80.0, 0)


def test_what_is_told_twice_counts_once(start, clock):
    monitor = start()
    monitor.track_api("GET /a", 10, 200)
    monitor.fold()
    real, lost = monitor.store.run, []

    def answer_gets_lost(commands):
        answers = real(commands)
        if not lost:
            lost.append(answers)
            raise StoreError("the answer came too late")
        return answers

    monitor.store.run = answer_gets_lost
    clock.now += 2
    with pytest.raises(StoreError):
        monitor.tick(clock.now)
    monitor.track_api("GET /a", 10, 200)
    flush(monitor, clock)

    assert monitor.health()["api"]["requestCount"] == 2
    assert monitor.history.endpoints("1h")["items"][0]["count"] == 2
    assert sum(point["requests"] for point in monitor.history.series("15m")["points"]) == 2


def test_what_is_killed_loses_one_flush_at_most(start, clock):
    monitor = start()
    for _ in range(5):
        monitor.track_api("GET /a", 10, 200)
        flush(monitor, clock)
    monitor.track_api("GET /a", 10, 200)  # and now it is killed: nothing more is told
    assert start().history.endpoints("1h")["items"][0]["count"] == 5


def test_while_redis_is_away_this_process_s_own_history_is_shown(own_server, clock):
    monitor = Monitor(RedisStore(own_server.url, budget=5), clock=clock)
    monitor.track_api("GET /a", 10, 200)
    flush(monitor, clock)
    assert monitor.history.endpoints("1h")["scope"] == "cluster"
    own_server.stop()
    monitor.track_api("GET /a", 10, 200)
    with pytest.raises(StoreError):
        flush(monitor, clock)
    told = monitor.history.endpoints("1h")
    assert (told["scope"], told["items"][0]["count"]) == ("process", 2)
    assert sum(point["requests"] for point in monitor.history.series("15m")["points"]) == 2
    monitor.store.close()


def test_in_memory_it_is_this_process_s_history(clock):
    monitor = Monitor(clock=clock)
    monitor.track_api("GET /a", 10, 200)
    assert monitor.history.endpoints("7d")["scope"] == "process"
    assert monitor.history.endpoints("7d")["items"][0]["count"] == 1


def test_an_outage_is_bounded_and_what_is_dropped_is_counted(own_server, clock, monkeypatch):
    monkeypatch.setattr("nexus_middleware.services.monitor.outbox.MOST_MINUTES", 5)
    monitor = Monitor(RedisStore(own_server.url, budget=5), clock=clock)
    own_server.stop()
    for _ in range(9):
        monitor.track_api("GET /a", 10, 200)
        monitor.fold()
        clock.now += 60
    assert monitor._snapshot().dropped == 4


def test_streams_and_websockets_have_no_response_time(clock):
    monitor = Monitor(clock=clock)
    monitor.record(Request("/live", scheme="ws"), 101, 60.0, None)
    monitor.record(Request("/events", noted="stream"), 200, 30.0, 0.001)
    monitor.record(Request("/a"), 200, 0.01, 0.01)
    assert monitor.health()["api"]["p99"] < 12
    rows = {row["name"]: (row["kind"], row["avg"]) for row in monitor.history.connections("1h")["items"]}
    assert rows == {"/live": ("websocket", 60_000.0), "/events": ("stream", 30_000.0)}


def test_a_query_sent_ten_times_in_one_request_is_marked_with_where(start, clock):
    monitor = start()
    request = Request("/courses")
    CURRENT.set(request)
    for number in range(12):
        monitor.track_db(f"SELECT * FROM lessons WHERE course = {number}", 2)
    monitor.track_db("SELECT * FROM courses", 5)
    monitor.record(request, 200, 1.5, 1.4)
    CURRENT.set(None)
    flush(monitor, clock)

    rows = {row["query"]: row["repeated"] for row in monitor.history.queries("1h")["items"]}
    slow = monitor.history.slow()["items"][0]

    assert rows["SELECT * FROM lessons WHERE course = ?"] == [{"endpoint": "GET /courses", "requests": 1, "most": 12}]
    assert rows["SELECT * FROM courses"] == []
    assert (slow["method"], slow["route"], slow["ms"], slow["dbMs"], slow["dbCount"]) == (
        "GET",
        "/courses",
        1500,
        29,
        13,
    )
    assert slow["requestId"] == "r1"


def test_a_window_that_there_is_not_is_refused_with_those_there_are():
    with pytest.raises(SettingsError, match="15m, 1h, 6h, 24h, 7d"):
        Monitor().history.series("2h")
