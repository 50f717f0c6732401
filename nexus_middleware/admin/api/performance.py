"""GET /performance."""

from __future__ import annotations

from typing import Any

from ..answers import Answer, found
from ..exchange import Exchange

ROWS = 50  # those that took the most time in all


async def read(exchange: Exchange) -> Answer:
    """List the endpoints and queries that took the most time in this process, since it started."""
    monitor, panels = exchange.runtime.monitor, exchange.panels
    value = {"endpoints": heaviest(monitor.api_stats(), "endpoint"), "queries": heaviest(monitor.db_stats(), "query")}
    meta = {**panels.meta(), "scope": "process"}
    return found(value, meta, exchange.headers.get("if-none-match", ""))


def heaviest(stats: dict[str, dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Return the rows with the greatest total time, each with its label under `name` and its share of that time."""
    totals = {label: row["count"] * row["avg"] for label, row in stats.items()}
    whole = sum(totals.values())
    first = sorted(totals, key=lambda label: -totals[label])[:ROWS]
    return [
        {name: label, **stats[label], "share": round(totals[label] / whole, 4) if whole else 0.0} for label in first
    ]
