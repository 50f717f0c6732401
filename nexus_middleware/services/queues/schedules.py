"""Recurring jobs: what is queued when, by whichever worker comes first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from ...errors import SettingsError
from ...rules.recurring import Cron, in_words
from ..jobs.how import How
from ..jobs.registry import Known, Permanent, Registry, Work, check_name
from ..jobs.scripts import trip
from .twins import twin

if TYPE_CHECKING:
    from ..jobs.ledger import Ledger

STANDARD = (  # name, job, payload, cron
    ("daily-aggregation", "analytics.aggregate", {"type": "daily"}, "0 0 * * *"),
    ("weekly-report", "analytics.aggregate", {"type": "weekly"}, "0 6 * * 1"),
    ("hourly-revenue-calc", "revenue.calculate", {"type": "hourly"}, "0 * * * *"),
)


class Plan(msgspec.Struct, frozen=True):
    """A schedule as it is written down; any worker can queue its job, even one that cannot run it."""

    job: str
    queue: str
    timeout: float
    cron: str
    zone: str
    payload: dict[str, Any]


class Run(msgspec.Struct, frozen=True, rename="camel"):
    """One run of a schedule's job that ended; times as text in ISO 8601."""

    id: str
    outcome: str  # "done" or "failed"
    ended: str
    slot: str = ""  # the time it was due, or was asked for
    run_ms: float | None = None


class ScheduleRow(msgspec.Struct, frozen=True, rename="camel"):
    """One schedule; times in seconds since the epoch."""

    name: str
    job: str
    queue: str
    cron: str
    in_words: str
    zone: str
    payload: dict[str, Any]
    paused: bool
    next: float | None  # None while it is paused
    runs: list[Run]  # the last 20, newest first


