"""GET /queues, and what may be done to one queue."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from ...errors import SettingsError
from ...services.queues.shapes import Grown
from ..answers import Answer, Problem, done, found
from ..exchange import Exchange
from . import asked


async def read(exchange: Exchange) -> Answer:
    """Say how long every queue is and how it moves; {} with `meta.queues` "disabled" where there is no Redis."""
    panels = exchange.panels
    value = await panels.queues.get()
    meta = {**panels.meta(), "queues": value["state"]}
    return found({"stats": value["stats"]}, meta, exchange.headers.get("if-none-match", ""))


async def pause(exchange: Exchange) -> Answer:
    """Have workers take no more jobs from the queue."""
    queue = await known(exchange)
    return await _do(exchange, "pause", queue, exchange.runtime.queues.apause(queue))


async def resume(exchange: Exchange) -> Answer:
    """Have workers take jobs from the queue again."""
    queue = await known(exchange)
    return await _do(exchange, "resume", queue, exchange.runtime.queues.aresume(queue))


async def retry_failed(exchange: Exchange) -> Answer:
    """Put the queue's failed jobs back into it."""
    queue = await known(exchange)
    return await _do(exchange, "retry_failed", queue, exchange.runtime.queues.aretry_failed(queue))


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
    queue = exchange.parameter("queue")
    try:
        known = queue in await exchange.runtime.queues.aall_stats()
    except SettingsError as error:
        raise Problem(409, "queues_disabled", "jobs need a Redis: set NEXUS_STORE to its URL") from error
    if not known:
        raise Problem(404, "unknown_queue", "there is no queue of this name")
    return queue


async def _do(exchange: Exchange, action: str, queue: str, doing: Awaitable[Any]) -> Answer:
    count = await doing
    exchange.panels.queues.forget()
    counted = {"count": count} if isinstance(count, int) and not isinstance(count, bool) else {}
    exchange.audit(f"queue_{action}", target=queue, **counted)
    return done({"success": True, "queue": queue, **counted})
