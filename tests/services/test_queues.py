"""Queues: what is written for a job, what is counted, and how queues are steered."""

import asyncio
import inspect
import json
import subprocess
import sys
import time

import msgspec
import pytest
from rq.queue import Queue
from rq.registry import FailedJobRegistry, FinishedJobRegistry

from nexus_middleware.errors import PayloadError, SettingsError, StoreError
from nexus_middleware.services.jobs.registry import QUEUES
from nexus_middleware.services.jobs.scripts import KEPT_DONE, KEPT_FAILED
from nexus_middleware.services.queues import Queues
from nexus_middleware.settings import Settings
from tests.services.jobs import MAIL, NOTE, fetch, read, run_one

DOCUMENTED = """waiting active completed failed delayed paused deferred canceled completedKept oldestWaitSeconds
    workers busy throughputPerMinute waitP95 runP95"""


def nothing(**_):
    """A job that takes anything."""


def test_an_email_becomes_a_job_that_rq_can_read_without_pickle(queues, redis_server):
    ident = queues.queue_email(**MAIL)
    job = read(redis_server, ident)
    assert job.func_name == "email.send"
    assert job.kwargs == MAIL
    assert (job.origin, job.retries_left, job.retry_intervals) == ("email-queue", 3, [2, 4, 8])
    assert Queue("email-queue", connection=redis_server.client).job_ids == [ident]
    assert json.loads(job.data)[0] == "email.send"
    assert "ann" not in job.description


