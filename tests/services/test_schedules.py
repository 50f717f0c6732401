"""Recurring jobs: when they are queued, by how many workers, and what is told of them."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from nexus_middleware.errors import PayloadError, SettingsError
from nexus_middleware.rules.recurring import Cron
from nexus_middleware.services.jobs.registry import Work
from nexus_middleware.worker.runs import perform
from tests.services.jobs import fetch, run_one

QUEUE = "content-processing-queue"


@pytest.fixture
def schedules(queues):
    return queues.schedules


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def begin(queues, name, moment):
    """As if the schedule had been made at `moment`."""
    plan = queues.schedules._plan(name)
    queues.ledger.client.zadd("nexus:1:queues:next", {name: Cron(plan.cron, plan.zone).after(moment)})


def test_the_standard_three_are_listed_with_their_next_runs(queues):
    queues.schedule_recurring_jobs(zone="Europe/Berlin")
    queues.schedule_recurring_jobs(zone="Europe/Berlin")
    told = [(each.name, each.cron, each.in_words, each.zone) for each in queues.schedules.every()]
    assert told == [
        ("daily-aggregation", "0 0 * * *", "every day at 00:00", "Europe/Berlin"),
        ("hourly-revenue-calc", "0 * * * *", "every hour at minute 0", "Europe/Berlin"),
        ("weekly-report", "0 6 * * 1", "Mondays at 06:00", "Europe/Berlin"),
    ]
    assert all(time.time() < each.next <= time.time() + 8 * 86_400 for each in queues.schedules.every())


@pytest.mark.parametrize("start", ["2026-03-22T12:00", "2026-10-18T12:00"])
def test_over_both_ends_of_daylight_saving_four_workers_queue_each_once(queues, schedules, start):
    """14 days, on 4 clocks that differ by up to 3 s."""
    queues.schedule_recurring_jobs(zone="Europe/Berlin")
    schedules.add("nightly", "add", cron="30 2 * * *", zone="Europe/Berlin", payload={"a": 1, "b": 2})
    begins = at(start)
    names = ["daily-aggregation", "weekly-report", "hourly-revenue-calc", "nightly"]
    for name in names:
        begin(queues, name, begins)
    queued = []
    moment, end = begins, begins + 14 * 86_400
    while moment <= end:
        for skew in (0, -3, 1.5, 3):
            queued += schedules.tick(names, now=moment + skew)
        moment += 1800
    assert len(queued) == len({*queued})
    kinds = [ident.rsplit("-", 1)[0] for ident in queued]
    counts = {name: kinds.count(f"cron-{name}") for name in names}
    assert counts == {"daily-aggregation": 14, "weekly-report": 2, "hourly-revenue-calc": 336, "nightly": 14}


def test_after_an_outage_it_is_queued_once_for_the_last_time_that_was_missed(queues, schedules):
    schedules.add("nightly", "add", cron="0 * * * *", zone="Asia/Kolkata", payload={"a": 1, "b": 2})
    begin(queues, "nightly", at("2026-01-01T00:00"))
    assert len(schedules.tick(["nightly"], now=at("2026-01-01T03:50"))) == 1
    assert schedules.tick(["nightly"], now=at("2026-01-01T03:50")) == []
    claim = fetch(queues)
    assert claim.extra["slot"] == "2026-01-01T09:00:00+05:30"
    assert queues.ledger.client.zscore("nexus:1:queues:next", "nightly") == at("2026-01-01T04:30")


def test_the_job_knows_the_time_it_was_due_and_its_run_is_told(queues, schedules):
    seen = []

    @queues.job("report", queue=QUEUE)
    def report(work: Work, kind: str):
        seen.append((kind, work.slot))

    schedules.add("weekly", "report", cron="0 6 * * 1", zone="Europe/Berlin", payload={"kind": "all"})
    ident = schedules.run("weekly")
    assert perform(fetch(queues), queues).kind == "done"
    kind, slot = seen[0]
    assert kind == "all"
    assert slot.utcoffset() in (timedelta(hours=1), timedelta(hours=2))
    assert schedules.run("weekly") != ident
    run_one(queues, "retry", text="it broke", seconds=60)
    schedules.run("weekly")
    run_one(queues)
    schedules.run("weekly")
    run_one(queues, "failed", text="it broke")
    runs = schedules.every()[0].runs
    assert [run.outcome for run in runs] == ["failed", "done"]
    assert runs[1].run_ms == 2.0
    assert runs[0].slot


def test_a_paused_one_rests_and_what_was_due_is_left_out(queues, schedules):
    schedules.add("nightly", "add", cron="* * * * *", payload={"a": 1, "b": 2})
    schedules.pause("nightly")
    schedules.add("nightly", "add", cron="* * * * *", payload={"a": 1, "b": 2})
    assert schedules.every()[0].paused
    assert schedules.every()[0].next is None
    assert schedules.tick(["nightly"], now=time.time() + 600) == []
    schedules.resume("nightly")
    assert schedules.every()[0].next > time.time()


def test_one_that_is_changed_is_due_at_its_new_time_and_one_that_is_dropped_never(queues, schedules):
    schedules.add("nightly", "add", cron="0 3 * * *", payload={"a": 1, "b": 2})
    begin(queues, "nightly", at("2026-01-01T00:00"))
    schedules.add("nightly", "add", cron="0 3 * * *", payload={"a": 1, "b": 2})
    assert schedules.every()[0].next == at("2026-01-01T03:00")  # what is still due is not forgotten by a restart
    schedules.add("nightly", "add", cron="0 4 * * *", payload={"a": 1, "b": 2})
    assert schedules.every()[0].next > time.time()
    schedules.drop("nightly")
    assert schedules.every() == []
    for act in (schedules.drop, schedules.pause, schedules.resume, schedules.run):
        with pytest.raises(SettingsError, match="no schedule"):
            act("nightly")


def test_what_does_not_fit_is_refused_at_once(schedules):
    for wrong, told in (
        ({"cron": "often"}, "five fields"),
        ({"zone": "Nowhere"}, "zone="),
        ({"job": "os.system"}, "no job is named"),
        ({"name": "a b"}, "letters"),
    ):
        given = {"name": "nightly", "job": "add", "cron": "0 3 * * *", "payload": {"a": 1, "b": 2}, **wrong}
        with pytest.raises(SettingsError, match=told):
            schedules.add(given.pop("name"), given.pop("job"), **given)
    with pytest.raises(PayloadError, match="b"):
        schedules.add("nightly", "add", cron="0 3 * * *", payload={"a": 1})
