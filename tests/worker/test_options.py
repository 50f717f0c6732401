"""The worker's options: which queues, until when, and how a probe sees that it is ready."""

import time
from types import SimpleNamespace

from nexus_middleware.__main__ import main
from nexus_middleware.worker import child as child_module
from nexus_middleware.worker import command
from nexus_middleware.worker.child import Child
from tests.worker.conftest import until


def test_it_serves_the_queues_it_is_given_in_their_order(worker):
    first = worker.add("note", "own-queue", text="own")
    second = worker.add("note", "content-processing-queue", text="content")
    other = worker.add("note", "email-queue", text="mail")
    worker.start("--queues", "content-processing-queue,own-queue", "--burst")
    assert worker.process.wait(30) == 0
    assert worker.lines("ended") == ["content", "own"]
    assert [worker.status(ident) for ident in (first, second, other)] == ["finished", "finished", "queued"]


def test_a_burst_ends_when_no_job_waits(worker):
    ids = [worker.add("note", text=str(i)) for i in range(20)]
    worker.start("--burst", "--processes", "2")
    assert worker.process.wait(30) == 0
    assert {worker.status(ident) for ident in ids} == {"finished"}
    assert worker.queues.stats("email-queue").workers == 0


def test_a_burst_waits_for_the_turn_of_a_queue_with_a_rate(worker):
    worker.queues.set_rate("content-processing-queue", "5/second")
    for i in range(4):
        worker.add("note", text=str(i))
    worker.start("--burst")
    assert worker.process.wait(30) == 0
    assert len(worker.lines("ended")) == 4


def test_the_file_of_readiness_is_there_while_jobs_can_be_run(worker):
    file = worker.folder / "ready"
    worker.start("--ready", str(file))
    until(file.exists, what=worker.log)
    began = file.stat().st_mtime
    until(lambda: file.stat().st_mtime > began, what="touched")
    assert time.time() - file.stat().st_mtime < 10
    assert worker.stop() == 0
    assert not file.exists()


def test_an_unknown_queue_is_told_at_once(worker):
    worker.start("--queues", "emails")
    assert worker.process.wait(30) == 2
    assert "there is no queue 'emails'" in worker.log
    assert "Traceback" not in worker.log


def test_a_process_that_has_held_much_memory_makes_way_for_a_fresh_one(worker, monkeypatch):
    child = Child(worker.queues, "w", parent=0)
    assert not child._spent()
    monkeypatch.setattr(child_module, "memory", lambda: child._memory + 1)
    assert child._spent()


def test_a_schedule_is_kept_by_the_worker(worker):
    worker.queues.job("note", queue="content-processing-queue")(lambda text: None)
    worker.queues.schedules.add("each", "note", cron="* * * * *", payload={"text": "one"})
    worker.queues.ledger.client.zadd("nexus:1:queues:next", {"each": int(time.time()) // 60 * 60})
    worker.start("--processes", "2")
    until(lambda: worker.lines("ended") == ["one"], what=worker.log)
    until(lambda: worker.queues.schedules.every()[0].runs, what=worker.log)
    run = worker.queues.schedules.every()[0].runs[0]
    assert run.outcome == "done"
    assert run.run_ms is not None


def test_on_windows_it_says_what_does_not_run_and_what_would(monkeypatch, capsys, redis_url):
    monkeypatch.setenv("NEXUS_STORE", redis_url)
    monkeypatch.setattr(command, "os", SimpleNamespace(name="nt"))
    assert main(["worker"]) == 2
    assert capsys.readouterr().err == (
        "nexus worker: the worker does not run on Windows, which has no fork and no signals: use WSL or a container\n"
    )
