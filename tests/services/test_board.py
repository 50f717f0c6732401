"""The board: single jobs in every state, workers, history, and steering one job at a time."""

import json
import time

import msgspec
import pytest

from nexus_middleware.errors import SettingsError
from nexus_middleware.runtime import Runtime
from nexus_middleware.services.monitor.probes import QueueProbe
from nexus_middleware.services.queues import Queues
from nexus_middleware.services.queues.board import Grown
from nexus_middleware.settings import Settings
from tests.services.jobs import MAIL, fetch, run_one

QUEUE = "content-processing-queue"


@pytest.fixture
def board(queues):
    return queues.board


def ids(page):
    return [item.id for item in page.items]


def test_jobs_are_listed_by_state_the_newest_first_in_pages(queues, board):
    made = queues.enqueue_many("add", [{"a": i, "b": 1} for i in range(7)])
    first = board.jobs(QUEUE, "waiting", limit=3)
    assert (ids(first), first.total, first.total_exact) == (made[:3:-1], 7, True)
    second = board.jobs(QUEUE, "waiting", limit=3, cursor=first.next_cursor)
    third = board.jobs(QUEUE, "waiting", limit=3, cursor=second.next_cursor)
    assert ids(first) + ids(second) + ids(third) == made[::-1]
    assert third.next_cursor is None
    assert board.jobs(QUEUE, "waiting", cursor="99").items == []


def test_a_job_is_in_the_list_of_its_state(queues, board):
    waiting = queues.enqueue("add", a=1, b=1)
    delayed = queues.options(delay=60).enqueue("add", a=1, b=1)
    deferred = queues.options(after=[waiting]).enqueue("add", a=1, b=1)
    canceled = queues.enqueue("add", a=1, b=1)
    assert board.cancel(canceled) == "canceled"
    for state, ident in (("delayed", delayed), ("deferred", deferred), ("canceled", canceled), ("waiting", waiting)):
        page = board.jobs(QUEUE, state)
        assert (ids(page), page.items[0].state, page.items[0].name) == ([ident], state, "add")
    fetch(queues)
    assert ids(board.jobs(QUEUE, "active")) == [waiting]
    with pytest.raises(SettingsError, match="state="):
        board.jobs(QUEUE, "lost")
    with pytest.raises(SettingsError, match="cursor="):
        board.jobs(QUEUE, "waiting", cursor="-1")


def test_a_text_is_looked_for_in_id_name_and_payload(queues, board):
    ident = queues.queue_email(**{**MAIL, "subject": "Für Bob"})
    queues.queue_email(**MAIL)
    assert ids(board.jobs("email-queue", "waiting", text="für bob")) == [ident]
    assert ids(board.jobs("email-queue", "waiting", text=ident[:8])) == [ident]
    assert len(board.jobs("email-queue", "waiting", text="EMAIL.SEND").items) == 2


def test_a_job_is_shown_with_its_attempts_and_without_secrets(queues, board):
    @queues.job("pay", queue=QUEUE)
    def pay(order: int, token: str, card: dict): ...

    ident = queues.options(key="order-7").enqueue("pay", order=7, token="abc", card={"number": "4111"})
    claim = fetch(queues)
    note = {"attempt": 1, "outcome": "retry", "worker": "w", "ms": 2.0, "error": "Traceback\nValueError: no"}
    queues.ledger.finish("w", claim, "retry", "Traceback\nValueError: no", seconds=60, times="1:2", note=note)
    told = board.job(ident)
    assert told.payload == {"order": 7, "token": "[redacted]", "card": "[redacted]"}
    assert (told.state, told.attempt, told.attempts, told.retries_left) == ("delayed", 1, 4, 2)
    assert (told.error, told.history, told.key) == ("ValueError: no", [note], "order-7")
    assert told.due > time.time()
    assert board.job("nothing") is None


def test_what_a_job_says_of_its_failure_is_shown_without_secrets_and_whatever_is_in_it(queues, board):
    ident = queues.enqueue("add", a=1, b=1)
    claim = fetch(queues)
    text = "ValueError: half a character, \ud800, at redis://ann:hunter2@db"
    queues.ledger.report(claim, {"done": 1, "total": 2, "note": text})
    queues.ledger.finish("w", claim, "failed", text, times=":1", note={"error": text})
    told = msgspec.json.encode(board.job(ident)).decode()
    assert told.count("half a character") == 4  # error, traceback, history, progress
    assert "hunter2" not in told
    assert json.loads(msgspec.json.encode(board.jobs(QUEUE, "failed")))["total"] == 1


def test_a_rescued_job_says_so(queues, board):
    ident = queues.enqueue("add", a=1, b=1)
    fetch(queues)
    queues.ledger.rescue(worker="w")
    told = board.job(ident)
    assert told.rescues == 1
    assert [each["outcome"] for each in told.history] == ["rescued"]
    assert told.history[0]["worker"] == "w"


