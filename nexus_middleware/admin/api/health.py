"""GET /health and /overview."""

from __future__ import annotations

from ..answers import Answer, found
from ..exchange import Exchange


async def read(exchange: Exchange) -> Answer:
    """Say how the system is; 200 however it is, and with ?strict=1 a 503 if it is unhealthy."""
    panels = exchange.panels
    value = await panels.health.get()
    answer = found(value, panels.meta(), exchange.headers.get("if-none-match", ""))
    if exchange.query.get("strict") == "1" and value["health"]["status"] == "unhealthy":
        return Answer(503, answer.body, answer.headers)
    return answer


async def overview(exchange: Exchange) -> Answer:
    """Say all that the page shows first, in one."""
    panels = exchange.panels
    return found(await panels.overview(), panels.meta(), exchange.headers.get("if-none-match", ""))
