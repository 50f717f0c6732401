"""The ledger: how a job is claimed, given back, rescued and delayed, without being lost or run twice at once."""

import time

import msgspec
from rq.registry import ScheduledJobRegistry, StartedJobRegistry

from nexus_middleware.services.cache import Cache
from nexus_middleware.services.jobs.scripts import MOST_RESCUES
from tests.services.jobs import MAIL, NOTE, fetch, read, run_one


def test_a_fetched_job_is_among_the_started_ones_in_the_same_step(queues, redis_server):
    ident = queues.queue_email(**MAIL)
    claim = fetch(queues)
    registry = StartedJobRegistry("email-queue", connection=redis_server.client)
    assert registry.get_job_ids(cleanup=False) == [ident]
    assert redis_server.client.llen("rq:queue:email-queue") == 0
    assert claim.job.kwargs == MAIL


def test_the_job_of_a_dead_worker_is_put_back_at_the_head_and_its_late_report_is_refused(queues):
    first, _ = (queues.queue_email(**MAIL) for _ in range(2))
    claim = fetch(queues)
    assert queues.ledger.rescue(worker="w") == 1
    again = fetch(queues, "v")
    assert again.job.id == claim.job.id == first
    assert not queues.ledger.finish("w", claim, "done", "null", times="1:1")
    assert queues.ledger.finish("v", again, "done", "null", times="1:1")
    stats = queues.stats("email-queue")
    assert (stats.completed, stats.rescued_total) == (1, 1)


def test_a_rescued_job_is_run_before_all_that_waits_in_other_queues(queues):
    note = queues.queue_notification(**NOTE)
    claim = fetch(queues)
    mails = [queues.queue_email(**MAIL) for _ in range(3)]
    later = queues.queue_notification(**NOTE)
    assert queues.ledger.rescue(worker="w") == 1
    assert fetch(queues).job.id == claim.job.id == note
    assert [fetch(queues).job.id for _ in range(4)] == [*mails, later]  # and the queues are in their order again


def test_a_rescued_job_waits_while_its_queue_is_paused_or_not_served(queues):
    queues.queue_notification(**NOTE)
    claim, mail = fetch(queues), queues.queue_email(**MAIL)
    queues.ledger.rescue(worker="w")
    assert fetch(queues, served=["analytics-queue"]) is None
    queues.pause("notifications-queue")
    assert fetch(queues).job.id == mail
    assert fetch(queues) is None
    queues.resume("notifications-queue")
    assert fetch(queues).job.id == claim.job.id


def test_a_claim_that_has_run_out_is_swept_and_one_with_a_heartbeat_is_not(queues, redis_server):
    queues.queue_email(**MAIL)
    claim = fetch(queues)
    redis_server.client.zadd("rq:wip:email-queue", {claim.member: time.time() - 1})
    queues.ledger.beat("w", claim, {"pid": 1})
    assert queues.ledger.rescue(queues.jobs.queues) == 0
    redis_server.client.zadd("rq:wip:email-queue", {claim.member: time.time() - 1})
    assert queues.ledger.rescue(queues.jobs.queues) == 1
    assert queues.stats("email-queue").waiting == 1


def test_a_job_that_keeps_killing_its_worker_fails(queues, redis_server):
    ident = queues.queue_email(**MAIL)
    for _ in range(MOST_RESCUES + 1):
        assert fetch(queues)
        queues.ledger.rescue(worker="w")
    assert queues.stats("email-queue").failed == 1
    job = read(redis_server, ident)
    assert job.get_status().value == "failed"
    assert b"died 4 times" in redis_server.client.hget(job.key, "exc_info")


def test_a_delayed_job_comes_when_it_is_due_and_never_earlier(queues, redis_server):
    ident = queues.queue_email(**MAIL)
    run_one(queues, "retry", text="it broke", seconds=0.3)
    due = queues.ledger.due(queues.jobs.queues)
    assert due.moved == 0
    assert 0 < due.soonest <= 0.3
    time.sleep(due.soonest)
    deadline = time.monotonic() + 5
    while not queues.ledger.due(queues.jobs.queues).moved:
        assert time.monotonic() < deadline
    assert ScheduledJobRegistry("email-queue", connection=redis_server.client).get_job_ids() == []
    assert read(redis_server, ident).retries_left == 2


def test_what_is_put_off_uses_up_no_retry(queues, redis_server):
    ident = queues.queue_email(**MAIL)
    run_one(queues, "later", text="busy", seconds=60)
    assert read(redis_server, ident).retries_left == 3
    assert queues.stats("email-queue").delayed == 1


def test_a_flushed_cache_takes_no_job_and_no_counter_with_it(queues):
    queues.enqueue("add", a=1, b=2)
    run_one(queues)
    queues.queue_email(**MAIL)
    queues.ledger.beat("w", None, {"pid": 1})
    before = {name: msgspec.structs.replace(each, oldest_wait_seconds=0.0) for name, each in queues.all_stats().items()}
    cache = Cache(queues.store)
    cache.set("a", 1)
    assert cache.flush() == 1
    after = {name: msgspec.structs.replace(each, oldest_wait_seconds=0.0) for name, each in queues.all_stats().items()}
    assert after == before
