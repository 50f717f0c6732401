"""Workers, and the schedules of recurring jobs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec

from ...errors import SettingsError
from ...services.queues.schedules import ScheduleRow
from ...services.queues.shapes import WorkerRow
from ..answers import Answer, done, found, nothing_here
from ..described import says
from ..exchange import Exchange
from ..shapes import Listing
from ..shapes.jobs import ToSchedule
from .queues import of_jobs


@says(Listing[WorkerRow])
async def workers(exchange: Exchange) -> Answer:
    """List the processes that run jobs, those that died in the last five minutes too."""
    rows = await exchange.runtime.queues.board.aworkers() if exchange.runtime.queues.enabled else []
    return _listed(exchange, [msgspec.to_builtins(row) for row in rows])


@says(Listing[ScheduleRow])
async def schedules(exchange: Exchange) -> Answer:
    """List the recurring jobs, with their next times and last runs."""
    rows = await exchange.runtime.queues.schedules.aevery() if exchange.runtime.queues.enabled else []
    return _listed(exchange, [msgspec.to_builtins(row) for row in rows])


@says(ToSchedule)
async def run(exchange: Exchange) -> Answer:
    """Queue a schedule's job now, besides its times."""
    return await _do(exchange, "run")


@says(ToSchedule)
async def pause(exchange: Exchange) -> Answer:
    """Let a schedule rest."""
    return await _do(exchange, "pause")


@says(ToSchedule)
async def resume(exchange: Exchange) -> Answer:
    """Let a schedule go on."""
    return await _do(exchange, "resume")


async def _do(exchange: Exchange, action: Literal["run", "pause", "resume"]) -> Answer:
    of_jobs(exchange)
    name, schedules = exchange.parameter("name"), exchange.runtime.queues.schedules
    acts: dict[str, Callable[[str], Awaitable[Any]]] = {
        "run": schedules.arun,
        "pause": schedules.apause,
        "resume": schedules.aresume,
    }
    try:
        outcome = await acts[action](name)
    except SettingsError as error:
        raise nothing_here() from error
    exchange.audit(f"schedule_{action}", target=name)
    return done({"success": True, "schedule": name, **({"job": outcome} if outcome else {})})


def _listed(exchange: Exchange, items: list[Any]) -> Answer:
    value = {"items": items, "nextCursor": None, "total": len(items), "totalExact": True}
    return found(value, exchange.panels.meta(), exchange.headers.get("if-none-match", ""))
