"""All that is written about jobs in Redis: RQ's job format and registries, moved by scripts that cannot be cut in half."""

from __future__ import annotations

import json
import os
import threading
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

# At the top, for rq's parts import one another in a circle: two threads that began at two ends of it would both fail.
from rq.defaults import RQ_KEY_PREFIX
from rq.job import Job, JobStatus, Retry
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer

from ...errors import SettingsError
from ...rules.retries import DELAYS, RETRIES
from . import scripts
from .claims import Claim, Due
from .how import How
from .registry import Known
from .scripts import KEPT_DONE, trip

if TYPE_CHECKING:
    import redis

    from ...stores.redis import RedisStore

AT_ONCE = 500  # jobs in one script, so that others are not held up
OLDEST = (6, 2)


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

    def named(self, wire: str) -> str:
        """Return the name of the queue that is called `wire` in Redis."""
        return wire.removeprefix(self._before)

    def run(self, script: str, *args: object) -> Any:
        """Run `queue_<script>.lua` with RQ's prefix, ours, the present, and `args`.

        Raises:
            StoreError: the store did not answer, or refused.
        """
        return scripts.run(self.client, script, f"{RQ_KEY_PREFIX}:", self.prefix, *args)

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
        warning = f"maxmemory-policy is {policy}: jobs may vanish; set it to noeviction"
        return [] if policy == "noeviction" else [warning]

    def add(self, known: Known, payloads: Sequence[Mapping[str, Any]], how: How | None = None) -> list[str]:
        """Queue a job for each of the payloads, 500 in one step; return their ids, or that of the key's first job.

        Raises:
            SettingsError: a job that should come first is not there.
        """
        how = how or How()
        ids: list[str] = []
        for start in range(0, len(payloads), AT_ONCE):
            words: list[object] = []
            for payload in payloads[start : start + AT_ONCE]:
                ident, fields = self.make(known, payload, how)
                words += [ident, len(fields) * 2, *[word for pair in fields.items() for word in pair]]
            done, told = self.run("add", self.wire(known.queue), *how.words(known), *words)
            if not done:
                raise SettingsError(
                    f"after={told.decode()!r} is no job that is known: it was canceled, or ended more than"
                    f" {KEPT_DONE} jobs ago, or never was"
                )
            ids += [each.decode() for each in told]
        return ids

    def make(self, known: Known, payload: Mapping[str, Any], how: How) -> tuple[str, dict[Any, Any]]:
        """Return the id of a new job, and what RQ and we write of it."""
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
        return job.id, {**job.to_dict(), **how.fields()}

    def names(self) -> set[str]:
        """Return every queue that ever had a job."""
        with trip():
            found: Any = self.client.smembers(f"{self.prefix}queues:names")
        return {self.named(name.decode()) for name in found}

    def wait(self, seconds: float) -> None:
        """Return when a job may have come, after `seconds` at the latest."""
        with trip():
            self.client.blpop([f"{self.prefix}queues:bell"], timeout=seconds)

    def fetch(self, worker: str, queues: Sequence[str]) -> Claim | float:
        """Claim the first job of the first of `queues` that has one, is not paused, and whose turn it is.

        If there is none: the seconds after which a queue with a rate may have one.
        """
        execution = uuid.uuid4().hex
        found = self.run("fetch", worker, execution, *[self.wire(queue) for queue in queues])
        if isinstance(found, bytes):
            return float(found)
        queue, ident, waited, flat = found
        fields = {name.decode(): value for name, value in zip(flat[::2], flat[1::2], strict=True)}
        return self.claim(queue.decode(), f"{ident.decode()}:{execution}", float(waited), fields)

    def claim(self, queue: str, member: str, waited: float, fields: Mapping[str, bytes]) -> Claim:
        """Return what is run, from what is written of it."""
        job = Job(member.partition(":")[0], connection=self.client, serializer=JSONSerializer)
        job.restore({name.encode(): value for name, value in fields.items()})
        return Claim(queue, member, job, waited, fields)

    def finish(
        self,
        worker: str,
        claim: Claim,
        outcome: str,
        text: str,
        *,
        seconds: float = 0.0,
        times: str = "",
        buckets: tuple[int | None, int] = (None, 0),
        note: Mapping[str, Any] | None = None,
    ) -> bool:
        """Write down how a run ended; False: too late, another worker has the job.

        Args:
            worker: Who ran it.
            claim: What was run.
            outcome: "done", "retry", "later", "failed" or "canceled".
            text: The result as JSON, or why it failed.
            seconds: To wait, before a retry or later.
            times: Milliseconds waited and run, "wait:run".
            buckets: Of the times, for the charts.
            note: What is kept of this run.
        """
        waited, ran = buckets
        head = (worker, claim.queue, claim.member, outcome, text, seconds, times)
        line = "" if note is None else json.dumps(note)
        return bool(self.run("finish", *head, "" if waited is None else waited, ran, line))

    def now(self) -> float:
        """Return the time by the server's clock, which all go by: seconds since the epoch."""
        with trip():
            seconds, micros = self.client.time()
        return float(seconds + micros / 1e6)

    def beat(self, worker: str, claim: Claim | None, facts: Mapping[str, str | int | float]) -> bool:
        """Note that `worker` lives, and what it is; whether its job is to be stopped: canceled, deleted, or another's."""
        held = (claim.queue, claim.member) if claim else ("", "")
        return bool(self.run("beat", worker, *held, *[word for pair in facts.items() for word in pair]))

    def report(self, claim: Claim, progress: Mapping[str, Any]) -> None:
        """Note how far the run of a job is, while it is ours."""
        self.run("report", claim.queue, claim.member, json.dumps(progress))

    def alive(self, name: str) -> bool:
        """Whether a worker lives whose name begins with `name`."""
        with trip(), self.client.pipeline(transaction=False) as pipe:
            pipe.time()  # the clock by which the end of each was written
            pipe.zrange(f"{self.prefix}queues:workers", 0, -1, withscores=True)
            (now, _), found = pipe.execute()
        return any(each.startswith(name.encode()) for each, end in found if end > now)

    def rescue(self, queues: Sequence[str] = (), *, worker: str = "", why: str = "") -> int:
        """Put back the job of `worker`, which died of `why`, or those in `queues` whose worker has died; how many."""
        return int(self.run("rescue", worker, why, *[self.wire(queue) for queue in queues]))

    def due(self, queues: Sequence[str]) -> Due:
        """Queue the jobs whose time has come."""
        moved, soonest, now, names = self.run("due", *[self.wire(queue) for queue in queues])
        return Due(int(moved), float(soonest), float(now), tuple(name.decode() for name in names))

    def stats(self, queues: Sequence[str]) -> tuple[list[str], list[Any]]:
        """Return which queues each live worker serves, and a row for each queue, in one trip."""
        served, rows = json.loads(self.run("stats", *[self.wire(queue) for queue in queues]))
        return served, rows

    def sample(self, queues: Sequence[str]) -> None:
        """Note, for the charts, how many jobs wait now, and for how long."""
        self.run("sample", *[self.wire(queue) for queue in queues])

    def pause(self, queue: str, *, paused: bool) -> None:
        """Let no worker take a job of `queue` any more, or again."""
        with trip(), self.client.pipeline() as pipe:
            if paused:
                pipe.sadd(f"{self.prefix}queues:paused", self.wire(queue))
            else:
                pipe.srem(f"{self.prefix}queues:paused", self.wire(queue))
                self.ring(pipe)
            pipe.execute()

    def rate(self, queue: str, gap: float) -> None:
        """Let a job of `queue` begin every `gap` seconds at the most; 0 lifts it."""
        with trip(), self.client.pipeline() as pipe:
            if gap:
                pipe.hset(f"{self.prefix}queues:rates", self.wire(queue), f"{gap:.6f}")
            else:
                pipe.hdel(f"{self.prefix}queues:rates", self.wire(queue))
                self.ring(pipe)
            pipe.execute()

    def ring(self, pipe: Any) -> None:
        """Wake the workers that wait."""
        pipe.lpush(f"{self.prefix}queues:bell", *[1] * 31)
        pipe.ltrim(f"{self.prefix}queues:bell", 0, 31)

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
            count += int(self.run("retry", self.wire(queue), min(AT_ONCE, left)))
            left -= AT_ONCE
        return count
