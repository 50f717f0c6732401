"""How far callers have used their limits, and giving one back: GET /security/limits and DELETE /security/limits/{id}."""

from __future__ import annotations

import asyncio

import msgspec

from ...checks import look
from ...middleware.keys import store_key
from ...middleware.rate_limit import RateLimit
from ...rules.networks import bucket
from ...services.limits import RATE
from ..answers import Answer, done, found, nothing_here
from ..described import says
from ..exchange import Exchange
from ..shapes.security import LimitReset, Limits
from . import asked

DECISIONS = 200  # the newest, whose callers are looked at in any case


class Callers(asked.Limit):
    """Which: of a limit, of callers."""

    name: asked.Text = ""
    key: asked.Text = ""


@says(Limits, query=Callers)
async def read(exchange: Exchange) -> Answer:
    """List who has used most of a limit now, of ?name= and of callers whose key has the text ?key=."""
    most, name = asked.limit(exchange), asked.text(exchange, "name")
    key = bucket(asked.text(exchange, "key"), exchange.runtime.settings.ipv6_prefix)
    limits, caller = exchange.runtime.limits, store_key(key)
    also = [*await _refused(exchange), *(await _counts_of(exchange, caller) if key else ())]
    used = await limits.aused(most, name=name, key=key, also=also)
    if not used.items and caller != key:  # a key that is long or has other signs is counted by its digest
        used = await limits.aused(most, name=name, key=caller, also=also)
    items = msgspec.to_builtins(used.items)
    value = {"items": items, "nextCursor": None, "total": len(items) if used.complete else None}
    return found(
        {**value, "totalExact": used.complete}, exchange.panels.meta(), exchange.headers.get("if-none-match", "")
    )


async def _refused(exchange: Exchange) -> list[str]:
    """Return the counts by which callers were refused last: nobody is nearer to a limit."""
    records = await exchange.runtime.decisions.alatest(DECISIONS)
    rulings = [ruling for record in records for decision in record["decisions"] for ruling in decision["rules"]]
    told = [(x["rule"], f"{x['limit']}/{x['window']:g}:{x['key']}") for x in rulings if x["key"] and x["limit"]]
    return [f"{rule}:{kind}{rest}" for rule, rest in dict.fromkeys(told) for kind in ("", "gcra:")]


async def _counts_of(exchange: Exchange, caller: str) -> list[str]:
    """Return what a caller's counts would be called, of every limit of the stack that is known."""
    front = exchange.runtime.front
    layers = [] if front is None else (await asyncio.to_thread(look, front)).layers
    rules = [rule for layer in layers if isinstance(layer, RateLimit) for rule in layer.rules]
    return [quota.prefix.removeprefix(RATE) + caller for rule in rules for quota in rule.quotas]


@says(LimitReset)
async def reset(exchange: Exchange) -> Answer:
    """Give a caller back what it has used of one limit, in all processes within a second."""
    name = exchange.parameter("id")
    if not await exchange.runtime.limits.aforget(name):
        raise nothing_here()
    exchange.audit("limit_reset", target=name)
    return done({"success": True, "id": name})
