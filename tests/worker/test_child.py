"""A child and its supervisor, looked at from within."""

import signal
import time

import pytest

from nexus_middleware.services.queues import Queues
from nexus_middleware.settings import Settings
from nexus_middleware.worker import child as child_module
from nexus_middleware.worker.child import STUCK, Child, fair
from nexus_middleware.worker.runs import TimedOut, perform, time_limit
from nexus_middleware.worker.supervisor import LONGEST, Slot, Supervisor


@pytest.fixture
def queues(redis_url):
    made = Queues(redis_url, settings=Settings(store=redis_url, log_level="error"))
    yield made
    made.close()
    made.store.close()


def test_a_job_that_cannot_be_interrupted_ends_its_process(queues, monkeypatch):
    codes = []
    monkeypatch.setattr(child_module.os, "_exit", codes.append)
    child = Child(queues, "w", parent=0)
    child._look()
    assert codes == []
    child._deadline = time.monotonic() - 1
    child._look()
    assert codes == [STUCK]


def test_a_time_limit_is_lifted_at_the_end_of_its_block():
    with time_limit(5):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    with pytest.raises(TimedOut, match=r"0\.01 seconds"), time_limit(0.01):
        time.sleep(5)


def test_what_a_job_returns_is_kept_as_json_and_not_at_any_length(queues):
    results = {"plain": {"a": 1}, "object": object, "long": "x" * 100_000}

    @queues.job("give", queue="email-queue")
    def give(name):
        return results[name]

    for name in results:
        queues.enqueue("give", name=name)
    outcomes = [perform(queues.ledger.fetch("w", queues.jobs.queues), queues) for _ in results]
    assert [outcome.kind for outcome in outcomes] == ["done"] * 3
    assert [outcome.text for outcome in outcomes[:2]] == ['{"a": 1}', "\"<class 'object'>\""]
    assert len(outcomes[2].text) < 8_100


def test_a_job_that_would_end_its_worker_only_fails(queues):
    @queues.job("leave", queue="email-queue")
    def leave():
        raise SystemExit(3)

    queues.enqueue("leave")
    outcome = perform(queues.ledger.fetch("w", queues.jobs.queues), queues)
    assert outcome.kind == "retry"
    assert "SystemExit(3)" in outcome.text


def test_no_queue_starves():
    firsts = {fair(("a", "b", "c"))[0] for _ in range(500)}
    assert firsts == {"a", "b", "c"}


def test_a_child_that_keeps_dying_is_started_ever_later(queues):
    supervisor, slot, pauses = Supervisor(queues), Slot(), []
    for _ in range(7):
        slot.born = time.monotonic()
        supervisor._ended(slot, 1)
        pauses.append(slot.pause)
    assert pauses == [1, 2, 4, 8, 16, LONGEST, LONGEST]
    slot.born = time.monotonic() - 61
    supervisor._ended(slot, 1)
    assert slot.pause == 1
    supervisor._ended(slot, 0)  # it did its share: a fresh one takes over at once
    assert slot.due == 0


def test_a_child_that_dies_in_a_job_is_started_again_after_a_second_however_often(queues):
    supervisor, slot = Supervisor(queues), Slot()
    queues.enqueue_many("analytics.metric", [{"metric": "users", "period": "2026-01"}] * 4)
    for number in range(4):
        slot.name, slot.born = f"w{number}", time.monotonic()
        assert queues.ledger.fetch(slot.name, queues.jobs.queues)
        supervisor._ended(slot, -9)
        assert slot.pause == 1
