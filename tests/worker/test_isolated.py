"""Isolated jobs: they may crash, hang, leak or be canceled, and their worker goes on."""

import os
import signal
import time

import psutil
import pytest

from nexus_middleware.worker.isolated import Isolated
from tests.worker.conftest import until

QUEUE = "content-processing-queue"
JOBS = """
import signal, subprocess, sys
from nexus_middleware.services.jobs.registry import Later, Permanent, Work

@queues.job("apart", queue="content-processing-queue", isolated=True)
def apart(work: Work, text: str, seconds: float = 0.0):
    ledger("started", f"{os.getpid()}")
    work.progress(1, 2)
    time.sleep(seconds)
    if text == "permanent":
        raise Permanent("never")
    if text == "later":
        raise Later(60, "not yet")
    ledger("ended", text)
    return {"pid": os.getpid(), "text": text}

@queues.job("crash", queue="content-processing-queue", isolated=True)
def crash():
    ledger("started", f"{os.getpid()}")
    os.kill(os.getpid(), signal.SIGKILL)

@queues.job("hang", queue="content-processing-queue", isolated=True, timeout=0.3)
def hang():
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    ledger("started", f"{child.pid}")
    time.sleep(60)

@queues.job("leave", queue="content-processing-queue", isolated=True)
def leave():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    ledger("started", f"{child.pid}")
"""


@pytest.fixture
def apart(worker):
    """A worker with jobs that are isolated."""
    app = worker.folder / "jobs_app.py"
    app.write_text(app.read_text() + JOBS)
    return worker


def add(worker, name, **payload):
    return worker.add(name, QUEUE, **payload)


def gone(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_each_run_has_a_process_of_its_own_and_its_result_comes_back(apart):
    ids = [add(apart, "apart", text=text) for text in ("one", "two")]
    apart.start()
    until(lambda: all(apart.status(ident) == "finished" for ident in ids), what=apart.log)
    assert len({*apart.lines("started")}) == 2
    assert b'"text": "one"' in apart.job(ids[0])["result"]
    assert apart.job(ids[0])["progress"] == b'{"done": 1, "total": 2, "note": ""}'


def test_what_it_raises_means_the_same(apart):
    never, later = add(apart, "apart", text="permanent"), add(apart, "apart", text="later")
    apart.start()
    until(lambda: (apart.status(never), apart.status(later)) == ("failed", "scheduled"), what=apart.log)
    assert apart.job(never)["exc_info"] == b"never"


def test_one_that_crashes_again_and_again_is_failed_and_its_worker_goes_on(apart):
    ident = add(apart, "crash")
    apart.start()
    until(lambda: apart.status(ident) == "failed", what=apart.log)
    assert len(apart.lines("started")) == 4
    assert b"died 4 times" in apart.job(ident)["exc_info"]
    assert apart.queues.stats(QUEUE).rescued_total == 3
    after = add(apart, "apart", text="after")
    until(lambda: apart.status(after) == "finished", what=apart.log)
    assert "a worker died" not in apart.log


def test_one_that_cannot_be_interrupted_is_ended_with_all_that_it_started(apart, monkeypatch):
    for name, value in apart.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(apart.folder)
    isolated = Isolated("jobs_app:queues")
    add(apart, "apart", text="first")  # so that the forking process is there
    assert isolated.perform(apart.queues.ledger.fetch("w", [QUEUE]), 60.0).kind == "done"
    (apart.folder / "started").unlink()
    add(apart, "hang")
    outcome = isolated.perform(apart.queues.ledger.fetch("w", [QUEUE]), 5.0)
    assert outcome.kind == "retry"
    assert "could not be interrupted" in outcome.text
    until(lambda: gone(int(apart.lines("started")[0])), what="ended")
    isolated.close()


def test_what_a_job_leaves_running_is_ended(apart):
    ident = add(apart, "leave")
    apart.start()
    until(lambda: apart.status(ident) == "finished", what=apart.log)
    until(lambda: gone(int(apart.lines("started")[0])), what="ended")


def test_a_killed_worker_leaves_no_job_running_and_it_is_run_again(apart):
    ident = add(apart, "apart", text="one", seconds=1.0)
    apart.start()
    until(lambda: apart.lines("started"), what=apart.log)
    first = int(apart.lines("started")[0])
    (child,) = psutil.Process(apart.process.pid).children()
    os.kill(child.pid, signal.SIGKILL)
    until(lambda: gone(first), seconds=5, what="ended")
    until(lambda: apart.status(ident) == "finished", what=apart.log)
    assert apart.lines("ended") == ["one"]


@pytest.mark.parametrize("name", ["apart", "note"])
def test_a_job_that_runs_is_canceled_within_seconds(apart, name):
    ident = add(apart, name, text="one", seconds=60)
    apart.start()
    until(lambda: apart.lines("started"), what=apart.log)
    assert apart.queues.board.cancel(ident) == "stopping"
    began = time.monotonic()
    until(lambda: apart.status(ident) == "canceled", what=apart.log)
    assert time.monotonic() - began < 8
    assert apart.lines("ended") == []
    after = add(apart, name, text="after")
    until(lambda: apart.status(after) == "finished", what=apart.log)
    assert apart.stop() == 0
