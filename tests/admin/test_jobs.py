"""Single jobs, workers and schedules in the API, over a real Redis."""

from __future__ import annotations

import csv
import json

import pytest

from nexus_middleware.services.queues import Queues
from nexus_middleware.settings import Settings
from tests.services.jobs import run_one


@pytest.fixture
def queues(redis_url):
    made = Queues(redis_url, settings=Settings(store=redis_url))
    yield made
    made.close()


@pytest.fixture
def desk(make, redis_url, queues):
    return make(store=redis_url, queues=queues)


def fill(queues, count):
    return [queues.queue_notification(user_id=str(n), type="t", title=f"Title {n}", message="m") for n in range(count)]


def test_the_jobs_of_a_queue_come_in_pages_newest_first(desk, queues):
    ids = fill(queues, 5)

    first = desk.json("/queues/notifications-queue/jobs?limit=2")
    rest = desk.json(f"/queues/notifications-queue/jobs?limit=9&cursor={first['nextCursor']}")

    assert [job["id"] for job in first["items"] + rest["items"]] == ids[::-1]
    assert (first["total"], rest["nextCursor"]) == (5, None)
    assert desk.json("/queues/notifications-queue/jobs?q=Title%203")["items"][0]["id"] == ids[3]
    assert desk.json("/queues/notifications-queue/jobs?state=failed")["items"] == []


def test_a_job_is_told_without_its_secrets(desk, queues):
    @queues.job("login", queue="own-queue")
    def login(user, password): ...

    ident = queues.enqueue("login", user="ann", password="hunter2")

    seen = desk.ask(f"/jobs/{ident}")

    assert b"hunter2" not in seen.body
    assert json.loads(seen.body)["job"]["payload"]["user"] == "ann"


def test_a_job_is_canceled_retried_and_deleted_and_each_is_in_the_audit_log(desk, queues):
    (ident,) = fill(queues, 1)

    assert desk.json(f"/jobs/{ident}/cancel", method="POST")["state"] == "canceled"
    assert desk.json(f"/jobs/{ident}/retry", method="POST")["success"]
    assert desk.problem(f"/jobs/{ident}/retry", method="POST")["status"] == 409
    assert desk.json(f"/jobs/{ident}", method="DELETE")["success"]
    assert desk.problem(f"/jobs/{ident}", method="DELETE")["status"] == 404
    assert [x["event"] for x in desk.log if x.get("target") == ident] == [
        "admin.job_cancel",
        "admin.job_retry",
        "admin.job_delete",
    ]


def test_many_jobs_at_once_need_the_right_of_what_is_done(make, redis_url, queues):
    ids = fill(queues, 3)
    reader = make(store=redis_url, queues=queues, access=lambda scope: {"view", "queues:retry"})
    body = {"action": "delete", "ids": ids}
    same = (("sec-fetch-site", "same-origin"),)

    assert reader.problem("/jobs:bulk", method="POST", body=body, headers=same)["code"] == "forbidden"
    owner = make(store=redis_url, queues=queues)
    assert owner.json("/jobs:bulk", method="POST", body=body) == {"success": True, "count": 3}


@pytest.mark.parametrize(
    "body", [{"action": "run", "ids": ["a"]}, {"action": "retry", "ids": []}, {"action": "retry", "ids": ["../x"]}, {}]
)
def test_a_bulk_that_does_not_fit_is_refused(desk, body):
    assert desk.problem("/jobs:bulk", method="POST", body=body)["code"] == "bad_body"


def test_a_queue_is_emptied_only_if_it_is_about_as_long_as_was_shown(desk, queues):
    fill(queues, 5)

    why = desk.problem("/queues/notifications-queue/empty?expected=3", method="POST")
    assert (why["code"], why["matched"]) == ("count_changed", 5)
    assert desk.json("/queues/notifications-queue/empty?expected=5", method="POST")["count"] == 5


