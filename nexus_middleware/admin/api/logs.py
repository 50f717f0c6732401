"""GET /logs, and GET and PUT /logs/level."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated

import msgspec

from ...settings import LogLevel
from ..answers import Answer, Problem, done, found
from ..described import says
from ..exchange import Exchange
from ..shapes.security import CurrentLevel, LevelSet, Lines
from . import asked

Seconds = Annotated[float, msgspec.Meta(ge=1, le=86_400)]
END = {"nextCursor": None, "total": None, "totalExact": False}  # the newest lines are one page
LEVELS: tuple[LogLevel, ...] = ("debug", "http", "info", "warn", "error")


class Level(msgspec.Struct):
    """From which level on lines are written, None for the settings' own, and for how many seconds."""

    level: LogLevel | None
    seconds: Seconds = 3_600.0


class Sought(msgspec.Struct):
    """Which lines: of a level and worse, with a text, of a request."""

    level: LogLevel = "debug"
    q: asked.Text = ""
    request: asked.Text = ""
    limit: asked.Most = 200


@says(Lines, query=Sought)
async def read(exchange: Exchange) -> Answer:
    """List the newest lines of the log's files: ?level=, ?q=, ?request=, and ?limit= up to 200."""
    level = exchange.query.get("level", "debug")
    if level not in LEVELS:
        raise Problem(400, "bad_level", f"level is one of {', '.join(LEVELS)}")
    text, request_id, limit = asked.text(exchange, "q"), asked.text(exchange, "request"), asked.limit(exchange, 200)
    log = exchange.runtime.log
    if not exchange.runtime.settings.log_dir:  # the host keeps no files: its lines are not for the dashboard
        return _answer(exchange, {"state": "disabled", "items": [], "complete": True, **END})
    tail = await asyncio.to_thread(  # it reads a disk
        lambda: log.tail(level=level, text=text, request_id=request_id, limit=limit)
    )
    return _answer(exchange, {"state": "enabled", "items": tail.lines, "complete": tail.complete, **END})


@says(CurrentLevel)
async def level(exchange: Exchange) -> Answer:
    """Tell from which level on this process writes, and what the settings say."""
    return _answer(exchange, _levels(exchange))


@says(LevelSet, body=Level)
async def set_level(exchange: Exchange) -> Answer:
    """Change the level of all processes for an hour, or for `seconds`."""
    wish = await exchange.json(Level)
    await exchange.runtime.log_level.aset(wish.level, lasts=wish.seconds)
    exchange.audit("log_level", target=wish.level or "settings", seconds=wish.seconds)
    return done({"success": True, **_levels(exchange)})


def _levels(exchange: Exchange) -> dict[str, str]:
    runtime = exchange.runtime
    return {"level": runtime.log.level, "configured": runtime.settings.log_level}


def _answer(exchange: Exchange, value: Mapping[str, object]) -> Answer:
    return found(value, exchange.panels.meta(), exchange.headers.get("if-none-match", ""))
