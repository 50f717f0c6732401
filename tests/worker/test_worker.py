"""The worker: what it runs, what it does with failures, and what it survives."""

import email
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from nexus_middleware.__main__ import COMMANDS, main
from tests.worker.conftest import ROOT, Worker, until

MAIL = {"to": "ann@example.org", "subject": "Hällo", "html": "<p>Hi</p>", "text": "Hi"}


def test_an_email_is_delivered_once_with_what_was_said(worker, mail_server):
    ident = worker.queues.queue_email(**MAIL)
    worker.start()
    until(lambda: worker.status(ident) == "finished", what=worker.log)
    message = email.message_from_bytes(mail_server.mails[0].content, policy=email.policy.default)
    assert mail_server.mails[0].rcpt_tos == ["ann@example.org"]
    assert (message["From"], message["Subject"]) == ("shop@example.org", "Hällo")
    assert message.get_body(("html",)).get_content().strip() == "<p>Hi</p>"
    assert message.get_body(("plain",)).get_content().strip() == "Hi"
    assert worker.queues.stats("email-queue").completed == 1
    assert len(mail_server.mails) == 1


def test_two_jobs_with_one_key_send_one_mail(worker, mail_server):
    ids = worker.queues.queue_bulk_emails([{**MAIL, "key": "order-7"}] * 2)
    worker.start()
    until(lambda: all(worker.status(ident) == "finished" for ident in ids), what=worker.log)
    assert len(mail_server.mails) == 1
    assert b"already sent" in worker.job(ids[1])["result"]


def test_a_mail_refused_for_good_fails_at_once(worker, mail_server):
    mail_server.says = ["550 no such user"]
    ident = worker.queues.queue_email(**MAIL)
    worker.start()
    until(lambda: worker.status(ident) == "failed", what=worker.log)
    assert b"550" in worker.job(ident)["exc_info"]
    assert worker.queues.stats("email-queue").retried_total == 0


def test_a_mail_refused_for_now_is_sent_by_the_retry_after_two_seconds(worker, mail_server):
    mail_server.says = ["451 try later", "250 OK"]
    ident = worker.queues.queue_email(**MAIL)
    worker.start()
    until(lambda: worker.status(ident) == "finished", what=worker.log)
    assert len(mail_server.mails) == 1
    assert worker.job(ident)["retries_left"] == b"2"


def test_our_own_jobs_are_run_and_those_that_never_can_be_fail_at_once_and_say_why(worker):
    queues = worker.queues
    done = [
        queues.queue_analytics_aggregation(type="daily", date="2026-01-01"),
        queues.queue_metric_calculation("users", "2026-01"),
        queues.queue_notification(user_id="7", type="info", title="T", message="M"),
    ]
    failed = {
        queues.queue_metric_calculation("luck", "2026-01"): b"no metric is called",
        queues.queue_content_processing(type="video", content_id="9", operations=["probe"]): b"no folder for content",
        queues.queue_revenue_calculation(type="all"): b"no subscriptions",
    }
    worker.start()
    until(lambda: [worker.status(x) for x in done] == ["finished"] * 3, what=worker.log)
    until(lambda: {worker.status(x) for x in failed} == {"failed"}, what=worker.log)
    for ident, why in failed.items():
        assert worker.job(ident)["exc_info"].startswith(why)
        assert worker.job(ident)["retries_left"] == b"3"


def test_the_users_own_jobs_are_run_plain_and_async(worker):
    first = worker.add("note", text="one")
    worker.add("anote", "own-queue", text="two")
    worker.start()
    until(lambda: {*worker.lines("ended")} == {"one", "two"}, what=worker.log)
    until(lambda: worker.status(first) == "finished")
    assert worker.job(first)["result"] == b'{"noted": "one"}'


def test_a_name_that_is_not_registered_is_never_imported(worker):
    ident = worker.add("os.getcwd")
    worker.start()
    until(lambda: worker.status(ident) == "failed", what=worker.log)
    assert b"knows no job named 'os.getcwd'" in worker.job(ident)["exc_info"]