ALL_AT_ONCE = """
import sys, threading
from nexus_middleware.services.queues import Queues
from nexus_middleware.settings import Settings
queues = Queues(sys.argv[1], settings=Settings(store=sys.argv[1]))
start = threading.Barrier(8)
def first():
    start.wait()
    queues.queue_metric_calculation("visits", "day")
threads = [threading.Thread(target=first) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def test_the_first_jobs_of_a_process_may_come_from_many_threads_at_once(queues, redis_url):
    subprocess.run([sys.executable, "-c", ALL_AT_ONCE, redis_url], check=True, timeout=60)
    assert queues.stats("analytics-queue").waiting == 8


def test_every_job_has_its_queue(queues):
    queues.queue_email(**MAIL)
    queues.queue_analytics_aggregation(type="daily", date="2026-01-01", metrics=["visits"])
    queues.queue_metric_calculation("visits", "day")
    queues.queue_notification(**NOTE)
    queues.queue_content_processing(type="video", content_id="9", operations=["thumbnail"])
    queues.queue_revenue_calculation(type="monthly")
    waiting = {name: each.waiting for name, each in queues.all_stats().items()}
    assert waiting == {**dict.fromkeys(QUEUES, 1), "analytics-queue": 2}


def test_many_at_once_are_all_queued_or_none(queues):
    ids = queues.queue_bulk_emails([MAIL] * 1_001)
    assert len({*ids}) == 1_001
    assert queues.stats("email-queue").waiting == 1_001
    with pytest.raises(ValueError, match="one line"):
        queues.queue_bulk_emails([MAIL, {**MAIL, "subject": "a\nBcc: all@example.org"}])
    with pytest.raises(ValueError, match="missing required field `title`"):
        queues.queue_bulk_notifications([{"user_id": "7", "type": "info"}])
    assert queues.stats("email-queue").waiting == 1_001
    assert len(queues.queue_bulk_notifications([NOTE, NOTE])) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": "a\r\nBcc: all@example.org"},
        {"to": "ann@example.org\nBcc: all@example.org"},
        {"to": "ann@example.org, bob@example.org"},
        {"to": "nobody"},
        {"to": []},
        {"to": 7},
        {"sender": "me@example.org\nBcc: all@example.org"},
        {"html": ""},
    ],
)
def test_a_mail_that_is_none_or_injects_headers_is_refused_at_once(queues, wrong):
    with pytest.raises(ValueError):  # noqa: PT011  # each says something else
        queues.queue_email(**{**MAIL, **wrong})
    assert queues.stats("email-queue").waiting == 0


def test_stats_of_an_empty_queue_are_zeros(queues):
    stats = msgspec.to_builtins(queues.stats("email-queue"))
    assert {*DOCUMENTED.split()} <= {*stats}
    assert not any(stats.values())


def test_a_queue_is_counted_in_every_state(queues):
    for _ in range(5):
        queues.enqueue("add", a=1, b=2)
    run_one(queues)
    run_one(queues, "failed", text="it broke")
    run_one(queues, "retry", text="it broke", seconds=60)
    fetch(queues)
    stats = queues.stats("content-processing-queue")
    assert (stats.waiting, stats.active, stats.completed, stats.failed, stats.delayed) == (1, 1, 1, 1, 1)
    assert (stats.completed_kept, stats.failed_total, stats.retried_total, stats.busy) == (1, 1, 1, 1)
    assert (stats.wait_p95, stats.run_p95) == (1.0, 2.0)
    assert 0 <= stats.oldest_wait_seconds < 60


def test_all_stats_are_one_command_however_many_jobs_there_are(queues, redis_server):
    def trips():
        before = redis_server.client.info("commandstats")["cmdstat_evalsha"]["calls"]
        total = redis_server.client.info("stats")["total_commands_processed"]
        queues.all_stats()
        inside = redis_server.client.info("stats")["total_commands_processed"] - total
        return redis_server.client.info("commandstats")["cmdstat_evalsha"]["calls"] - before, inside

    queues.all_stats()
    queues.queue_bulk_emails([MAIL] * 20)
    few = trips()
    assert few[0] == 1
    queues.queue_bulk_emails([MAIL] * 2_000)
    assert trips() == few


def test_only_the_last_completed_are_kept_and_all_are_counted(queues, redis_server):
    ids = [queues.enqueue("add", a=i, b=i) for i in range(KEPT_DONE + 50)]
    for _ in ids:
        run_one(queues)
    registry = FinishedJobRegistry("content-processing-queue", connection=redis_server.client)
    assert registry.get_job_ids() == ids[50:]
    assert len([*redis_server.client.scan_iter("rq:job:*")]) == KEPT_DONE
    stats = queues.stats("content-processing-queue")
    assert (stats.completed, stats.completed_kept) == (KEPT_DONE + 50, KEPT_DONE)


def test_only_the_last_failed_are_kept_and_all_are_counted(queues, redis_server):
    ids = [queues.enqueue("add", a=i, b=i) for i in range(KEPT_FAILED + 5)]
    for _ in ids:
        run_one(queues, "failed", text="it broke")
    registry = FailedJobRegistry("content-processing-queue", connection=redis_server.client)
    assert registry.get_job_ids() == ids[5:]
    stats = queues.stats("content-processing-queue")
    assert (stats.failed, stats.failed_total) == (KEPT_FAILED, KEPT_FAILED + 5)


def test_failed_jobs_are_retried_with_all_of_their_retries(queues, redis_server):
    ids = [queues.enqueue("add", a=1, b=1) for _ in range(3)]
    redis_server.client.hset(f"rq:job:{ids[0]}", "retries_left", 0)
    for _ in ids:
        run_one(queues, "failed", text="it broke")
    assert queues.retry_failed("content-processing-queue") == 3
    assert queues.retry_failed("content-processing-queue") == 0
    job = read(redis_server, ids[0])
    assert (job.retries_left, job.get_status().value) == (3, "queued")
    assert redis_server.client.hget(job.key, "exc_info") is None
    assert redis_server.client.ttl(job.key) == -1
    assert queues.stats("content-processing-queue").waiting == 3


def test_a_paused_queue_is_left_alone_until_it_is_resumed(queues):
    queues.queue_email(**MAIL)
    queues.enqueue("add", a=1, b=2)
    queues.pause("email-queue")
    assert queues.stats("email-queue").paused
    assert run_one(queues).queue == "content-processing-queue"
    assert fetch(queues) is None
    queues.resume("email-queue")
    assert run_one(queues).queue == "email-queue"


def test_clear_deletes_what_waits_and_what_is_delayed_and_nothing_else(queues, redis_server):
    queues.queue_bulk_emails([MAIL] * 1_200)
    running = fetch(queues)
    run_one(queues, "retry", text="it broke", seconds=60)
    run_one(queues)
    other = queues.enqueue("add", a=1, b=2)
    assert queues.clear("email-queue") == 1_198
    stats = queues.stats("email-queue")
    assert (stats.waiting, stats.delayed, stats.active, stats.completed) == (0, 0, 1, 1)
    assert redis_server.client.exists(running.job.key, f"rq:job:{other}") == 2
    assert len([*redis_server.client.scan_iter("rq:job:*")]) == 3


def test_a_live_worker_is_counted_and_one_without_a_heartbeat_is_not(queues, redis_server):
    queues.ledger.beat("w", None, {"pid": 1})
    assert queues.stats("email-queue").workers == 1
    redis_server.client.zadd("nexus:1:queues:workers", {"w": time.time() - 1})
    assert queues.stats("email-queue").workers == 0


def test_a_namespace_keeps_two_apps_of_one_redis_apart(queues, redis_url):
    other = Queues(redis_url, settings=Settings(store=redis_url, namespace="shop"))
    other.queue_email(**MAIL)
    assert queues.stats("email-queue").waiting == 0
    assert other.stats("email-queue").waiting == 1
    assert fetch(queues) is None
    assert fetch(other).queue == "shop:email-queue"
    other.close()
    other.store.close()


def test_a_users_job_is_known_by_its_name_alone(queues):
    assert queues.enqueue("add", a=1, b=2)
    with pytest.raises(SettingsError, match=r"no job is named 'os\.system'"):
        queues.enqueue("os.system", command="true")
    with pytest.raises(SettingsError, match="already"):
        queues.job("add", queue="email-queue")(nothing)
    with pytest.raises(SettingsError, match="letters"):
        queues.job("a b", queue="email-queue")(nothing)
    with pytest.raises(SettingsError, match="seconds"):
        queues.job("late", queue="email-queue", timeout=0)(nothing)
    with pytest.raises(PayloadError, match="job 'add', a: this cannot be JSON"):
        queues.enqueue("add", a=object(), b=1)


def test_a_new_queue_is_counted_like_ours(queues):
    queues.job("resize", queue="images")(nothing)
    queues.enqueue("resize", name="a name is a payload like any other")
    assert queues.all_stats()["images"].waiting == 1
    with pytest.raises(SettingsError, match="there is no queue 'sounds'"):
        queues.stats("sounds")


@pytest.mark.parametrize(
    "call",
    [
        lambda queues: queues.queue_email(**MAIL),
        lambda queues: queues.queue_bulk_emails([MAIL]),
        lambda queues: queues.queue_analytics_aggregation(type="daily", date="2026-01-01", metrics=[]),
        lambda queues: queues.queue_metric_calculation("visits", "day"),
        lambda queues: queues.queue_notification(**NOTE),
        lambda queues: queues.queue_bulk_notifications([NOTE]),
        lambda queues: queues.queue_content_processing(type="video", content_id="9", operations=[]),
        lambda queues: queues.queue_revenue_calculation(type="monthly"),
        lambda queues: queues.all_stats(),
    ],
)
def test_on_memory_every_method_names_the_setting(call):
    queues = Queues("memory://", settings=Settings())
    assert not queues.enabled
    with pytest.raises(SettingsError, match="NEXUS_STORE"):
        call(queues)


def test_a_store_that_is_away_is_a_clear_error(own_server):
    queues = Queues(own_server.url, settings=Settings(store=own_server.url))
    own_server.stop()
    with pytest.raises(StoreError, match="did not answer"):
        queues.queue_email(**MAIL)
    with pytest.raises(StoreError):
        queues.all_stats()
    queues.close()


def test_a_store_is_asked_whether_it_will_do(queues, redis_server, monkeypatch):
    assert queues.ledger.check() == []
    redis_server.client.config_set("maxmemory-policy", "allkeys-lru")
    assert "noeviction" in queues.ledger.check()[0]
    redis_server.client.config_set("maxmemory-policy", "noeviction")
    for facts, told in (
        ({"redis_version": "5.0.14"}, r"at least 6\.2"),
        ({"redis_version": "7.0.15", "cluster_enabled": 1}, "NEXUS_QUEUE_STORE"),
    ):
        monkeypatch.setattr(queues.ledger.client, "info", lambda facts=facts: facts)
        with pytest.raises(SettingsError, match=told):
            queues.ledger.check()


def test_every_method_has_a_twin_for_the_event_loop(queues):
    async def use():
        await queues.aqueue_email(**MAIL)
        return (await queues.astats("email-queue")).waiting

    assert asyncio.run(use()) == 1
    methods = {name for name, _ in inspect.getmembers(Queues, inspect.isfunction) if name[0] != "_"}
    plain = {name for name in methods if f"a{name}" in methods}
    assert methods - plain - {f"a{name}" for name in plain} == {"job", "revenue_source", "close", "options", "known"}