class Schedules:
    """The recurring jobs of one store, shared by all of its workers, which survive restarts.

    Args:
        ledger: Where they are written.
        jobs: What may recur.
    """

    def __init__(self, ledger: Ledger, jobs: Registry) -> None:
        self._ledger, self._jobs = ledger, jobs
        self._at = ledger.prefix + "queues:"

    def add(
        self, name: str, job: str, *, cron: str, zone: str = "UTC", payload: Mapping[str, Any] | None = None
    ) -> None:
        """Let `job` recur as `name`; said again by every process that starts, it changes nothing.

        If workers were away when it was due, it is queued once when they are back, however often it was missed.

        Args:
            name: Its own; another schedule of this name is replaced.
            job: The name of a registered job.
            cron: Five fields: minute, hour, day of the month, month, day of the week.
            zone: Whose clock it goes by.
            payload: The job's arguments.

        Raises:
            SettingsError: a name, the expression or the zone does not fit.
            PayloadError: the job does not take that.
        """
        check_name(name)
        known, times = self._jobs.find(job), Cron(cron, zone)
        plan = Plan(job, known.queue, known.timeout, times.text, zone, known.check(payload or {}))
        self._ledger.run("schedule", name, msgspec.json.encode(plan), times.after(self._ledger.now()))

    def add_standard(self, *, zone: str = "UTC") -> None:
        """Let the three of our own recur: daily at 0:00, Mondays at 6:00, and every hour."""
        for name, job, payload, cron in STANDARD:
            self.add(name, job, cron=cron, zone=zone, payload=payload)

    def drop(self, name: str) -> None:
        """Let it recur no more.

        Raises:
            SettingsError: there is none of that name.
        """
        self._plan(name)
        with trip(), self._ledger.client.pipeline() as pipe:
            pipe.hdel(self._at + "schedules", name)
            pipe.zrem(self._at + "next", name)
            pipe.srem(self._at + "resting", name)
            pipe.delete(self._at + "runs:" + name)
            pipe.execute()

    def pause(self, name: str) -> None:
        """Let it rest until it is resumed; what is due meanwhile is left out.

        Raises:
            SettingsError: there is none of that name.
        """
        self._plan(name)
        with trip(), self._ledger.client.pipeline() as pipe:
            pipe.sadd(self._at + "resting", name)
            pipe.zrem(self._at + "next", name)
            pipe.execute()

    def resume(self, name: str) -> None:
        """Let it go on.

        Raises:
            SettingsError: there is none of that name.
        """
        plan = self._plan(name)
        following = Cron(plan.cron, plan.zone).after(self._ledger.now())
        with trip(), self._ledger.client.pipeline() as pipe:
            pipe.srem(self._at + "resting", name)
            pipe.zadd(self._at + "next", {name: following})
            pipe.execute()

    def run(self, name: str) -> str:
        """Queue its job now, besides its times; the id of the job.

        Raises:
            SettingsError: there is none of that name.
        """
        plan = self._plan(name)
        slot = Cron(plan.cron, plan.zone).local(self._ledger.now()).isoformat(timespec="seconds")
        return self._ledger.add(_known(plan), [plan.payload], How(schedule=name, slot=slot))[0]

    def every(self) -> list[ScheduleRow]:
        """Return all schedules, in the order of their names; it reads only."""
        with trip():
            client: Any = self._ledger.client
            plans = client.hgetall(self._at + "schedules")
            names = sorted(name.decode() for name in plans)
            pipe = client.pipeline(transaction=False)
            pipe.smembers(self._at + "resting")
            for name in names:
                pipe.zscore(self._at + "next", name)
                pipe.lrange(self._at + "runs:" + name, 0, -1)
            resting, *facts = pipe.execute()
        return [
            _schedule(name, plans[name.encode()], due, runs, paused=name.encode() in resting)
            for name, due, runs in zip(names, facts[::2], facts[1::2], strict=True)
        ]

    def tick(self, names: Sequence[str], *, now: float) -> list[str]:
        """Queue the jobs of those of `names` that are due at `now`, unless another worker does; their ids."""
        with trip(), self._ledger.client.pipeline(transaction=False) as pipe:
            pipe.hmget(self._at + "schedules", [*names])
            for name in names:
                pipe.zscore(self._at + "next", name)
            texts, *dues = pipe.execute()
        queued = []
        for name, text, due in zip(names, texts, dues, strict=True):
            if due is None or due > now or text is None:
                continue
            plan = msgspec.json.decode(text, type=Plan)
            times = Cron(plan.cron, plan.zone)
            slot = max(due, times.until(now))  # the last one that was missed stands for all
            how = How(schedule=name, slot=times.local(slot).isoformat())
            _, fields = self._ledger.make(_known(plan), plan.payload, how)
            ident = f"cron-{name.replace('.', '_')}-{int(slot)}"
            words = [word for pair in fields.items() for word in pair]
            if self._ledger.run("recur", name, due, times.after(now), self._ledger.wire(plan.queue), ident, *words):
                queued.append(ident)
        return queued

    def _plan(self, name: str) -> Plan:
        with trip():
            text: Any = self._ledger.client.hget(self._at + "schedules", name)
        if text is None:
            raise SettingsError(f"there is no schedule {name!r}")
        return msgspec.json.decode(text, type=Plan)

    aadd = twin(add)
    aadd_standard = twin(add_standard)
    adrop = twin(drop)
    apause = twin(pause)
    aresume = twin(resume)
    arun = twin(run)
    aevery = twin(every)


def _known(plan: Plan) -> Known:
    """Return the job of `plan`, as the ledger writes it; whoever fetches it finds its function by its name."""
    return Known(name=plan.job, queue=plan.queue, run=_elsewhere, timeout=plan.timeout)


def _schedule(name: str, text: bytes, due: float | None, runs: list[bytes], *, paused: bool) -> ScheduleRow:
    plan = msgspec.json.decode(text, type=Plan)
    return ScheduleRow(
        name=name,
        job=plan.job,
        queue=plan.queue,
        cron=plan.cron,
        in_words=in_words(plan.cron),
        zone=plan.zone,
        payload=plan.payload,
        paused=paused,
        next=due,
        runs=[_run(json.loads(line)) for line in runs],
    )


def _run(told: dict[str, Any]) -> Run:
    spent = told.get("times", "").rpartition(":")[2]
    return Run(told["id"], told["outcome"], told["ended"], told.get("slot") or "", float(spent) if spent else None)


def _elsewhere(_: Work) -> None:
    """Stand in for the function of a job that another process may know: this one only queues it."""
    raise Permanent("this process queues the job, and cannot run it")