def test_what_is_not_json_is_never_unpickled(worker):
    ident = worker.add("note", text="one")
    evil = b"cposix\nsystem\n(S'touch pickled'\ntR."
    worker.queues.ledger.client.hset(f"rq:job:{ident}", "data", evil)
    worker.start()
    until(lambda: worker.status(ident) == "failed", what=worker.log)
    assert not (worker.folder / "pickled").exists()


def test_a_failed_job_is_tried_again_after_2_4_and_8_seconds_and_then_fails(worker):
    ident = worker.add("fail", text="it broke")
    worker.start()
    client = worker.queues.ledger.client
    for runs, seconds in enumerate((2, 4, 8), 1):
        until(lambda runs=runs: len(worker.lines("started")) == runs, what=worker.log)
        ended = time.time()
        due = until(lambda: client.zscore("rq:scheduled:content-processing-queue", ident), what=worker.log)
        assert -0.5 < due - ended - seconds <= seconds * 0.1 + 0.5
        assert worker.job(ident)["retries_left"] == b"%d" % (3 - runs)
        client.zadd("rq:scheduled:content-processing-queue", {ident: time.time()})  # as if the time had passed
    until(lambda: worker.status(ident) == "failed", what=worker.log)
    assert b"attempt 4 of 4 failed" in worker.job(ident)["exc_info"]
    assert b"ValueError: it broke" in worker.job(ident)["exc_info"]
    stats = worker.queues.stats("content-processing-queue")
    assert (stats.failed, stats.failed_total, stats.retried_total) == (1, 1, 3)


def test_a_job_that_runs_too_long_is_stopped_even_if_it_catches_exceptions(worker):
    ident = worker.add("slow")
    worker.start()
    until(lambda: worker.status(ident) == "scheduled", what=worker.log)
    assert b"longer than its 0.2 seconds" in worker.job(ident)["exc_info"]
    assert worker.lines("ended") == []


def test_a_job_whose_worker_is_killed_is_run_again(worker):
    worker.add("note", text="one", seconds=0.5)
    worker.start()
    until(lambda: worker.lines("started"), what=worker.log)
    for child in worker.children:
        child.kill()
    until(lambda: worker.lines("ended") == ["one"], what=worker.log)
    assert worker.lines("started") == ["one", "one"]
    assert worker.queues.stats("content-processing-queue").rescued_total == 1


def test_a_mail_whose_worker_is_killed_while_sending_is_sent_once_its_claim_has_ended(worker, mail_server):
    ident = worker.queues.queue_email(**MAIL)
    mail_server.pause.clear()
    worker.start()
    until(mail_server.asked.is_set, what=worker.log)
    for child in worker.children:
        child.kill()
    until(lambda: worker.status(ident) == "scheduled", what=worker.log)
    client = worker.queues.ledger.client
    due = client.zscore("rq:scheduled:email-queue", ident) - time.time()
    assert due <= 26
    assert worker.job(ident)["retries_left"] == b"3"
    mail_server.pause.set()
    client.delete(*client.keys("nexus:1:once:*"))  # as if the claim's 25 seconds had passed
    client.zadd("rq:scheduled:email-queue", {ident: time.time()})
    until(lambda: worker.status(ident) == "finished", what=worker.log)
    assert len(mail_server.mails) == 1


def test_a_job_whose_worker_and_supervisor_are_killed_is_run_by_the_next(worker):
    ident = worker.add("note", text="one", seconds=0.5)
    worker.start()
    until(lambda: worker.lines("started"), what=worker.log)
    for process in (*worker.children, psutil.Process(worker.process.pid)):
        process.kill()
    worker.process.wait()
    client = worker.queues.ledger.client
    (member,) = client.zrange("rq:wip:content-processing-queue", 0, -1)
    assert member.startswith(ident.encode())
    client.zadd("rq:wip:content-processing-queue", {member: time.time()})  # as if its 30 seconds had passed
    worker.start()
    until(lambda: worker.status(ident) == "finished", what=worker.log)


