"""Run one job, and say how it ended."""

from __future__ import annotations

import json
import os
import signal
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import FrameType
from typing import Any, Literal

from ..http import ORIGIN
from ..rules.retries import RETRIES, delay
from ..services.jobs.claims import Claim
from ..services.jobs.once import Once
from ..services.jobs.registry import Known, Later, Permanent, Work
from ..services.queues import Queues

LONGEST = 8_000  # characters kept of a traceback or a result


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    kind: Literal["done", "retry", "later", "failed", "canceled", "died"]
    text: str  # the result as JSON, or what went wrong
    seconds: float = 0.0  # to wait, for a retry or later


class TimedOut(BaseException):
    """Raised in a job that has run too long; not an Exception, which jobs catch."""


class Canceled(BaseException):
    """Raised in a job that somebody canceled."""


def perform(claim: Claim, queues: Queues) -> Outcome:
    """Run the job of `claim` by the handler that its name is registered for."""
    left, process = claim.job.retries_left or 0, os.getpid()
    try:
        known, payload = _find(claim, queues)
        with time_limit(known.timeout), origin_of(claim):
            return Outcome("done", _as_json(known.run(_work(claim, payload, queues, attempt=RETRIES - left + 1))))
    except (Permanent, Later, Canceled) as error:
        return _settled(error)
    except TimedOut as error:
        return again(left, str(error))
    except SystemExit as error:
        return again(left, f"the job tried to end its worker: {error!r}")
    except BaseException:  # noqa: BLE001  # whatever a job raises is the job's failure: KeyboardInterrupt, CancelledError too
        return again(left, traceback.format_exc()[-LONGEST:])
    finally:
        if os.getpid() != process:  # the job forked, and its copy came back here: only one of the two is a worker
            os._exit(0)


def _settled(error: Permanent | Later | Canceled) -> Outcome:
    if isinstance(error, Later):
        return Outcome("later", str(error), error.seconds)
    if isinstance(error, Permanent):
        return Outcome("failed", str(error))
    return Outcome("canceled", "canceled while it ran")


def _work(claim: Claim, payload: dict[str, Any], queues: Queues, *, attempt: int) -> Work:
    ledger, extra = queues.ledger, claim.extra
    return Work(
        id=claim.job.id,
        attempt=attempt,
        payload=payload,
        settings=queues.settings,
        once=Once(ledger.client, ledger.prefix, claim.member),
        queue=ledger.named(claim.queue),
        key=extra.get("given_key", claim.job.id),
        request_id=extra.get("request_id", ""),
        traceparent=extra.get("traceparent", ""),
        slot=datetime.fromisoformat(extra["slot"]) if "slot" in extra else None,
        client=ledger.client,
        prefix=ledger.prefix,
        report=partial(ledger.report, claim),
    )


@dataclass(frozen=True, slots=True)
class _Origin:
    """What the job's own jobs and log lines inherit."""

    request_id: str
    traceparent: str

    def header(self, name: bytes) -> bytes | None:
        return self.traceparent.encode("latin-1") if name == b"traceparent" and self.traceparent else None


@contextmanager
def origin_of(claim: Claim) -> Generator[None]:
    """Let the jobs queued in the block, and its log lines, be known as this job's."""
    from structlog.contextvars import bound_contextvars

    origin = _Origin(claim.extra.get("request_id", ""), claim.extra.get("traceparent", ""))
    token = ORIGIN.set(origin)
    told = {"request_id": origin.request_id} if origin.request_id else {}
    try:
        with bound_contextvars(job=claim.job.id, **told):
            yield
    finally:
        ORIGIN.reset(token)


def name_of(claim: Claim) -> str:
    """Return the name of a job; "" if it is not JSON, which nobody unpickles."""
    from rq.exceptions import DeserializationError

    try:
        return claim.job.func_name or ""
    except DeserializationError:
        return ""


def _find(claim: Claim, queues: Queues) -> tuple[Known, dict[str, Any]]:
    from rq.exceptions import DeserializationError

    try:
        name, payload = claim.job.func_name, claim.job.kwargs
    except DeserializationError as error:
        raise Permanent("this job is not JSON: it was queued by something else") from error
    known = queues.jobs.jobs.get(name or "")
    if known is None:
        raise Permanent(f"this worker knows no job named {name!r}: start it with --app module:attribute")
    return known, payload


def again(left: int, text: str) -> Outcome:
    """Return how a run ended that failed, when `left` retries are left."""
    seconds = delay(left)
    what = f"attempt {RETRIES - left + 1} of {RETRIES + 1} failed\n{text}"
    return Outcome("failed", what) if seconds is None else Outcome("retry", what, seconds)


def in_words(code: int) -> str:
    """Say how a process ended.

    >>> in_words(7), in_words(-9)
    ('its process ended with 7', 'its process was killed by signal 9, as when memory runs out')
    """
    if code >= 0:
        return f"its process ended with {code}"
    return f"its process was killed by signal {-code}" + (
        ", as when memory runs out" if code == -signal.SIGKILL else ""
    )


def _as_json(result: Any) -> str:
    """Return what is kept of a result, of whatever kind: the job is done, and is not run again for the sake of it."""
    try:
        text = json.dumps(result)
    except Exception:  # noqa: BLE001  # it may be nested too deeply, too
        try:
            text = json.dumps(repr(result)[:LONGEST])
        except Exception:  # noqa: BLE001  # its own `__repr__`
            text = json.dumps(f"a {type(result).__name__}, which cannot be shown")
    return text if len(text) <= LONGEST else json.dumps(text[:LONGEST])


@contextmanager
def time_limit(seconds: float) -> Generator[None]:
    """Raise `TimedOut` in the block after `seconds`; for the main thread alone."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TimedOut(f"the job ran longer than its {seconds:g} seconds")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
