"""Plain RQ on five queues, with its scheduler and its retries, under the same fire."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import redis
from rq import Queue, Retry
from rq.registry import FailedJobRegistry, StartedJobRegistry

from nexus_middleware.services.jobs.registry import QUEUES

from .field import PYTHON, Field, longest_rescue, work_again
from .ours import Report

FAR = 10**7  # seconds: as if so much time had passed for RQ's maintenance


def run(folder: Path, *, jobs: int, kills: int, restarts: int, seconds: float, seed: int = 1) -> Report:
    """Do as `ours.run` does."""
    began = time.time()
    program = shutil.which("rq", path=str(Path(PYTHON).parent)) or "rq"
    field = Field(folder, [program, "worker", "--with-scheduler", *QUEUES], seed=seed)
    field.environ["RQ_REDIS_URL"] = field.server.url
    client = redis.Redis.from_url(field.server.url)
    queues = [Queue(name, connection=client) for name in QUEUES]
    try:
        field.start()
        producer = threading.Thread(target=_produce, args=(queues, jobs, seconds))
        producer.start()
        deeds = ["kill"] * kills + ["restart"] * restarts
        field.random.shuffle(deeds)
        time.sleep(2.0)
        for i, deed in enumerate(deeds):
            time.sleep(field.random.uniform(0.5, 1.5) * seconds / len(deeds))
            field.kill(whole=bool(i % 2)) if deed == "kill" else field.restart_redis(3.0)
        producer.join(120)
        for _ in range(3):
            field.renew()  # and with it the scheduler that died when Redis was away
            _await_rest(field, queues)
            for queue in queues:  # RQ's workers do this every ten minutes
                StartedJobRegistry(queue=queue).cleanup(timestamp=int(time.time()) + FAR)
        _await_rest(field, queues)
        return _report(field, queues, jobs, time.time() - began)
    finally:
        client.close()
        field.stop()


def _produce(queues: list[Queue], jobs: int, seconds: float) -> None:
    for number in range(jobs):
        kind = "never" if number % 50 == 7 else "plain"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                queues[number % 5].enqueue(
                    "tests.chaos.jobs_app.mark",
                    kwargs={"number": str(number), "kind": kind},
                    job_id=f"mark-{number}",
                    retry=Retry(max=3, interval=[2, 4, 8]),
                )
            except redis.RedisError:
                time.sleep(0.2)
            else:
                break
        time.sleep(seconds / jobs)


def _await_rest(field: Field, queues: list[Queue]) -> None:
    """Wait until nothing waits any more, or nothing was done for half a minute."""
    size, since = 0, time.monotonic()
    while time.monotonic() - since < 30:
        counts = [queue.count + queue.scheduled_job_registry.get_job_count(cleanup=False) for queue in queues]
        if not any(counts):
            time.sleep(1.0)  # what was fetched last ends
            return
        if (now := field.ledger.stat().st_size) != size:
            size, since = now, time.monotonic()
        time.sleep(0.2)


def _report(field: Field, queues: list[Queue], jobs: int, seconds: float) -> Report:
    done, started = field.counts("done"), field.counts("start")
    failed = {ident[5:] for queue in queues for ident in FailedJobRegistry(queue=queue).get_job_ids(cleanup=False)}
    wanted = [*map(str, range(jobs))]
    seen = failed | {
        ident[5:]
        for queue in queues
        for ident in (*queue.job_ids, *queue.scheduled_job_registry.get_job_ids(cleanup=False))
    }
    return Report(
        jobs=jobs,
        done=sum(number in done for number in wanted),
        twice=sum(count > 1 for count in done.values()),
        started_twice=sum(count > 1 for count in started.values()),
        failed=len(failed - {*done}),
        failed_told=len(seen - {*done}),
        lost=tuple(number for number in wanted if number not in done and number not in seen),
        kills=len(field.kills),
        outages=len(field.outages),
        rescued_within=float("nan"),  # its maintenance was called by hand
        again_within=longest_rescue(field),
        back_within=work_again(field),
        due_within=(),
        late_within=(),
        seconds=seconds,
    )