def test_how_a_queue_went_is_told_by_the_minute(desk):
    told = desk.json("/queues/email-queue/history?window=15m")

    assert (told["step"], len(told["points"])) == (60, 15)


def test_how_all_queues_went_is_told_at_once_and_read_once_for_all_who_look(desk, queues, monkeypatch):
    fill(queues, 2)
    run_one(queues)
    run_one(queues, "failed")
    readings, read = [], queues.board.athroughput

    async def counted(names, *, window):
        readings.append(window)
        return await read(names, window=window)

    monkeypatch.setattr(queues.board, "athroughput", counted)
    told = [desk.json("/queues/throughput?window=6h")["queues"] for _ in range(2)]

    assert (readings, told[0]) == ([6 * 3600], told[1])
    assert told[0].keys() == desk.json("/queues")["stats"].keys()
    ends = told[0]["notifications-queue"]
    assert (len(ends["done"]), sum(ends["done"]), sum(ends["failed"])) == (60, 1, 1)


def test_schedules_are_listed_run_and_paused(desk, queues):
    queues.schedule_recurring_jobs()

    names = [each["name"] for each in desk.json("/schedules")["items"]]
    assert names == ["daily-aggregation", "hourly-revenue-calc", "weekly-report"]
    job = desk.json("/schedules/weekly-report/run", method="POST")["job"]
    assert desk.json(f"/jobs/{job}")["job"]["schedule"] == "weekly-report"
    assert desk.json("/schedules/weekly-report/pause", method="POST")["success"]
    assert [x["paused"] for x in desk.json("/schedules")["items"]] == [False, False, True]
    assert desk.json("/schedules/weekly-report/resume", method="POST")["success"]
    assert desk.problem("/schedules/never/run", method="POST")["status"] == 404


def test_workers_that_are_not_there_are_an_empty_list(desk):
    assert desk.json("/workers")["items"] == []


def test_the_jobs_of_a_request_are_found_by_its_id(desk):
    assert desk.json("/requests/abc/jobs")["items"] == []


def test_results_are_read_as_json_and_by_a_spreadsheet(desk):
    analytics = desk.nexus.runtime.analytics
    analytics.keep(analytics.period("2026-10-05"), "revenue", {"EUR": 4900})

    (item,) = desk.json("/analytics?since=2026-10-01&metric=revenue")["items"]
    assert (item["period"], item["value"]) == ("2026-10-05", {"EUR": 4900})
    assert desk.json("/analytics?since=2026-10-06")["items"] == []
    seen = desk.ask("/analytics?format=csv")
    assert seen.headers["content-type"].startswith("text/csv")
    assert [*csv.reader(seen.body.decode().splitlines())][1] == ["2026-10-05", "revenue", "EUR", "4900"]


def test_without_redis_there_are_no_results_and_no_schedules(make):
    from tests.admin.conftest import Queues as Double

    desk = make(queues=Double(disabled=True))

    assert desk.json("/analytics")["items"] == []
    assert desk.json("/schedules")["items"] == []
    assert desk.json("/workers")["items"] == []


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/queues/email-queue/jobs?state=lost", "bad_state"),
        ("/queues/email-queue/jobs?cursor=-1", "bad_cursor"),
        ("/queues/email-queue/jobs?limit=0", "bad_limit"),
        ("/queues/email-queue/jobs?limit=201", "bad_limit"),
        ("/queues/email-queue/history?window=1y", "bad_window"),
        ("/queues/throughput?window=1y", "bad_window"),
        ("/analytics?since=yesterday", "bad_since"),
        ("/analytics?format=xls", "bad_format"),
        ("/queues/nobodys-queue/jobs", "unknown_queue"),
        ("/jobs/..%2fx", "not_found"),
        ("/jobs/none", "not_found"),
    ],
)
def test_what_cannot_be_asked_is_a_problem_with_a_code(desk, path, code):
    assert desk.problem(path)["code"] == code