def test_what_is_not_json_is_shown_and_never_unpickled(queues, board):
    ident = queues.enqueue("add", a=1, b=1)
    queues.ledger.client.hset(f"rq:job:{ident}", "data", b"cposix\nsystem\n(S'touch pickled'\ntR.")
    assert board.job(ident).payload is None
    assert board.jobs(QUEUE, "waiting").items[0].name.startswith("(not JSON")


def test_the_jobs_of_another_app_are_neither_shown_nor_touched(queues, board, redis_url):
    other = Queues(redis_url, settings=Settings(store=redis_url, namespace="shop"))
    ident = queues.enqueue("add", a=1, b=1)
    theirs = other.queue_email(**MAIL)
    assert other.board.job(theirs).queue == "email-queue"
    assert other.board.job(ident) is None
    assert other.board.cancel(ident) == ""
    assert other.board.delete([ident]) == 0
    assert other.board.retry([ident]) == 0
    other.close()
    other.store.close()


def test_jobs_are_retried_one_by_one(queues, board):
    made = queues.enqueue_many("add", [{"a": 1, "b": 1}] * 3)
    for _ in made:
        run_one(queues, "failed", text="it broke")
    assert board.retry([made[1], "nothing"]) == 1
    assert ids(board.jobs(QUEUE, "waiting")) == [made[1]]
    assert board.job(made[1]).retries_left == 3
    assert ids(board.jobs(QUEUE, "failed")) == [made[2], made[0]]


def test_jobs_are_deleted_unless_they_run(queues, board):
    made = queues.enqueue_many("add", [{"a": 1, "b": 1}] * 3)
    fetch(queues)
    assert board.delete(made) == 2
    assert [board.job(ident) is None for ident in made] == [False, True, True]
    assert queues.stats(QUEUE).waiting == 0


def test_a_job_that_runs_is_told_to_stop(queues, board):
    ident = queues.enqueue("add", a=1, b=1)
    claim = fetch(queues)
    assert not queues.ledger.beat("w", claim, {})
    assert board.cancel(ident) == "stopping"
    assert board.job(ident).canceling
    assert queues.ledger.beat("w", claim, {})
    queues.ledger.finish("w", claim, "canceled", "canceled", times=":1")
    assert board.job(ident).state == "canceled"
    assert board.cancel(ident) == ""
    assert board.retry([ident]) == 1
    assert not board.job(ident).canceling


def test_a_run_that_was_given_to_another_is_told_to_stop_and_tells_nothing_more(queues, board):
    ident = queues.enqueue("add", a=1, b=1)
    claim = fetch(queues)
    queues.ledger.report(claim, {"done": 1, "total": 2})
    queues.ledger.rescue(worker="w")
    assert queues.ledger.beat("w", claim, {})
    again = fetch(queues, "v")
    queues.ledger.report(claim, {"done": 2, "total": 2})
    assert board.job(ident).progress == {"done": 1, "total": 2}
    assert not queues.ledger.beat("v", again, {})
    queues.ledger.finish("v", again, "done", "2", times="1:1")
    board.delete([ident])
    queues.ledger.report(again, {"done": 2, "total": 2})
    assert board.job(ident) is None


def test_a_queue_is_emptied_unless_it_has_grown(queues, board):
    queues.enqueue_many("add", [{"a": 1, "b": 1}] * 11)
    queues.options(delay=60).enqueue("add", a=1, b=1)
    with pytest.raises(Grown, match="12"):
        board.empty(QUEUE, expected=10)
    assert queues.stats(QUEUE).waiting == 11
    assert board.empty(QUEUE, expected=11) == 12
    assert board.empty(QUEUE) == 0


def test_workers_are_busy_idle_late_or_dead(queues, board, redis_server):
    facts = {"pid": 7, "host": "here", "memory": 2**26, "queues": QUEUE, "done": 3, "retry": 1, "failed": 2}
    for name in ("busy", "idle", "late", "dead"):
        queues.ledger.beat(name, None, facts)
    ident = queues.enqueue("add", a=1, b=1)
    fetch(queues, "busy")
    redis_server.client.zincrby("nexus:1:queues:workers", -12, "late")
    redis_server.client.zincrby("nexus:1:queues:workers", -40, "dead")
    told = {each.name: each for each in board.workers()}
    assert {name: each.state for name, each in told.items()} == {name: name for name in told}
    assert (told["busy"].job, told["busy"].queue) == (ident, QUEUE)
    assert (told["idle"].memory_mb, told["idle"].queues, told["idle"].done) == (64.0, [QUEUE], 3)
    assert (queues.stats(QUEUE).workers, queues.stats("email-queue").workers) == (3, 0)  # they serve one alone


