"""Jobs that do what no job should: each ends in one clear line, and the worker goes on."""

import asyncio

import pytest

from nexus_middleware.services.queues import Queues
from nexus_middleware.settings import Settings
from nexus_middleware.worker.runs import perform
from tests.worker.conftest import until

QUEUE = "content-processing-queue"
JOBS = """
import signal, threading
from nexus_middleware.services.jobs.registry import Work

@queues.job("fork", queue="content-processing-queue")
def fork(seconds: float):
    copy = os.fork() == 0
    if copy:
        ledger("copies", "one")
        return "the copy"
    time.sleep(seconds)
    return "the job"

@queues.job("fork.apart", queue="content-processing-queue", isolated=True)
def fork_apart():
    return "the copy" if os.fork() == 0 else "the job"

@queues.job("deafen", queue="content-processing-queue")
def deafen():
    for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    os.chdir("/")
    os.closerange(3, 64)

@queues.job("leave.thread", queue="content-processing-queue")
def leave_a_thread():
    threading.Thread(target=time.sleep, args=(3600,)).start()

@queues.job("exit", queue="content-processing-queue")
def leave():
    os._exit(7)

@queues.job("print", queue="content-processing-queue")
def shout():
    print("x" * 10_000_000)
"""


class Silent(Exception):
    """Cannot be said."""

    def __str__(self):
        raise RuntimeError("no words")

    __repr__ = __str__


@pytest.fixture
def queues(redis_url):
    made = Queues(redis_url, settings=Settings(store=redis_url, log_level="error"))
    yield made
    made.close()
    made.store.close()


@pytest.fixture
def hostile(worker):
    app = worker.folder / "jobs_app.py"
    app.write_text(app.read_text() + JOBS)
    return worker


def deep():
    return deep()


def nested():
    made = []
    for _ in range(100_000):
        made = [made]
    return made


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (KeyboardInterrupt, "KeyboardInterrupt"),
        (GeneratorExit, "GeneratorExit"),
        (asyncio.CancelledError, "CancelledError"),
        (type("Own", (BaseException,), {}), "Own"),
        (Silent, "Silent: <exception str() failed>"),
        (MemoryError, "MemoryError"),
    ],
)
def test_whatever_a_job_raises_is_its_failure_and_not_its_workers_end(queues, raised, told):
    @queues.job("raise", queue=QUEUE)
    def throw():
        raise raised

    queues.enqueue("raise")
    outcome = perform(queues.ledger.fetch("w", queues.jobs.queues), queues)
    assert outcome.kind == "retry"
    assert told in outcome.text.strip().splitlines()[-1]


def test_a_job_without_end_in_depth_is_told_by_one_line(queues):
    queues.job("deep", queue=QUEUE)(deep)
    queues.enqueue("deep")
    outcome = perform(queues.ledger.fetch("w", queues.jobs.queues), queues)
    assert outcome.text.splitlines()[-1].startswith("RecursionError")
    assert len(outcome.text) < 9_000


@pytest.mark.parametrize("result", [Silent(), nested(), print, {1: Silent()}, {"x": "\ud800"}], ids=type)
def test_a_job_is_done_whatever_it_returns(queues, result):
    queues.job("give", queue=QUEUE)(lambda: result)
    ident = queues.enqueue("give")
    claim = queues.ledger.fetch("w", queues.jobs.queues)
    outcome = perform(claim, queues)
    assert outcome.kind == "done"
    assert queues.ledger.finish("w", claim, outcome.kind, outcome.text, times="1:1")
    assert queues.board.job(ident).state == "completed"


def test_a_job_that_forks_is_done_once_and_its_copy_works_no_more(hostile):
    first, second = hostile.add("fork", seconds=0.5), hostile.add("fork.apart")
    hostile.start()
    until(lambda: {hostile.status(x) for x in (first, second)} == {"finished"}, what=hostile.log)
    assert hostile.lines("copies") == ["one"]
    assert {hostile.job(x)["result"] for x in (first, second)} == {b'"the job"'}
    stats = hostile.queues.stats(QUEUE)
    assert (stats.completed, stats.rescued_total) == (2, 0)
    assert "taken over" not in hostile.log


def test_a_job_that_meddles_with_its_process_keeps_nobody_from_working_and_stopping(hostile):
    hostile.add("deafen")
    hostile.add("print")
    apart = hostile.add("fork.apart")
    hostile.start()
    until(lambda: hostile.status(apart) == "finished", what=hostile.log[-2_000:])
    assert hostile.queues.stats(QUEUE).completed == 3
    assert hostile.stop() == 0


def test_threads_that_a_job_left_do_not_keep_its_worker_for_ever(hostile):
    ident = hostile.add("leave.thread")
    hostile.start()
    until(lambda: hostile.status(ident) == "finished", what=hostile.log)
    assert hostile.stop() == 0


def test_a_job_that_ends_its_process_four_times_says_how_it_ended(hostile):
    ident = hostile.add("exit")
    another = hostile.add("note", text="next")
    hostile.start()
    until(lambda: hostile.status(ident) == "failed", seconds=60, what=hostile.log)
    told = b"The worker died 4 times while it ran this job: its process ended with 7"
    assert hostile.job(ident)["exc_info"] == told
    until(lambda: hostile.status(another) == "finished", what=hostile.log)
    assert "Traceback" not in hostile.log


def test_a_job_that_was_renamed_while_it_waited_fails_and_is_run_when_its_name_is_known_again(hostile):
    ident = hostile.add("old.name", text="one")
    hostile.start("--burst")
    assert hostile.process.wait(30) == 0
    assert hostile.job(ident)["exc_info"].startswith(b"this worker knows no job named 'old.name'")
    app = hostile.folder / "jobs_app.py"
    app.write_text(app.read_text() + f'\nqueues.job("old.name", queue="{QUEUE}")(note)\n')
    assert hostile.queues.retry_failed(QUEUE) == 1
    hostile.start("--burst")
    assert hostile.process.wait(30) == 0
    assert hostile.lines("ended") == ["one"]


def test_a_file_of_readiness_that_cannot_be_written_is_told_at_once(worker):
    worker.start("--ready", str(worker.folder / "nowhere" / "ready"))
    assert worker.process.wait(30) == 2
    assert "--ready=" in worker.log
    assert len(worker.log.splitlines()) == 1
