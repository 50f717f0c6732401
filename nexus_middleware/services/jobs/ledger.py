"""All that is written about jobs in Redis: RQ's job format and registries, moved by scripts that cannot be cut in half."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

# At the top, for rq's parts import one another in a circle: two threads that began at two ends of it would both fail.
from redis.exceptions import RedisError
from rq.defaults import RQ_KEY_PREFIX
from rq.job import Job, JobStatus, Retry
from rq.queue import Queue
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer

from ...errors import SettingsError, StoreError
from ...rules.retries import DELAYS, RETRIES
from .registry import Known

if TYPE_CHECKING:
    import redis

    from ...stores.redis import RedisStore

HOLD = 30.0  # seconds without a heartbeat after which a worker counts as dead
KEPT_DONE, KEPT_FAILED = 100, 500  # jobs a queue
KEPT_FOR = 365 * 86_400  # seconds
MOST_RESCUES = 3
AT_ONCE = 500  # jobs in one script, so that others are not held up
OLDEST = (6, 2)


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that this worker, and no other, is running."""

    queue: str  # by its name in Redis
    member: str  # job and execution
    job: Job


class Ledger:
    """One store's jobs, for one process; forked ones get connections of their own.

    Args:
        store: Where the jobs are.
        namespace: Part of the queues' names unless it is "nexus", since RQ's keys are not under ours.
        timeout: Seconds that a trip may take.
    """

    def __init__(self, store: RedisStore, *, namespace: str = "nexus", timeout: float = 2.0) -> None:
        self._store, self._timeout = store, timeout
        self.prefix = store.prefix
        self._before = "" if namespace == "nexus" else f"{namespace}:"
        self._forget()

    def _forget(self) -> None:
        self._pid = os.getpid()
        self._dialling = threading.Lock()
        self._client: redis.Redis | None = None

    @property
    def where(self) -> str:
        """The store's URL without its password."""
        return self._store.where

    @property
    def client(self) -> redis.Redis:
        """This process's client."""
        if self._pid != os.getpid():
            self._forget()
        client = self._client
        if client is None:
            with self._dialling:  # a second client would be dropped, and closed under the thread that got it first
                client = self._client = self._client or self._store.dial(timeout=self._timeout)
        return client

    def again(self, *, timeout: float | None = None) -> Ledger:
        """Return a ledger with a client of its own, as for another thread."""
        namespace = self._before[:-1] or "nexus"
        return Ledger(self._store, namespace=namespace, timeout=timeout or self._timeout)

    def close(self) -> None:
        """Drop the connections; used again, it opens new ones."""
        if self._client is not None and self._pid == os.getpid():
            self._client.close()
        self._client = None

    def wire(self, queue: str) -> str:
        """Return the name that `queue` has in Redis."""
        return self._before + queue

    def run(self, script: str, *args: object) -> Any:
        """Run `queue_<script>.lua` with RQ's prefix, ours, and `args`.

        Raises:
            StoreError: the store did not answer, or refused.
        """
        with trip():
            return _script(script, self.client)(args=[f"{RQ_KEY_PREFIX}:", self.prefix, *args])

    def check(self) -> list[str]:
        """Return warnings about a store that answers and will do.

        Raises:
            StoreError: it does not answer.
            SettingsError: jobs cannot be kept there.
        """
        with trip():
            facts: Any = self.client.info()
        version = str(facts["redis_version"])
        if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
            raise SettingsError(f"the server at {self.where} is version {version}: queues need at least 6.2")
        if facts.get("cluster_enabled"):
            raise SettingsError(f"the server at {self.where} is a cluster: name a single one in NEXUS_QUEUE_STORE")
        policy = facts.get("maxmemory_policy", "noeviction")
        return (
            [] if policy == "noeviction" else [f"maxmemory-policy is {policy}: jobs may vanish; set it to noeviction"]
        )

    def add(self, known: Known, payloads: Sequence[Mapping[str, Any]]) -> list[str]:
        """Queue a job for each of the payloads, in one transaction for each 500; return their ids."""
        key = Queue.redis_queue_namespace_prefix + self.wire(known.queue)
        ids: list[str] = []
        for start in range(0, len(payloads), AT_ONCE):
            jobs = [self._make(known, payload) for payload in payloads[start : start + AT_ONCE]]
            with trip(), self.client.pipeline() as pipe:
                pipe.sadd(Queue.redis_queues_keys, key)
                for job in jobs:
                    job.save(pipeline=pipe)
                pipe.rpush(key, *[job.id for job in jobs])
                pipe.lpush(f"{self.prefix}queues:bell", *[1] * min(len(jobs), 31))
                pipe.ltrim(f"{self.prefix}queues:bell", 0, 31)
                pipe.execute()
            ids += [job.id for job in jobs]
        return ids

    def _make(self, known: Known, payload: Mapping[str, Any]) -> Job:
        job = Job.create(
            known.name,
            kwargs=dict(payload),
            connection=self.client,
            serializer=JSONSerializer,
            id=str(uuid.uuid4()),
            origin=self.wire(known.queue),
            timeout=max(1, round(known.timeout)),
            retry=Retry(max=RETRIES, interval=[int(seconds) for seconds in DELAYS]),
            status=JobStatus.QUEUED,
            description=known.name,  # RQ's own would show the arguments
        )
        job.enqueued_at = datetime.now(UTC)
        return job

    def wait(self, seconds: float) -> None:
        """Return when a job may have come, after `seconds` at the latest."""
        with trip():
            self.client.blpop([f"{self.prefix}queues:bell"], timeout=seconds)

    def fetch(self, worker: str, queues: Sequence[str]) -> Claim | None:
        """Claim the first job of the first of `queues` that has one and is not paused."""
        execution = uuid.uuid4().hex
        found = self.run("fetch", worker, execution, HOLD, moment(), *[self.wire(queue) for queue in queues])
        if found is None:
            return None
        queue, ident, flat = found
        job = Job(ident.decode(), connection=self.client, serializer=JSONSerializer)
        job.restore(dict(zip(flat[::2], flat[1::2], strict=True)))
        return Claim(queue.decode(), f"{job.id}:{execution}", job)

    def finish(
        self, worker: str, claim: Claim, outcome: str, text: str, *, seconds: float = 0.0, times: str = ""
    ) -> bool:
        """Write down how a run ended; False: too late, another worker has the job.

        Args:
            worker: Who ran it.
            claim: What was run.
            outcome: "done", "retry", "later" or "failed".
            text: The result as JSON, or why it failed.
            seconds: To wait, before a retry or later.
            times: Milliseconds waited and run, "wait:run".
        """
        kept = KEPT_DONE if outcome == "done" else KEPT_FAILED
        head = (worker, claim.queue, claim.member, moment(), outcome, text)
        return bool(self.run("finish", *head, seconds, kept, times, KEPT_FOR))

    def beat(self, worker: str, claim: Claim | None, facts: Mapping[str, str | int | float]) -> None:
        """Note that `worker` lives, and what it is."""
        held = (claim.queue, claim.member) if claim else ("", "")
        self.run("beat", worker, HOLD, moment(), *held, *[word for pair in facts.items() for word in pair])

    def rescue(self, queues: Sequence[str] = (), *, worker: str = "") -> int:
        """Put back the jobs of `worker`, or those in `queues` whose worker has died; how many."""
        wired = [self.wire(queue) for queue in queues]
        return int(self.run("rescue", moment(), worker, MOST_RESCUES, KEPT_FAILED, KEPT_FOR, *wired))

    def due(self, queues: Sequence[str]) -> tuple[int, float]:
        """Queue the jobs whose time has come; how many, and the seconds until the next."""
        moved, soonest = self.run("due", moment(), *[self.wire(queue) for queue in queues])
        return int(moved), float(soonest)

    def stats(self, queues: Sequence[str]) -> tuple[float, int, list[Any]]:
        """Return the server's time, the number of live workers, and a row for each queue, in one trip."""
        now, workers, *rows = self.run("stats", *[self.wire(queue) for queue in queues])
        return float(now), int(workers), rows

    def pause(self, queue: str, *, paused: bool) -> None:
        """Let no worker take a job of `queue` any more, or again."""
        with trip(), self.client.pipeline() as pipe:
            if paused:
                pipe.sadd(f"{self.prefix}queues:paused", self.wire(queue))
            else:
                pipe.srem(f"{self.prefix}queues:paused", self.wire(queue))
                pipe.lpush(f"{self.prefix}queues:bell", *[1] * 31)
                pipe.ltrim(f"{self.prefix}queues:bell", 0, 31)
            pipe.execute()

    def clear(self, queue: str) -> int:
        """Delete what waits and what is delayed; how many jobs."""
        count, more = 0, True
        while more:
            gone = int(self.run("clear", self.wire(queue), AT_ONCE))
            count += gone
            more = gone == AT_ONCE
        return count

    def retry_failed(self, queue: str) -> int:
        """Queue the failed jobs again, each with all of its retries; how many."""
        with trip():
            left = int(self.client.zcard(FailedJobRegistry(self.wire(queue), connection=self.client).key))
        count = 0
        while left > 0:  # those that fail again meanwhile are not retried in the same call
            count += int(self.run("retry", self.wire(queue), moment(), RETRIES, min(AT_ONCE, left)))
            left -= AT_ONCE
        return count


@contextmanager
def trip() -> Generator[None]:
    """Turn the errors of a trip to Redis into `StoreError`."""
    try:
        yield
    except RedisError as error:
        reason = str(error) or type(error).__name__
        raise StoreError(f"the queues' store did not answer, or refused: {reason}") from error


def moment() -> str:
    """Return the present as RQ writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@cache
def _text(script: str) -> str:
    return files("nexus_middleware.stores").joinpath(f"scripts/queue_{script}.lua").read_text("utf-8")


def _script(script: str, client: redis.Redis) -> Any:
    return client.register_script(_text(script))  # sent by its hash; loaded when the server does not know it
