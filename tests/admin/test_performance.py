"""What was measured, in the API: of all processes with Redis, of this one without."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["memory", "redis"])
def desk(request, make):
    if request.param == "memory":
        return make()
    return make(store=request.getfixturevalue("redis_url"))


def test_charts_have_a_point_for_every_step_and_say_of_whom(desk, request):
    for _ in range(3):
        desk.nexus.monitor.track_api("GET /courses", 12.5, 200)

    told = desk.json("/performance?window=15m")

    assert (told["step"], len(told["points"])) == (10, 90)
    assert sum(point["requests"] for point in told["points"]) in (0, 3)  # with Redis they are told a moment later
    assert told["points"][-1]["partial"] and told["points"][0]["at"].endswith("Z")
    assert told["meta"]["scope"] == ("cluster" if "redis" in request.node.name else "process")


@pytest.mark.parametrize("part", ["endpoints", "queries", "timers", "calls", "connections", "slow", "errors"])
def test_every_part_is_a_list(desk, part):
    told = desk.json(f"/performance/{part}")

    assert told["items"] == [] and told["total"] == 0 and told["nextCursor"] is None


def test_an_endpoint_is_told_with_its_histogram(make):
    desk = make()
    desk.nexus.monitor.track_api("GET /courses/{id}", 12.5, 200)

    told = desk.json("/performance/endpoint?endpoint=GET%20/courses/%7Bid%7D&window=15m")

    assert (told["endpoint"], told["count"], sum(count for _, count in told["histogram"])) == (
        "GET /courses/{id}",
        1,
        1,
    )


def test_errors_are_told_without_values(make):
    desk, secret = make(), "password=" + "hunter" + "2"
    with pytest.raises(RuntimeError) as raised:
        raise RuntimeError(secret)
    desk.nexus.monitor.track_error(raised.value, endpoint="GET /", request_id="r-1")

    (item,) = desk.json("/performance/errors")["items"]

    assert (item["type"], item["count"], item["requestId"]) == ("RuntimeError", 1, "r-1")
    assert "hunter2" not in str(item)


def test_processes_are_listed(desk):
    (process,) = desk.json("/processes")["items"]

    assert process["rssMB"] > 0


def test_an_alert_is_listed_and_muted_and_one_that_is_not_there_is_a_404(make):
    desk = make()
    from nexus_middleware.services.monitor.alerts import Alert

    desk.nexus.monitor.alerts._mine["memory"] = Alert("memory", "warning", "Memory is 85 %", 85.0, 1_700_000_000.0)

    (alert,) = desk.json("/alerts")["items"]
    assert (alert["code"], alert["on"], alert["mutedUntil"]) == ("memory", True, None)
    assert desk.json("/alerts/memory/mute", method="POST")["seconds"] == 3600
    assert desk.json("/alerts")["items"][0]["mutedUntil"]
    assert desk.json("/alerts/memory/mute", method="POST", body={"seconds": 0})["seconds"] == 0
    assert desk.problem("/alerts/none/mute", method="POST")["status"] == 404
    assert desk.problem("/alerts/memory/mute", method="POST", body={"seconds": -1})["code"] == "bad_body"


@pytest.mark.parametrize(
    "path",
    ["/performance?window=1y", "/performance/queries?window=", "/performance/endpoint", "/performance/slow?limit=x"],
)
def test_what_cannot_be_asked_is_a_problem(desk, path):
    assert desk.problem(path)["status"] == 400
