"""Plain RQ, saq and dramatiq under the same fire, each with four attempts and as its documents advise."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis

from nexus_middleware.services.jobs.registry import QUEUES

from .field import PYTHON, Field, longest_rescue, work_again
from .ours import Report

FAR = 10**7  # seconds: as if so much time had passed for RQ's maintenance


class Peer:
    """One of them.

    Args:
        url: Of the Redis.
    """

    command: tuple[str, ...]
    patience = 30.0  # seconds without any job, after which it has come to rest
    rounds = 1

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(url)

    def add(self, number: int, kind: str) -> None:
        """Queue a job."""
        raise NotImplementedError

    def known(self) -> dict[str, str]:
        """Return what becomes of each job that it still knows: "waits", "failed" or "done"."""
        raise NotImplementedError

    def tidy(self) -> None:
        """Do by hand what is done too rarely to wait for."""

    def close(self) -> None:
        """Drop the connections."""
        self.client.close()


class PlainRQ(Peer):
    """One worker, which forks, with its scheduler."""

    command = ("rq", "worker", "--with-scheduler", *QUEUES)
    rounds = 4

    def __init__(self, url: str) -> None:
        from rq import Queue

        super().__init__(url)
        self.queues = [Queue(name, connection=self.client) for name in QUEUES]

    def add(self, number: int, kind: str) -> None:
        from rq import Retry

        self.queues[number % 5].enqueue(
            "tests.chaos.marks.mark",
            kwargs={"number": str(number), "kind": kind},
            job_id=f"mark-{number}",
            retry=Retry(max=3, interval=[2, 4, 8]),
        )

    def known(self) -> dict[str, str]:
        from rq.registry import FailedJobRegistry

        told: dict[str, str] = {}
        for queue in self.queues:
            waiting = (*queue.job_ids, *queue.scheduled_job_registry.get_job_ids(cleanup=False))
            told |= dict.fromkeys([ident[5:] for ident in waiting], "waits")
            failed = FailedJobRegistry(queue=queue).get_job_ids(cleanup=False)
            told |= dict.fromkeys([ident[5:] for ident in failed], "failed")
        return told

    def tidy(self) -> None:
        from rq.registry import StartedJobRegistry

        for queue in self.queues:  # RQ's workers do this every ten minutes
            StartedJobRegistry(queue=queue).cleanup(timestamp=int(time.time()) + FAR)


class Saq(Peer):
    """Two processes of one job at a time, on one queue: a process of saq serves no more."""

    command = ("saq", "tests.chaos.saq_app.settings", "--workers", "2")
    patience = 60.0

    def add(self, number: int, kind: str) -> None:
        from .saq_app import add

        asyncio.run(add(number, kind))

    def known(self) -> dict[str, str]:
        states = {"complete": "done", "failed": "failed", "aborted": "failed"}
        keys = [*self.client.scan_iter("saq:job:chaos:*", count=1_000)]
        jobs = [json.loads(text) for text in (self.client.mget(keys) if keys else []) if text]
        return {job["kwargs"]["number"]: states.get(job.get("status", ""), "waits") for job in jobs}


class Dramatiq(Peer):
    """Two processes of one thread, on the five queues."""

    command = ("dramatiq", "tests.chaos.dramatiq_app", "--processes", "2", "--threads", "1")
    patience = 120.0  # maintenance comes by chance

    def add(self, number: int, kind: str) -> None:
        from .dramatiq_app import actors

        actors[number % 5].send(str(number), kind)

    def known(self) -> dict[str, str]:
        told: dict[str, str] = {}
        for queue in QUEUES:
            for kept, state in ((".XQ", "failed"), ("", "waits"), (".DQ", "waits")):
                messages = self.client.hvals(f"dramatiq:{queue}{kept}.msgs")
                told |= {json.loads(text)["args"][0]: state for text in messages}
        return told


def runner(make: Callable[[str], Peer]) -> Callable[..., Report]:
    """Return what runs a peer as `ours.run` runs our worker."""

    def run(folder: Path, *, jobs: int, kills: int, restarts: int, seconds: float, seed: int = 1) -> Report:
        began = time.time()
        field = Field(folder, [], seed=seed)
        field.environ["CHAOS_REDIS"] = field.environ["RQ_REDIS_URL"] = field.server.url
        os.environ |= {
            "CHAOS_REDIS": field.server.url,
            "CHAOS_LEDGER": str(field.ledger),
        }  # for the apps, imported here
        peer = make(field.server.url)
        program, *words = peer.command
        field.command = [shutil.which(program, path=str(Path(PYTHON).parent)) or program, *words]
        try:
            field.start()
            producer = threading.Thread(target=_produce, args=(peer, jobs, seconds))
            producer.start()
            deeds = ["kill"] * kills + ["restart"] * restarts
            field.random.shuffle(deeds)
            time.sleep(2.0)
            for i, deed in enumerate(deeds):
                time.sleep(field.random.uniform(0.5, 1.5) * seconds / len(deeds))
                field.kill(whole=bool(i % 2)) if deed == "kill" else field.restart_redis(3.0)
            producer.join(120)
            for number in range(peer.rounds):
                if number:
                    peer.tidy()
                field.renew()  # and with it what died when Redis was away
                _await_rest(field, peer)
            return _report(field, peer, jobs, time.time() - began)
        finally:
            peer.close()
            field.stop()

    return run


def _produce(peer: Peer, jobs: int, seconds: float) -> None:
    for number in range(jobs):
        kind, deadline = "never" if number % 50 == 7 else "plain", time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                peer.add(number, kind)
            except (redis.RedisError, OSError, _broken()):
                time.sleep(0.2)
            else:
                break
        time.sleep(seconds / jobs)


def _broken() -> type[Exception]:
    """Return what dramatiq raises while its broker is away; what nobody raises where it is not installed."""
    try:
        from dramatiq.errors import ConnectionError as Broken
    except ImportError:
        return redis.RedisError
    return Broken


def _await_rest(field: Field, peer: Peer) -> None:
    """Wait until nothing waits any more, or nothing was done for as long as the peer may take."""
    size, since = 0, time.monotonic()
    while time.monotonic() - since < peer.patience:
        if "waits" not in peer.known().values():
            time.sleep(1.0)  # what was fetched last ends
            return
        if (now := field.ledger.stat().st_size) != size:
            size, since = now, time.monotonic()
        time.sleep(0.5)


def _report(field: Field, peer: Peer, jobs: int, seconds: float) -> Report:
    done, started, known = field.counts("done"), field.counts("start"), peer.known()
    failed = {number for number, state in known.items() if state == "failed"} - {*done}
    seen = {number for number, state in known.items() if state != "done"} - {*done}
    wanted: list[Any] = [*map(str, range(jobs))]
    return Report(
        jobs=jobs,
        done=sum(number in done for number in wanted),
        twice=sum(count > 1 for count in done.values()),
        started_twice=sum(count > 1 for count in started.values()),
        failed=len(failed),
        failed_told=len(seen),
        lost=tuple(number for number in wanted if number not in done and number not in seen),
        kills=len(field.kills),
        outages=len(field.outages),
        rescued_within=None,  # each keeps its running jobs elsewhere
        again_within=longest_rescue(field),
        back_within=work_again(field),
        due_within=(),
        late_within=(),
        seconds=seconds,
    )


PEERS = {"rq": runner(PlainRQ), "saq": runner(Saq), "dramatiq": runner(Dramatiq)}
