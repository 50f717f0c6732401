"""Our worker, under fire."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

import redis

from nexus_middleware.errors import StoreError
from nexus_middleware.services.jobs.registry import QUEUES
from nexus_middleware.services.queues import Queues
from nexus_middleware.settings import Settings

from .field import PYTHON, Field, longest_rescue, work_again

COMMAND = [PYTHON, "-m", "nexus_middleware", "worker", "--app", "tests.chaos.jobs_app:queues", "--processes", "2"]


@dataclass(frozen=True)
class Report:
    """What became of the jobs."""

    jobs: int
    done: int
    twice: int  # done twice
    started_twice: int
    failed: int  # and visible as such
    failed_told: int  # by the counters
    lost: tuple[str, ...]
    kills: int
    outages: int
    rescued_within: float | None  # seconds, the longest that a dead worker held a job; None: nobody looked
    again_within: float  # seconds, the longest from a run that was cut off to the next run of its job
    back_within: list[float]  # seconds from each kill to the next begin of any job, sorted
    due_within: tuple[float, ...]  # seconds from the end of an outage until a retry due in it was put into its queue
    late_within: tuple[float, ...]  # and until it began, behind what waited in the queues before its own
    seconds: float


def run(folder: Path, *, jobs: int, kills: int, restarts: int, seconds: float, seed: int = 1) -> Report:
    """Queue `jobs` over `seconds`, and meanwhile kill and restart; return when all jobs have ended."""
    began = time.time()
    field = Field(folder, COMMAND, seed=seed)
    field.environ["NEXUS_STORE"] = field.server.url
    queues = Queues(field.server.url, settings=Settings(store=field.server.url))
    for queue in QUEUES:
        queues.job(f"mark.{queue}", queue=queue)(lambda **_: None)
    held = Held(field.server.url)
    try:
        field.start()
        producer = threading.Thread(target=_produce, args=(queues, jobs, seconds))
        producer.start()
        held.start()
        late, due = _fight(field, queues, kills, restarts, seconds)
        producer.join(120)
        _await_the_end(queues)
        return _report(field, queues, held, late, due, jobs=jobs, seconds=time.time() - began)
    finally:
        held.stop()
        queues.close()
        queues.store.close()
        field.stop()


class Held:
    """Looks four times a second at who holds which job, and for how long: a job itself takes 20 ms."""

    def __init__(self, url: str) -> None:
        self.longest = 0.0
        self._client = redis.Redis.from_url(url, socket_timeout=1)
        self._since: dict[bytes, float] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5)
        self._client.close()

    def _run(self) -> None:
        while not self._stopping.wait(0.25):
            try:
                now = {member for queue in QUEUES for member in self._client.zrange(f"rq:wip:{queue}", 0, -1)}
            except redis.RedisError:
                continue  # it is away: whoever holds a job holds it still
            self._since = {member: self._since.get(member, time.monotonic()) for member in now}
            self.longest = max([self.longest, *[time.monotonic() - since for since in self._since.values()]])


def _kind(number: int) -> str:
    return "never" if number % 50 == 7 else "plain"


def _produce(queues: Queues, jobs: int, seconds: float) -> None:
    for number in range(jobs):
        _insist(queues, QUEUES[number % 5], str(number), kind=_kind(number))
        time.sleep(seconds / jobs)


def _insist(queues: Queues, queue: str, number: str, **payload: object) -> None:
    """Queue it, once, however often Redis is away: a key makes the repeat harmless."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            queues.options(key=number).enqueue(f"mark.{queue}", number=number, **payload)
        except StoreError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"job {number} could not be queued")


def _fight(field: Field, queues: Queues, kills: int, restarts: int, seconds: float) -> tuple[list[str], list[float]]:
    """Kill and restart at random times; return the jobs whose retry was due in an outage, and when it was in its queue."""
    deeds = ["kill"] * kills + ["restart"] * restarts
    field.random.shuffle(deeds)
    late: list[str] = []
    due: list[float] = []
    time.sleep(2.0)  # the first worker is up
    for i, deed in enumerate(deeds):
        time.sleep(field.random.uniform(0.5, 1.5) * seconds / len(deeds))
        if deed == "kill":
            field.kill(whole=bool(i % 2))
            continue
        number, queue = f"late-{i}", QUEUES[i % 5]
        _insist(queues, queue, number, kind="late")
        if _until(lambda number=number: field.counts("failed")[number], 30.0):
            time.sleep(0.2)  # its end is written down; it is due in 2 s
            late.append(number)
        field.restart_redis(3.0)
        if number in late:
            _until(lambda queue=queue: not _overdue(field, queue), 15.0)
            due.append(time.time() - field.outages[-1][1])
        _until(lambda number=number: field.counts("start")[number] > 1, 15.0)  # nobody is killed while this is timed
    return late, due


def _overdue(field: Field, queue: str) -> int:
    """How many retries of `queue` should have been put into it by now."""
    return int(field.server.client.zcount(f"rq:scheduled:{queue}", 0, time.time()))


def _await_the_end(queues: Queues) -> None:
    def over() -> bool:
        try:
            return all(not (each.waiting or each.active or each.delayed) for each in queues.all_stats().values())
        except StoreError:
            return False

    assert _until(over, 90.0), f"jobs are still on their way: {queues.all_stats()}"


def _until(holds, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _report(
    field: Field, queues: Queues, held: Held, late: list[str], due: list[float], *, jobs: int, seconds: float
) -> Report:
    done, started = field.counts("done"), field.counts("start")
    failed: set[str] = set()
    for queue in QUEUES:
        for row in queues.board.jobs(queue, "failed", limit=200).items:
            detail = queues.board.job(row.id)
            assert detail is not None
            failed.add(detail.payload["number"])
    wanted = [*map(str, range(jobs)), *[number for number in started if number.startswith("late-")]]
    second = {number: [at for at, what, each in field.lines() if (what, each) == ("start", number)] for number in late}
    ends = [end for _, end in field.outages]
    return Report(
        jobs=len(wanted),
        done=sum(number in done for number in wanted),
        twice=sum(count > 1 for count in done.values()),
        started_twice=sum(count > 1 for number, count in started.items() if not number.startswith("late-")),
        failed=len(failed),
        failed_told=sum(each.failed_total for each in queues.all_stats().values()),
        lost=tuple(number for number in wanted if number not in done and number not in failed),
        kills=len(field.kills),
        outages=len(field.outages),
        rescued_within=held.longest,
        again_within=longest_rescue(field),
        back_within=work_again(field),
        due_within=tuple(due),
        late_within=tuple(
            max(0.0, starts[1] - _next(ends, starts[0])) for starts in second.values() if len(starts) > 1
        ),
        seconds=seconds,
    )


def _next(ends: list[float], at: float) -> float:
    return next(end for end in ends if end > at)
