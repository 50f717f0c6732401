"""What was refused, summed up, and how the app is protected: GET /security/counts, limited, csp and posture."""

from __future__ import annotations

import asyncio
from typing import Any

from ...checks import posture as measured
from ..answers import Answer, found
from ..described import says
from ..exchange import Exchange
from ..panels import timestamp
from ..shapes import Listing
from ..shapes.security import EventCounts, Limited, Posture, Violation
from . import asked

DAY = 86_400  # seconds


class Offenders(asked.Window):
    """How many of them."""

    limit: asked.Most = 20


@says(EventCounts, query=asked.Window)
async def counts(exchange: Exchange) -> Answer:
    """Count events by kind over ?window=, and by the minute, or by the hour of a window of more than a day."""
    window = asked.window(exchange)
    steps = await exchange.runtime.security.ahistory(window)
    totals: dict[str, int] = {}
    for each in steps:
        for kind, count in each["counts"].items():
            totals[kind] = totals.get(kind, 0) + count
    points = [{"at": timestamp(x["at"]), "atMs": int(x["at"] * 1000), "counts": x["counts"]} for x in steps]
    step = 60 if window <= DAY else 3_600
    return _answer(exchange, {"windowSeconds": window, "step": step, "counts": totals, "points": points})


@says(Listing[Limited], query=Offenders)
async def limited(exchange: Exchange) -> Answer:
    """List who was refused most often for their rate, in the hours of ?window=."""
    items = await exchange.runtime.security.alimited(asked.window(exchange), most=asked.limit(exchange, 20))
    return _answer(exchange, _listing(items))


@says(Listing[Violation])
async def reports(exchange: Exchange) -> Answer:
    """List what browsers reported of broken policies in the last 7 days, the most frequent first."""
    told = await exchange.runtime.security.acsp_reports()
    items = [{**item, "last": timestamp(item["last"]) if item["last"] else None} for item in told]
    return _answer(exchange, _listing(items))


@says(Posture)
async def posture(exchange: Exchange) -> Answer:
    """Tell of the layers around the app, outermost first, of the headers that a page gets, and what `nexus check` finds."""
    app = exchange.runtime.front
    if app is None:  # the dashboard was mounted by itself: nothing is known of what stands around the app
        return _answer(exchange, {"state": "unknown", "layers": [], "headers": {}, "missing": [], "findings": []})
    told = await asyncio.to_thread(measured, app)  # a layer may read files when it is looked at
    return _answer(exchange, {"state": "known", **told})


def _listing(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"items": items, "nextCursor": None, "total": len(items), "totalExact": True}


def _answer(exchange: Exchange, value: dict[str, Any]) -> Answer:
    return found(value, exchange.panels.meta(), exchange.headers.get("if-none-match", ""))
