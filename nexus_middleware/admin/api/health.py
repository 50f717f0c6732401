"""GET /health and /overview."""

from __future__ import annotations

import msgspec

from ..answers import Answer, found
from ..described import says
from ..exchange import Exchange
from ..shapes.examples import HEALTH
from ..shapes.system import Health, Overview
from . import asked


class Strict(msgspec.Struct):
    """Whether an unhealthy system is a 503."""

    strict: asked.Flag = "0"


@says(Health, query=Strict, example=HEALTH)
async def read(exchange: Exchange) -> Answer:
    """Say how the system is; 200 however it is, and with ?strict=1 a 503 if it is unhealthy."""
    panels, strict = exchange.panels, asked.flag(exchange, "strict")
    value = await panels.health.get()
    answer = found(value, panels.meta(), exchange.headers.get("if-none-match", ""))
    if strict and value["health"]["status"] == "unhealthy":
        return Answer(503, answer.body, answer.headers)
    return answer


@says(Overview)
async def overview(exchange: Exchange) -> Answer:
    """Say all that the page shows first, in one."""
    panels = exchange.panels
    return found(await panels.overview(), panels.meta(), exchange.headers.get("if-none-match", ""))
