"""What the API says of refusals, of the layers that stand around the app, and of the log."""

from __future__ import annotations

import gzip
import json

import pytest

from nexus_middleware.rules.security_events import Event
from nexus_middleware.runtime import Runtime
from nexus_middleware.settings import Settings
from tests.admin.conftest import BEARER


@pytest.fixture(params=["memory", "redis"])
def desk(request, make):
    if request.param == "memory":
        return make()
    return make(store=request.getfixturevalue("redis_url"))


def refuse(desk, *kinds, client="192.0.2.7", **more):
    import time

    for n, kind in enumerate(kinds):
        desk.nexus.security.note(Event(kind, time.time(), client=client, path=f"/{n}", **more))


def test_refusals_are_counted_by_kind_and_by_the_minute(desk):
    refuse(desk, "rate_limited", "rate_limited", "sqli")

    told = desk.json("/security/counts?window=1h")

    assert told["counts"] == {"rate_limited": 2, "sqli": 1}
    assert (told["step"], told["points"][-1]["at"][-1]) == (60, "Z")
    assert sum(sum(point["counts"].values()) for point in told["points"]) == 3
    assert desk.json("/security/counts?window=7d")["step"] == 3600


def test_who_is_limited_most_comes_first(desk):
    refuse(desk, "rate_limited", client="192.0.2.1")
    refuse(desk, "rate_limited", "rate_limited", client="192.0.2.2")

    items = desk.json("/security/limited")["items"]

    assert items == [{"client": "192.0.2.2", "refusals": 2}, {"client": "192.0.2.1", "refusals": 1}]


def test_events_are_filtered_and_go_on_at_the_cursor(desk):
    refuse(desk, "bad_key", "sqli", "bad_key")

    first = desk.json("/security/events?kind=bad_key&limit=1")
    rest = desk.json(f"/security/events?kind=bad_key&limit=1&cursor={first['nextCursor']}")

    paths = [page["items"][0]["path"] for page in (first, rest)]
    assert sorted(paths) == ["/0", "/2"]
    assert desk.problem("/security/events?limit=0")["code"] == "bad_limit"
    assert desk.problem(f"/security/events?client={'1' * 300}")["code"] == "bad_client"


def test_the_reports_of_browsers_are_summed_up(make):
    desk = make(csp_report_path="/csp-reports")
    body = {
        "csp-report": {
            "violated-directive": "img-src",
            "blocked-uri": "https://x.example/a",
            "document-uri": "https://s/c",
        }
    }
    kind = ("content-type", "application/csp-report")
    desk.door.get(desk.nexus, "/csp-reports", method="POST", headers=[kind], body=json.dumps(body).encode())

    (item,) = desk.json("/security/csp")["items"]

    assert (item["directive"], item["blocked"], item["page"], item["count"]) == (
        "img-src",
        "https://x.example",
        "/c",
        1,
    )
    assert item["last"].endswith("Z")


def test_the_posture_is_that_of_the_layers_that_are_mounted(make):
    desk = make(input_guard="shadow", rate_limit="", csp="default-src 'none'", admin_token="short but there")

    told = desk.json("/security/posture", headers=[("authorization", "Bearer short but there")])

    names = {layer["name"]: layer["mode"] for layer in told["layers"]}
    assert names["RateLimit"] == "off" and names["InputGuard"] == "shadow"
    assert told["headers"]["content-security-policy"] == "default-src 'none'"
    assert "content-security-policy" not in told["missing"]
    assert all(finding["code"].startswith("NX") for finding in told["findings"])


def test_of_an_app_that_is_not_known_nothing_is_claimed(make):
    desk = make()
    desk.nexus.runtime.front = Runtime(Settings()).front

    assert desk.json("/security/posture")["state"] == "unknown"


def test_lines_of_the_log_are_for_who_keeps_files(make, tmp_path):
    assert make().json("/logs")["state"] == "disabled"
    desk = make(log_dir=str(tmp_path))
    del desk.nexus.runtime.log.writer.put
    desk.nexus.log.warning("slow upload", seconds=9)
    desk.nexus.log.info("course published <b>")

    told = desk.json("/logs?level=warn")

    assert [line["event"] for line in told["items"]] == ["slow upload"] and told["state"] == "enabled"
    assert [line["event"] for line in desk.json("/logs?q=PUBLISHED")["items"]] == ["course published <b>"]
    assert desk.problem("/logs?level=loud")["code"] == "bad_level"


def test_the_level_of_the_log_is_changed_and_given_back(desk):
    put = {"method": "PUT", "body": {"level": "debug"}}

    assert desk.json("/logs/level") | {"meta": 0} == {"level": "info", "configured": "info", "meta": 0}
    assert desk.json("/logs/level", **put)["level"] == "debug" == desk.nexus.log.level
    assert "admin.log_level" in str(desk.log)
    assert desk.json("/logs/level", method="PUT", body={"level": None})["level"] == "info"
    assert desk.problem("/logs/level", method="PUT", body={"level": "loud"})["code"] == "bad_body"


@pytest.mark.parametrize(("path", "method"), [("/logs", "GET"), ("/logs/level", "GET"), ("/logs/level", "PUT")])
def test_who_may_only_look_reads_no_log(make, path, method):
    desk = make(access=lambda scope: "read_only")
    body = {"level": "debug"} if method == "PUT" else b""
    headers = [("sec-fetch-site", "same-origin")]

    assert desk.problem(path, method=method, body=body, headers=headers)["code"] == "forbidden"


def test_the_last_hour_comes_with_the_overview(desk):
    hour = desk.json("/overview")["hour"]

    assert hour["step"] == 60 and len(hour["memory"]) == len(hour["status"]) == 60
    assert set(hour["status"]) <= {None, "healthy", "degraded", "unhealthy"}


def test_charts_come_alone_and_in_gzip_to_who_takes_it(desk):
    packed = desk.ask("/performance/series", headers=(BEARER, ("accept-encoding", "gzip")))
    plain = desk.ask("/performance/series")

    assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert packed.headers["vary"] == plain.headers["vary"] == "accept-encoding"
    assert len(json.loads(gzip.decompress(packed.body))["points"]) == 60 == len(json.loads(plain.body)["points"])
    assert len(packed.body) < len(plain.body) / 5
