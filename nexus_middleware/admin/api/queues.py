"""GET /queues, and what may be done to one queue."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import msgspec

from ...services.queues.board import Board
from ...services.queues.shapes import Grown
from ..answers import Answer, Problem, done, found
from ..described import says
from ..exchange import Exchange
from ..shapes.examples import QUEUES
from ..shapes.jobs import Steered, Throughput
from ..shapes.system import Queues
from . import asked


class Expected(msgspec.Struct):
    """How many jobs whoever asks has seen."""

    expected: asked.Amount | msgspec.UnsetType = msgspec.UNSET


@says(Queues, example=QUEUES)
async def read(exchange: Exchange) -> Answer:
    """Say how long every queue is and how it moves; {} with `meta.queues` "disabled" where there is no Redis."""
    panels = exchange.panels
    value = await panels.queues.get()
    meta = {**panels.meta(), "queues": value["state"]}
    return found({"stats": value["stats"]}, meta, exchange.headers.get("if-none-match", ""))


@says(Throughput, query=asked.Window)
async def throughput(exchange: Exchange) -> Answer:
    """Say how many jobs of every queue were done and failed over ?window=, in 60 steps at the most."""
    of_jobs(exchange)
    told = await exchange.panels.throughput(asked.window(exchange)).get()
    return found(told, exchange.panels.meta(), exchange.headers.get("if-none-match", ""))


@says(Steered)
async def pause(exchange: Exchange) -> Answer:
    """Have workers take no more jobs from the queue."""
    queue = await known(exchange)
    return await _do(exchange, "pause", queue, exchange.runtime.queues.apause(queue))


@says(Steered)
async def resume(exchange: Exchange) -> Answer:
    """Have workers take jobs from the queue again."""
    queue = await known(exchange)
    return await _do(exchange, "resume", queue, exchange.runtime.queues.aresume(queue))


@says(Steered)
async def retry_failed(exchange: Exchange) -> Answer:
    """Put the queue's failed jobs back into it."""
    queue = await known(exchange)
    return await _do(exchange, "retry_failed", queue, exchange.runtime.queues.aretry_failed(queue))


@says(Steered, query=Expected)
async def empty(exchange: Exchange) -> Answer:
    """Drop the queue's jobs that wait or are delayed; ?expected=N insists that there are not many more."""
    queue, expected = await known(exchange), asked.number(exchange, "expected")
    try:
        return await _do(exchange, "empty", queue, exchange.runtime.queues.board.aempty(queue, expected=expected))
    except Grown as error:
        members = {"expected": error.expected, "matched": error.found}
        raise Problem(409, "count_changed", str(error), members=members) from error


async def known(exchange: Exchange) -> str:
    """Return the queue that the path names, if there is one of that name."""
    of_jobs(exchange)
    queue = exchange.parameter("queue")
    if queue not in await exchange.runtime.queues.aall_stats():
        raise Problem(404, "unknown_queue", "there is no queue of this name")
    return queue


def of_jobs(exchange: Exchange) -> Board:
    """Return what knows of single jobs; a 409 where there can be none."""
    if not exchange.runtime.queues.enabled:
        raise Problem(409, "queues_disabled", "jobs need a Redis: set NEXUS_STORE to its URL")
    return exchange.runtime.queues.board


async def _do(exchange: Exchange, action: str, queue: str, doing: Awaitable[Any]) -> Answer:
    count = await doing
    exchange.panels.queues.forget()
    counted = {"count": count} if isinstance(count, int) and not isinstance(count, bool) else {}
    exchange.audit(f"queue_{action}", target=queue, **counted)
    return done({"success": True, "queue": queue, **counted})
