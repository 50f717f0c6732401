"""A worker that stands still for longer than it may, and one whose clock is wrong: no job is done twice or lost."""

import signal
import time

import psutil
import pytest

from tests.worker.conftest import APP, until

QUEUE = "content-processing-queue"
JOBS = """
@queues.job("slowly", queue="content-processing-queue", timeout=60)
def slowly():
    first = not os.path.exists("started")
    ledger("started", str(os.getpid()))
    while first:
        time.sleep(0.02)
    ledger("ended", str(os.getpid()))
    return {"pid": os.getpid()}
"""


def test_a_worker_that_is_frozen_longer_than_its_claim_lasts_stops_the_job_that_another_was_given(worker):
    app = worker.folder / "jobs_app.py"
    app.write_text(app.read_text() + JOBS)
    ident = worker.add("slowly")
    worker.start("--processes", "2")
    first = psutil.Process(int(until(lambda: worker.lines("started"), what=worker.log)[0]))
    first.send_signal(signal.SIGSTOP)
    try:
        client = worker.queues.ledger.client
        (member,) = client.zrange(f"rq:wip:{QUEUE}", 0, -1)
        client.zadd(f"rq:wip:{QUEUE}", {member: time.time()})  # as if its 30 seconds had passed
        until(lambda: worker.status(ident) == "finished", what=worker.log)
    finally:
        first.send_signal(signal.SIGCONT)
    until(lambda: "taken over by another worker" in worker.log, what=worker.log)
    (second,) = worker.lines("ended")
    assert worker.lines("started") == [str(first.pid), second]
    assert worker.job(ident)["result"] == b'{"pid": %s}' % second.encode()
    stats = worker.queues.stats(QUEUE)
    assert (stats.completed, stats.rescued_total, stats.failed_total, stats.active) == (1, 1, 0, 0)
    another = worker.add("note", text="next")  # and it works on
    until(lambda: worker.status(another) == "finished", what=worker.log)
    assert first.is_running()


@pytest.mark.parametrize("hours", [1, -1])
def test_a_worker_whose_clock_is_an_hour_off_goes_by_that_of_redis(worker, hours):
    clock = f"import time\nreal = time.time\ntime.time = lambda: real() + {hours * 3600}\n"
    (worker.folder / "jobs_app.py").write_text(clock + APP)
    began, ready = time.monotonic(), worker.folder / "ready"
    worker.add("fail", text="it broke")
    worker.queues.job("note", queue=QUEUE)(lambda text: None)
    worker.queues.options(delay=3.0).enqueue("note", text="delayed")
    worker.queues.options(delay=600.0).enqueue("note", text="much later")
    worker.queues.schedules.add("each", "note", cron="0 0 1 1 *", payload={"text": "yearly"})
    worker.start("--ready", str(ready))
    until(lambda: len(worker.lines("started")) >= 2 and worker.lines("ended"), what=worker.log)
    assert time.monotonic() - began >= 2
    until(ready.exists, what=worker.log)
    assert worker.lines("ended") == ["delayed"]
    assert worker.queues.stats(QUEUE).delayed >= 1
    assert worker.queues.board.history(QUEUE).points[-1].at == int(time.time()) // 60 * 60
