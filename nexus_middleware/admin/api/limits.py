"""How far callers have used their limits, and giving one back: GET /security/limits and DELETE /security/limits/{id}."""

from __future__ import annotations

import msgspec

from ...middleware.keys import store_key
from ..answers import Answer, done, found, nothing_here
from ..described import says
from ..exchange import Exchange
from ..shapes.security import LimitReset, Limits
from . import asked


class Callers(asked.Limit):
    """Which: of a limit, of callers."""

    name: asked.Text = ""
    key: asked.Text = ""


@says(Limits, query=Callers)
async def read(exchange: Exchange) -> Answer:
    """List who has used most of a limit now, of ?name= and of callers whose key has the text ?key=."""
    most, name, key = asked.limit(exchange), asked.text(exchange, "name"), asked.text(exchange, "key")
    limits = exchange.runtime.limits
    used = await limits.aused(most, name=name, key=key)
    if key and not used.items:  # a key that is long or has other signs is counted by its digest
        used = await limits.aused(most, name=name, key=store_key(key))
    items = msgspec.to_builtins(used.items)
    value = {"items": items, "nextCursor": None, "total": len(items) if used.complete else None}
    return found(
        {**value, "totalExact": used.complete}, exchange.panels.meta(), exchange.headers.get("if-none-match", "")
    )


@says(LimitReset)
async def reset(exchange: Exchange) -> Answer:
    """Give a caller back what it has used of one limit, in all processes within a second."""
    name = exchange.parameter("id")
    if not await exchange.runtime.limits.aforget(name):
        raise nothing_here()
    exchange.audit("limit_reset", target=name)
    return done({"success": True, "id": name})
