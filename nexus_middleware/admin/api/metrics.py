"""GET /metrics."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from ...errors import SettingsError, StoreError
from ...rules.exposition import OPEN, PLAIN, Exposition
from ...services.monitor import prometheus
from ..answers import NO_STORE, Answer
from ..described import says
from ..exchange import Exchange


@says(media=("text/plain", "application/openmetrics-text"))
async def read(exchange: Exchange) -> Answer:
    """Say all that was measured, of all processes, as Prometheus reads it; as OpenMetrics to who accepts that."""
    monitor, wants_open = exchange.runtime.monitor, "application/openmetrics-text" in exchange.headers.get("accept", "")
    page = Exposition(open_metrics=wants_open)
    await monitor.ahealth()
    history = monitor.history
    totals, slow, alerts, errors = await asyncio.gather(
        history.atotals(), history.aslow(), history.aalerts(), history.aerrors()
    )
    prometheus.requests(page, totals["stats"], slow["items"])
    prometheus.calls(page, totals["stats"])
    prometheus.processes(page, monitor.fleet())
    prometheus.verdicts(page, monitor.checks(), alerts["items"], sum([row["count"] for row in errors["items"]]))
    await _of_others(exchange, page)
    kind = OPEN if wants_open else PLAIN
    return Answer(200, page.text().encode(), ((b"content-type", kind.encode()), NO_STORE))


async def _of_others(exchange: Exchange, page: Exposition) -> None:
    """Add queues and caches; what does not answer now is left out, never a nought."""
    runtime = exchange.runtime
    asked: list[Any] = [runtime.cache.astats(), runtime.pages.astats()]
    if runtime.queues.enabled:
        asked.append(runtime.queues.aall_stats())
    values, pages, *jobs = [_answered(x) for x in await asyncio.gather(*asked, return_exceptions=True)]
    caches = [(name, x) for name, x in (("values", values), ("pages", pages)) if x is not None]
    for what in ("hits", "misses"):
        rows = [({"cache": name}, getattr(stats, what)) for name, stats in caches]
        page.family(f"nexus_cache_{what}_total", "counter", f"Cache {what}.", rows)
    page.family("nexus_cache_keys", "gauge", "Keys.", [({"cache": name}, stats.keys) for name, stats in caches])
    for stats in jobs:
        prometheus.queues(page, msgspec.to_builtins(stats or {}))


def _answered(answer: Any) -> Any:
    if isinstance(answer, (StoreError, SettingsError)):
        return None
    if isinstance(answer, BaseException):
        raise answer
    return answer
