"""What is told of single jobs, of workers, and of how queues went: for the dashboard and for programs."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from ...errors import NexusError
from ...rules.redaction import clean, redact_text
from ...rules.retries import RETRIES

State: TypeAlias = Literal["waiting", "active", "completed", "failed", "delayed", "deferred", "canceled"]
STATES: dict[str, State] = {  # by RQ's word
    "queued": "waiting",
    "started": "active",
    "finished": "completed",
    "failed": "failed",
    "scheduled": "delayed",
    "deferred": "deferred",
    "canceled": "canceled",
}


class Grown(NexusError):
    """There are many more jobs than whoever asked had seen: nothing was done.

    Args:
        expected: How many they had seen.
        found: How many there are.
    """

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(f"{expected} jobs were expected, and there are {found}: nothing was deleted")
        self.expected, self.found = expected, found


class JobRow(msgspec.Struct, frozen=True, rename="camel"):
    """A job in a list; times as text in ISO 8601, None where it did not come to that."""

    id: str
    name: str
    queue: str
    state: str
    attempt: int  # of the run that goes on, or else of the last
    attempts: int  # at the most
    created_at: str | None
    enqueued_at: str | None
    started_at: str | None
    ended_at: str | None
    worker: str | None
    error: str | None  # its last line
    progress: dict[str, Any] | None  # done, total, note
    request_id: str | None


class JobDetail(JobRow, frozen=True, rename="camel"):
    """All of a job; secrets are left out by the names of their fields."""

    payload: Any
    result: Any
    traceback: str | None  # or why it failed
    history: list[dict[str, Any]]  # attempts that did not end well: attempt, outcome, worker, startedAt, ms, error
    retries_left: int
    rescues: int
    due: float | None  # seconds since the epoch, of one that is delayed
    timeout: int  # seconds
    heartbeat_at: str | None
    key: str | None
    traceparent: str | None
    schedule: str | None
    slot: str | None
    waits_for: list[str]
    canceling: bool


class Page(msgspec.Struct, frozen=True, rename="camel"):
    """A part of a list; `next_cursor` is None at its end."""

    items: list[JobRow]
    next_cursor: str | None
    total: int  # in that state
    total_exact: bool  # False: a search looks at the newest 1,000 only


class WorkerRow(msgspec.Struct, frozen=True, rename="camel"):
    """One process that runs jobs; times as text in ISO 8601."""

    name: str
    state: str  # "busy", "idle", "late" (no heartbeat for 10 s) or "dead" (for 30 s)
    host: str
    pid: int
    started_at: str | None
    seen_at: str | None
    queue: str | None
    job: str | None
    since: str | None  # when it took the job
    queues: list[str]
    memory_mb: float | None  # the most that it has held, in MiB
    done: int
    retried: int
    failed: int


class Point(msgspec.Struct, frozen=True, rename="camel"):
    """What ended within one minute, or one hour, and the most that waited; null where nobody looked at what waits."""

    at: int  # its begin, in seconds since the epoch
    done: int
    failed: int
    retried: int
    waiting: int | None  # jobs
    oldest_wait_seconds: float | None  # of the job that had waited longest


class History(msgspec.Struct, frozen=True, rename="camel"):
    """How a queue went; the histograms are by the buckets of `rules.buckets`, the percentiles in milliseconds."""

    step: int  # seconds
    points: list[Point]  # the oldest first; the last one is not over
    wait: dict[int, int]
    run: dict[int, int]
    wait_p50: float | None
    wait_p95: float | None
    run_p50: float | None
    run_p95: float | None
    throughput_per_minute: float


class Ends(msgspec.Struct, frozen=True, rename="camel"):
    """How many jobs of a queue ended in each step, the oldest first."""

    done: list[int]
    failed: list[int]


class Throughput(msgspec.Struct, frozen=True, rename="camel"):
    """How all queues went, in no more than 60 steps, of which the last one is not over."""

    step: int  # seconds
    at: int  # when the first step began, in seconds since the epoch
    queues: dict[str, Ends]


def row(ident: str, fields: Mapping[str, bytes], queue: str) -> JobRow:
    """Return the job of `ident` as a list shows it."""
    return JobRow(**_common(ident, fields, queue))


def detail(
    ident: str, fields: Mapping[str, bytes], queue: str, *, due: float | None, waits_for: list[str]
) -> JobDetail:
    """Return all of the job of `ident`."""
    text = {name: _text(value) for name, value in fields.items() if name not in ("data", "exc_info")}
    return JobDetail(
        **_common(ident, fields, queue),
        payload=clean(_call(fields.get("data", b""))[1]),
        result=clean(_json(text.get("result"))),
        traceback=_error(fields),
        history=[clean(json.loads(line)) for line in text.get("attempts", "").splitlines()],
        retries_left=int(text.get("retries_left", 0)),
        rescues=int(text.get("rescues", 0)),
        due=due,
        timeout=int(text.get("timeout", 0)),
        heartbeat_at=text.get("last_heartbeat") or None,
        key=text.get("given_key"),
        traceparent=text.get("traceparent"),
        schedule=text.get("schedule"),
        slot=text.get("slot"),
        waits_for=waits_for,
        canceling="cancel" in text,
    )


def point(at: int, counts: Mapping[str, int], *, looked: bool) -> Point:
    """Return what was counted in the step that began at `at`; whether anybody looked at what waited."""
    oldest, waiting = counts.get("oldest", 0) / 1000, counts.get("waiting", 0)
    return Point(
        at=at,
        done=counts.get("done", 0),
        failed=counts.get("failed", 0),
        retried=counts.get("retried", 0),
        waiting=waiting if looked else None,
        oldest_wait_seconds=oldest if looked else None,
    )


def matches(fields: Mapping[str, bytes], ident: str, wanted: str) -> bool:
    """Whether `wanted` is in the job's id, name or payload, in any case."""
    name, payload = _call(fields.get("data", b""))
    return wanted.lower() in f"{ident} {name} {json.dumps(payload, ensure_ascii=False)}".lower()


def _common(ident: str, fields: Mapping[str, bytes], queue: str) -> dict[str, Any]:
    text = {name: _text(value) for name, value in fields.items() if name not in ("data", "exc_info")}
    state = STATES.get(text.get("status", ""), "waiting")
    left, error = int(text.get("retries_left", RETRIES)), _error(fields)
    behind = RETRIES - left + (0 if state == "delayed" and left < RETRIES else 1)
    return {
        "id": ident,
        "name": _call(fields.get("data", b""))[0],
        "queue": queue,
        "state": state,
        "attempt": behind,
        "attempts": RETRIES + 1,
        "created_at": text.get("created_at") or None,
        "enqueued_at": text.get("enqueued_at") or None,
        "started_at": text.get("started_at") or None,
        "ended_at": text.get("ended_at") or None,
        "worker": text.get("worker_name") or None,
        "error": error.strip().rpartition("\n")[2][:300] if error else None,
        "progress": clean(_json(text.get("progress"))),
        "request_id": text.get("request_id"),
    }


def _call(data: bytes) -> tuple[str, Any]:
    """Return name and payload of a job; nothing that is not JSON is read."""
    try:
        plain = zlib.decompress(data)
    except zlib.error:
        plain = data
    try:
        name, _, _, payload = json.loads(plain)
    except (ValueError, TypeError):
        return "(not JSON: queued by something else)", None
    return str(name), payload


def _error(fields: Mapping[str, bytes]) -> str | None:
    told = fields.get("exc_info")
    return redact_text(_text(told)) if told else None


def _json(text: str | None) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
