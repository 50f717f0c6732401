"""The jobs of a queue, single jobs, and what may be done to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, get_args

import msgspec

from ...services.queues.shapes import JobRow, State
from ..answers import Answer, Problem, done, found, nothing_here
from ..described import says
from ..exchange import Exchange
from ..shapes import Listing
from ..shapes.jobs import Ended, Job, OfRequest, ToJob, ToJobs
from . import asked
from .queues import known, of_jobs

AT_ONCE = 1_000  # jobs that one call may change
Ident = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]


class Bulk(msgspec.Struct):
    """What is to be done to many jobs."""

    action: Literal["retry", "delete"]
    ids: Annotated[list[Ident], msgspec.Meta(min_length=1, max_length=AT_ONCE)]


class Jobs(asked.Limit):
    """Which jobs of a queue; `q` is looked for among the newest 1,000."""

    state: State = "waiting"
    q: asked.Text = ""
    cursor: asked.Number | msgspec.UnsetType = msgspec.UNSET


@says(Listing[JobRow], query=Jobs)
async def of_queue(exchange: Exchange) -> Answer:
    """List the jobs of a queue in one ?state=, newest first; ?q= searches the newest 1,000."""
    queue = await known(exchange)
    given = exchange.query.get("state", "waiting")
    state: State | None = next((known for known in get_args(State) if known == given), None)
    if state is None:
        raise Problem(400, "bad_state", f"state is one of {', '.join(get_args(State))}")
    cursor = asked.number(exchange, "cursor")
    options: dict[str, Any] = {"cursor": "" if cursor is None else str(cursor), "text": asked.text(exchange, "q")}
    page = await of_jobs(exchange).ajobs(queue, state, limit=asked.limit(exchange), **options)
    return found(msgspec.to_builtins(page), exchange.panels.meta(), exchange.headers.get("if-none-match", ""))


@says(Ended, query=asked.Window)
async def history(exchange: Exchange) -> Answer:
    """Say how a queue went in the last ?window=: ended jobs by the minute or hour, and how long they waited and ran."""
    queue = await known(exchange)
    told = await of_jobs(exchange).ahistory(queue, window=asked.window(exchange))
    value = {"queue": queue, **msgspec.to_builtins(told, str_keys=True)}
    return found(value, exchange.panels.meta(), exchange.headers.get("if-none-match", ""))


@says(Job)
async def one(exchange: Exchange) -> Answer:
    """Tell all of a job; its payload is shown without secrets."""
    job = await of_jobs(exchange).ajob(_ident(exchange))
    if job is None:
        raise nothing_here()
    value = {"job": msgspec.to_builtins(job)}
    return found(value, exchange.panels.meta(), exchange.headers.get("if-none-match", ""))


@says(OfRequest)
async def of_request(exchange: Exchange) -> Answer:
    """List the jobs that a request queued, and theirs, oldest first."""
    request_id = exchange.parameter("request_id")
    jobs = await of_jobs(exchange).aof_request(request_id)
    items = [msgspec.to_builtins(job) for job in jobs]
    value = {"requestId": request_id, "items": items, "nextCursor": None, "total": len(items), "totalExact": True}
    return found(value, exchange.panels.meta(), exchange.headers.get("if-none-match", ""))


@says(ToJob)
async def retry(exchange: Exchange) -> Answer:
    """Queue a failed or canceled job again, with all of its retries."""
    return await _to_one(exchange, "retry", of_jobs(exchange).aretry, "it has neither failed nor been canceled")


@says(ToJob)
async def delete(exchange: Exchange) -> Answer:
    """Delete a job that does not run."""
    return await _to_one(exchange, "delete", of_jobs(exchange).adelete, "it runs: cancel it first")


@says(ToJob)
async def cancel(exchange: Exchange) -> Answer:
    """Let a job not be run; one that runs is stopped within seconds."""
    ident = _ident(exchange)
    outcome = await of_jobs(exchange).acancel(ident)
    if not outcome:
        raise Problem(409, "not_possible", "the job has ended, or is not there")
    exchange.panels.queues.forget()
    exchange.audit("job_cancel", target=ident)
    return done({"success": True, "id": ident, "state": outcome})


@says(ToJobs, body=Bulk)
async def bulk(exchange: Exchange) -> Answer:
    """Retry or delete up to 1,000 jobs; how many it was done to."""
    wanted = await exchange.json(Bulk)
    right = f"queues:{wanted.action}"
    if right not in exchange.rights:
        raise Problem(403, "forbidden", f"this needs the right {right}")
    board = of_jobs(exchange)
    count = await (board.aretry if wanted.action == "retry" else board.adelete)(wanted.ids)
    exchange.panels.queues.forget()
    exchange.audit(f"jobs_{wanted.action}", target=f"{len(wanted.ids)} jobs", count=count)
    return done({"success": True, "count": count})


async def _to_one(exchange: Exchange, action: str, act: Callable[[list[str]], Awaitable[int]], why_not: str) -> Answer:
    ident = _ident(exchange)
    if not await act([ident]):
        if await of_jobs(exchange).ajob(ident) is None:
            raise nothing_here()
        raise Problem(409, "not_possible", why_not)
    exchange.panels.queues.forget()
    exchange.audit(f"job_{action}", target=ident)
    return done({"success": True, "id": ident})


def _ident(exchange: Exchange) -> str:
    ident = exchange.parameter("id")
    try:
        return msgspec.convert(ident, Ident)
    except msgspec.ValidationError as error:
        raise nothing_here() from error
