"""Workers, and the schedules of recurring jobs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from ...errors import SettingsError
from ..answers import Answer, Problem, done, found, nothing_here
from ..exchange import Exchange


async def workers(exchange: Exchange) -> Answer:
    """List the processes that run jobs, those that died in the last five minutes too."""
    rows = await exchange.runtime.queues.board.aworkers() if exchange.runtime.queues.enabled else []
    return _listed(exchange, [msgspec.to_builtins(row) for row in rows])


async def schedules(exchange: Exchange) -> Answer:
    """List the recurring jobs, with their next times and last runs."""
    rows = await exchange.runtime.queues.schedules.aevery() if exchange.runtime.queues.enabled else []
    return _listed(exchange, [msgspec.to_builtins(row) for row in rows])


async def run(exchange: Exchange) -> Answer:
    """Queue a schedule's job now, besides its times."""
    return await _do(exchange, "run", exchange.runtime.queues.schedules.arun)


async def pause(exchange: Exchange) -> Answer:
    """Let a schedule rest."""
    return await _do(exchange, "pause", exchange.runtime.queues.schedules.apause)


async def resume(exchange: Exchange) -> Answer:
    """Let a schedule go on."""
    return await _do(exchange, "resume", exchange.runtime.queues.schedules.aresume)


async def _do(exchange: Exchange, action: str, act: Callable[[str], Awaitable[Any]]) -> Answer:
    name = exchange.parameter("name")
    try:
        outcome = await act(name)
    except SettingsError as error:
        raise nothing_here() from error
    exchange.audit(f"schedule_{action}", target=name)
    return done({"success": True, "schedule": name, **({"job": outcome} if outcome else {})})


def _listed(exchange: Exchange, items: list[Any]) -> Answer:
    if not exchange.runtime.queues.enabled and exchange.method not in ("GET", "HEAD"):
        raise Problem(409, "queues_disabled", "jobs need a Redis: set NEXUS_STORE to its URL")
    value = {"items": items, "nextCursor": None, "total": len(items), "totalExact": True}
    return found(value, exchange.panels.meta(), exchange.headers.get("if-none-match", ""))