def test_a_child_whose_supervisor_is_killed_finishes_its_job_and_leaves(worker):
    worker.add("note", text="one", seconds=1.0)
    worker.start()
    until(lambda: worker.lines("started"), what=worker.log)
    children = worker.children
    worker.process.kill()
    worker.process.wait()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive
    assert worker.lines("ended") == ["one"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_job_end_and_leaves_no_process(worker, number):
    ident = worker.add("note", text="one", seconds=0.7)
    worker.add("note", text="two")
    worker.start()
    until(lambda: worker.lines("started"), what=worker.log)
    children = worker.children
    assert children
    assert worker.stop(number) == 0
    assert not any(child.is_running() for child in children)
    assert worker.lines("ended") == ["one"]
    assert worker.status(ident) == "finished"
    stats = worker.queues.stats("content-processing-queue")
    assert (stats.waiting, stats.workers, stats.active) == (1, 0, 0)
    assert "Traceback" not in worker.log


def test_a_second_signal_ends_it_at_once_and_the_job_is_put_back(worker):
    ident = worker.add("note", text="one", seconds=60)
    worker.start()
    until(lambda: worker.lines("started"), what=worker.log)
    worker.process.terminate()
    time.sleep(0.2)
    assert worker.stop() == 0
    assert worker.status(ident) == "queued"
    assert worker.lines("ended") == []


def test_workers_and_the_busy_are_counted(worker):
    worker.start("--processes", "2")
    until(lambda: worker.queues.stats("email-queue").workers == 2, what=worker.log)
    worker.add("note", text="one", seconds=1.0)
    until(lambda: worker.queues.stats("content-processing-queue").busy == 1, what=worker.log)
    until(lambda: worker.lines("ended"), what=worker.log)
    assert worker.stop() == 0
    assert worker.queues.stats("email-queue").workers == 0


def test_it_outlives_a_redis_that_goes_and_comes_back(own_server, tmp_path, mail_server):
    folder = tmp_path / "work"
    folder.mkdir()
    worker = Worker(folder, own_server.url)
    try:
        worker.start().ready()
        worker.add("note", text="one", seconds=1.0)
        until(lambda: worker.lines("started"), what=worker.log)
        own_server.client.save()
        own_server.stop(kill=True)
        time.sleep(1.5)
        own_server.start()
        ident = worker.add("note", text="two")
        until(lambda: worker.status(ident) == "finished", what=worker.log)
        assert worker.process.poll() is None
        assert worker.stop() == 0
        assert worker.lines("ended") == ["one", "two"]
    finally:
        worker.close()


@pytest.mark.parametrize(
    ("environ", "words", "told"),
    [
        ({"NEXUS_STORE": "redis://127.0.0.1:1/0"}, [], "did not answer"),
        ({"NEXUS_STORE": "memory://"}, [], "set NEXUS_QUEUE_STORE (or NEXUS_STORE)"),
        ({"NEXUS_STROE": "redis://127.0.0.1:1/0"}, [], "did you mean NEXUS_STORE?"),
        ({}, ["--app", "nowhere"], "module:attribute"),
        ({}, ["--app", "nowhere:app"], "cannot be imported"),
        ({}, ["--app", "os:path"], "neither a Queues nor"),
        ({}, ["--processes", "0"], "from 1 to 256"),
        ({}, ["--proceses", "1"], "unrecognized"),
    ],
)
def test_wrong_use_is_one_clear_line_and_exit_code_2(environ, words, told, tmp_path):
    keep = {k: v for k, v in os.environ.items() if not k.startswith("NEXUS_") and k != "REDIS_URL"}
    command = [sys.executable, "-m", "nexus_middleware", "worker", *words]
    ran = subprocess.run(
        command,
        env={**keep, "PYTHONPATH": str(ROOT), **environ},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert told in ran.stderr.splitlines()[-1]
    assert "Traceback" not in ran.stderr


def test_a_wrong_mail_server_is_told_at_the_start(redis_url, monkeypatch, capsys):
    monkeypatch.setenv("NEXUS_STORE", redis_url)
    monkeypatch.setenv("NEXUS_SMTP_URL", "smtp://ann:secret@mail.example.org")
    assert main(["worker"]) == 2
    said = capsys.readouterr().err
    assert "in clear" in said
    assert "secret" not in said


@pytest.mark.parametrize("words", [["--help"], *[[name, "--help"] for name in COMMANDS]])
def test_every_command_has_help(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("usage: nexus")
