"""When a job is run, after what, how often, and what it knows of where it came from."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from nexus_middleware import RequestID
from nexus_middleware.errors import SettingsError
from nexus_middleware.http import ORIGIN
from nexus_middleware.services.jobs.registry import Later, Work
from nexus_middleware.worker.runs import perform
from tests.services.jobs import MAIL, fetch, run_one

QUEUE = "content-processing-queue"


def status(queues, ident):
    return queues.ledger.client.hget(f"rq:job:{ident}", "status").decode()


def test_a_job_waits_for_its_time(queues):
    now = datetime.now(UTC)
    by_delay = queues.options(delay=60).enqueue("add", a=1, b=2)
    by_time = queues.options(at=now + timedelta(seconds=60)).queue_email(**MAIL)
    past = queues.options(at=now - timedelta(seconds=60)).enqueue("add", a=1, b=2)
    assert [status(queues, ident) for ident in (by_delay, by_time, past)] == ["scheduled", "scheduled", "queued"]
    due = queues.ledger.client.zscore(f"rq:scheduled:{QUEUE}", by_delay)
    assert 59 < due - time.time() < 61
    assert run_one(queues).job.id == past
    assert fetch(queues) is None


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"delay": -1}, "seconds"),
        ({"at": datetime(2026, 1, 1)}, "time zone"),  # noqa: DTZ001
        ({"at": datetime.now(UTC), "delay": 1}, "both"),
    ],
)
def test_options_that_do_not_fit_are_told(queues, options, told):
    with pytest.raises(SettingsError, match=told):
        queues.options(**options)


def test_of_all_jobs_with_one_key_the_first_is_queued(queues):
    once = queues.options(key="order-7")
    first = once.enqueue("add", a=1, b=2)
    assert once.enqueue("add", a=5, b=5) == first
    assert once.queue_email(**MAIL) != first  # another job
    assert queues.stats(QUEUE).waiting == 1
    run_one(queues)
    run_one(queues)
    assert once.enqueue("add", a=1, b=2) == first
    with pytest.raises(SettingsError, match="one job"):
        once.enqueue_many("add", [{"a": 1, "b": 1}] * 2)


def test_a_key_may_be_used_again_if_its_job_failed_or_was_deleted_before_it_ran(queues):
    once = queues.options(key="order-7")
    first = once.enqueue("add", a=1, b=2)
    run_one(queues, "failed", text="it broke")
    second = once.enqueue("add", a=1, b=2)
    assert second != first
    assert queues.clear(QUEUE) == 1
    assert once.enqueue("add", a=1, b=2) not in (first, second)


def test_a_job_comes_after_those_it_depends_on(queues):
    first, second = queues.enqueue_many("add", [{"a": 1, "b": 1}, {"a": 2, "b": 2}])
    third = queues.options(after=[first, second]).queue_email(**MAIL)
    delayed = queues.options(after=[second], delay=60).queue_email(**MAIL)
    assert queues.stats("email-queue").deferred == 2
    run_one(queues)
    assert status(queues, third) == "deferred"
    run_one(queues)
    assert (status(queues, third), status(queues, delayed)) == ("queued", "scheduled")
    assert queues.stats("email-queue").deferred == 0
    late = queues.options(after=[first]).enqueue("add", a=1, b=2)
    assert status(queues, late) == "queued"


def test_a_job_whose_dependency_failed_waits_for_its_retry_and_fails_if_it_is_deleted(queues):
    first = queues.enqueue("add", a=1, b=1)
    second = queues.options(after=[first]).queue_email(**MAIL)
    run_one(queues, "failed", text="it broke")
    assert status(queues, second) == "deferred"
    queues.retry_failed(QUEUE)
    queues.clear(QUEUE)
    assert status(queues, second) == "failed"
    assert b"was deleted" in queues.ledger.client.hget(f"rq:job:{second}", "exc_info")
    with pytest.raises(SettingsError, match="no job that is known"):
        queues.options(after=[first]).enqueue("add", a=1, b=1)
    assert queues.stats(QUEUE).waiting == 0


def test_a_queue_with_a_rate_gives_its_jobs_evenly(queues):
    queues.set_rate(QUEUE, "10/second")
    queues.enqueue_many("add", [{"a": 1, "b": 1}] * 3)
    assert fetch(queues)
    soonest = queues.ledger.fetch("w", queues.jobs.queues)
    assert 0 < soonest <= 0.1
    queues.queue_email(**MAIL)
    assert fetch(queues).queue == "email-queue"  # the others go on
    time.sleep(soonest)
    assert fetch(queues).queue == QUEUE
    queues.set_rate(QUEUE, None)
    assert fetch(queues)
    for wrong in ("often", "0/second", "1/second;5/minute"):
        with pytest.raises(SettingsError, match="rate="):
            queues.set_rate(QUEUE, wrong)


def test_a_job_knows_the_request_it_comes_from_and_hands_it_on(queues, asgi_door):
    made, seen = [], []

    @queues.job("first", queue=QUEUE)
    def first(work: Work):
        seen.append((work.request_id, work.traceparent, work.key))
        made.append(queues.enqueue("add", a=1, b=2))

    class App:
        async def asgi(self, scope, receive, send):
            made.append(await queues.options(key="k").aenqueue("first"))
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    asgi_door.get(RequestID(App().asgi), headers=[("x-request-id", "abc"), ("traceparent", trace)])
    assert perform(fetch(queues), queues).kind == "done"
    assert seen == [("abc", trace, "k")]
    claim = fetch(queues)
    assert claim.job.id == made[1]
    assert (claim.extra["request_id"], claim.extra["traceparent"]) == ("abc", trace)
    assert ORIGIN.get() is None


def test_a_job_outside_of_any_request_has_no_request_id(queues):
    queues.enqueue("add", a=1, b=2)
    assert fetch(queues).extra == {}


def test_a_job_says_how_far_it_is(queues):
    @queues.job("report", queue=QUEUE)
    def report(work: Work):
        work.progress(3, 10, "third page")
        raise Later(5, "more tomorrow")

    ident = queues.enqueue("report")
    outcome = perform(fetch(queues), queues)
    assert (outcome.kind, outcome.seconds) == ("later", 5)
    told = queues.ledger.client.hget(f"rq:job:{ident}", "progress")
    assert told == b'{"done": 3, "total": 10, "note": "third page"}'
