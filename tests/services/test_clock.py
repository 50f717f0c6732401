"""Queues go by the clock of Redis alone: one process's clock may be wrong, or jump."""

import time

import pytest

from tests.services.jobs import fetch, run_one


@pytest.fixture(params=[1, -1], ids=["an hour fast", "an hour slow"])
def jump(request, monkeypatch):
    real = time.time
    return lambda: monkeypatch.setattr(time, "time", lambda: real() + request.param * 3600)


def test_a_jump_neither_delays_a_job_nor_ends_a_claim(queues, jump):
    queues.enqueue("add", a=1, b=1)
    claim = fetch(queues)
    delayed = queues.options(delay=600).enqueue("add", a=1, b=1)
    jump()
    assert queues.ledger.rescue(queues.jobs.queues) == 0
    assert queues.ledger.due(queues.jobs.queues).moved == 0
    assert queues.ledger.finish("w", claim, "retry", "it broke", seconds=2.0)
    now = queues.ledger.now()
    due = {ident: queues.board.job(ident).due - now for ident in (claim.job.id, delayed)}
    assert 1 < due[claim.job.id] <= 2
    assert 590 < due[delayed] <= 600


def test_a_schedule_made_by_a_wrong_clock_is_due_when_it_says(queues, jump):
    jump()
    queues.schedules.add("hourly", "add", cron="0 * * * *", payload={"a": 1, "b": 1})
    queues.schedules.pause("hourly")
    queues.schedules.resume("hourly")
    (row,) = queues.schedules.every()
    assert 0 < row.next - queues.ledger.now() <= 3600


def test_workers_live_and_charts_are_drawn_by_the_clock_of_redis(queues, jump):
    queues.ledger.beat("w", None, {})
    queues.enqueue("add", a=1, b=1)
    run_one(queues)
    jump()
    assert queues.ledger.alive("w")
    points = queues.board.history("content-processing-queue", window=120).points
    assert sum(point.done for point in points) == 1