def test_history_counts_by_the_minute_and_by_the_hour(queues, board):
    for outcome in ("done", "done", "failed", "retry"):
        queues.enqueue("add", a=1, b=1)
        claim = fetch(queues)
        queues.ledger.finish("w", claim, outcome, "x", seconds=60, times="1:2", buckets=(40, 44))
    for window, step, count in ((3600, 60, 60), (86_400, 3600, 24)):
        told = board.history(QUEUE, window=window)
        assert (told.step, len(told.points)) == (step, count)
        assert sum(point.done for point in told.points) == 2
        assert sum(point.failed for point in told.points) == 1
        assert sum(point.retried for point in told.points) == 1
        assert (told.wait, told.run) == ({40: 2}, {44: 2})
        assert 90 < told.wait_p50 < 110
    with pytest.raises(SettingsError, match="window="):
        board.history(QUEUE, window=1)


@pytest.mark.parametrize(
    ("window", "step", "count"),
    [(900, 60, 15), (3600, 60, 60), (21_600, 360, 60), (86_400, 3600, 24), (7 * 86_400, 10_800, 56)],
)
def test_the_throughput_of_all_queues_is_told_in_one_trip_and_at_most_sixty_steps(queues, board, window, step, count):
    for outcome in ("done", "done", "failed", "retry"):
        queues.enqueue("add", a=1, b=1)
        run_one(queues, outcome, seconds=60)

    told = board.throughput([QUEUE, "email-queue"], window=window)

    assert (told.step, {len(ends.done) for ends in told.queues.values()}) == (step, {count})
    assert (sum(told.queues[QUEUE].done), sum(told.queues[QUEUE].failed)) == (2, 1)
    assert not any(told.queues["email-queue"].done + told.queues["email-queue"].failed)
    assert told.at + step * (count - 1) <= queues.ledger.now() < told.at + step * count
    assert board.throughput([], window=window).queues == {}
    with pytest.raises(SettingsError, match="window="):
        board.throughput([QUEUE], window=1)


def test_what_only_reads_writes_nothing(queues, board, redis_server):
    ident = queues.enqueue("add", a=1, b=1)
    queues.queue_email(**MAIL)
    run_one(queues, "failed", text="it broke")
    queues.schedule_recurring_jobs()

    def calls():
        return {name[8:]: told["calls"] for name, told in redis_server.client.info("commandstats").items()}

    before = calls()
    queues.all_stats()
    for state in ("waiting", "active", "completed", "failed", "delayed", "deferred", "canceled"):
        board.jobs(QUEUE, state)
    board.job(ident)
    board.workers()
    board.history(QUEUE)
    board.throughput([QUEUE])
    queues.schedules.every()
    used = {name for name, count in calls().items() if count != before.get(name, 0)}
    flags = redis_server.client.execute_command("COMMAND", "INFO", *[name.partition("|")[0] for name in used])
    told = flags if isinstance(flags, dict) else {}
    assert used & {"evalsha", "hgetall", "zrange"}
    assert told
    assert {name for name, facts in told.items() if "write" in facts["flags"]} == set()


def test_the_shapes_are_json_in_camel_case(queues, board):
    import msgspec

    queues.enqueue("add", a=1, b=1)
    page = json.loads(msgspec.json.encode(board.jobs(QUEUE, "waiting")))
    assert {"items", "nextCursor", "total", "totalExact"} == {*page}
    assert {"enqueuedAt", "requestId", "attempt"} <= {*page["items"][0]}


def test_the_most_that_waited_and_the_longest_are_kept_by_the_minute(queues, board, redis_server):
    assert {(point.waiting, point.oldest_wait_seconds) for point in board.history(QUEUE).points} == {(None, None)}
    ident, _ = queues.enqueue_many("add", [{"a": 1, "b": 1}] * 2)
    redis_server.client.hset(f"rq:job:{ident}", "since", f"{time.time() - 90:.6f}")
    queues.ledger.sample(queues.jobs.queues)
    queues.clear(QUEUE)
    queues.ledger.sample(queues.jobs.queues)  # what is less does not hide what was more
    for window in (3600, 86_400):
        points = board.history(QUEUE, window=window).points[-2:]  # a step may have ended meanwhile
        assert max(point.waiting or 0 for point in points) == 2
        assert 90 <= max(point.oldest_wait_seconds or 0 for point in points) < 120
    others = board.history("email-queue").points[-2:]
    assert {point.waiting for point in others} <= {0, None}
    assert 0 in [point.waiting for point in others]  # somebody looked, and none waited


def test_looking_at_what_waits_keeps_no_more_keys_than_queues_with_jobs(queues, redis_server):
    before = {*redis_server.client.keys()}
    for _ in range(3):
        queues.ledger.sample(queues.jobs.queues)
    assert {*redis_server.client.keys()} - before == {b"nexus:1:queues:looked:60", b"nexus:1:queues:looked:3600"}


def test_a_web_process_looks_too_so_that_a_queue_without_workers_is_seen_to_grow(queues, board, redis_url):
    runtime = Runtime(Settings(store=redis_url))
    queues.enqueue("add", a=1, b=1)
    runtime.start()
    (probe,) = [each for each in runtime.monitor.duty.probes if isinstance(each, QueueProbe)]
    assert probe(time.time())["queue_age"].value >= 0
    assert max(point.waiting or 0 for point in board.history(QUEUE).points[-2:]) == 1
    runtime.close()
