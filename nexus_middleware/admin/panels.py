"""All that the dashboard reads from the services, in the shapes that the API gives."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import msgspec

from ..errors import SettingsError, StoreError
from ..rules.health import Status
from ..services.cache import CacheStats
from .snapshots import Snapshot

if TYPE_CHECKING:
    from ..runtime import Runtime

REFRESH_SECONDS = 10
MIB = 2**20
HISTORY_KEPT = 5.0  # seconds: its points are a minute
LINES = {"memory": "rssMB", "cpu": "cpu", "response": "avg", "requests": "perSecond"}  # of the cards, and of the series


class Panels:
    """Reads from the services of one runtime; what costs a trip to the store is shared for a second."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._processes = 1
        self._moving: Status = "healthy"  # whether jobs move, as the last reading of the queues had it
        self.cache = Snapshot(self._cache)
        self.history = Snapshot(self._history, keeps=HISTORY_KEPT)
        self.queues = Snapshot(self._queues)
        self._throughput: dict[int, Snapshot] = {}
        self.health = Snapshot(self._health, keeps=0.0, share=0.0)  # one cheap trip, and never an old count

    async def overview(self) -> dict[str, Any]:
        """Return health, cache, queues and the last hour in one; what the store does not tell now has an `error` instead."""
        cache, queues, hour, health = await asyncio.gather(
            _or_error(self.cache), _or_error(self.queues), self.history.get(), self.health.get()
        )
        return {**health, "cache": cache, "queues": queues, "hour": hour}

    def throughput(self, window: int) -> Snapshot:
        """Return the reading of how all queues went in the last `window` seconds."""
        if window not in self._throughput:
            self._throughput[window] = Snapshot(partial(self._ended, window), keeps=HISTORY_KEPT)
        return self._throughput[window]

    def meta(self) -> dict[str, Any]:
        """Return what belongs to every answer."""
        settings = self._runtime.settings
        return {
            "version": _version(),
            "time": timestamp(),
            "environment": settings.environment,
            "scope": "cluster" if self._runtime.store.waits else "process",
            "processes": self._processes,
            "refreshSeconds": REFRESH_SECONDS,
        }

    async def _health(self) -> dict[str, Any]:
        health = dict(await self._runtime.monitor.ahealth())
        self._processes = health.pop("processes", 1)
        return {"health": health, "services": self._services(health["checks"])}

    def _services(self, checks: list[dict[str, Any]]) -> dict[str, str]:
        redis = "disabled"
        if self._runtime.store.waits:
            check = next((check for check in checks if check["name"] == "redis"), {"status": "healthy"})
            silent = check["status"] != "healthy" and check["value"] is None
            redis = "unhealthy" if silent else check["status"]
        return {"redis": redis, "queues": self._moving if self._runtime.queues.enabled else "disabled"}

    async def _history(self) -> dict[str, Any]:
        """Return the lines of the cards over the last hour, a point a minute, and the alerts of that time."""
        history = self._runtime.monitor.history
        told, alerts = await history.aseries("1h"), await history.aalerts()
        points = told["points"]
        lines: dict[str, Any] = {line: [point[name] for point in points] for line, name in LINES.items()}
        lines["status"] = [_status(point, told["step"], alerts["items"]) for point in points]
        on = [alert_shape(alert) for alert in alerts["items"] if alert["until"] is None]
        return {"step": told["step"], "scope": told["scope"], **lines, "alerts": on}

    async def _cache(self) -> dict[str, Any]:
        values, stored = await asyncio.gather(self._runtime.cache.astats(), self._runtime.pages.astats())
        return cache_shape(values, stored, apart=not self._runtime.store.waits)

    async def _queues(self) -> dict[str, Any]:
        try:
            stats = msgspec.to_builtins(await self._runtime.queues.aall_stats())
        except SettingsError:  # jobs need a Redis
            return {"stats": {}, "state": "disabled"}
        except StoreError:
            self._moving = "unhealthy"
            raise
        self._moving = moving(stats)
        return {"stats": stats, "state": "enabled"}

    async def _ended(self, window: int) -> dict[str, Any]:
        names = [*(await self.queues.get())["stats"]]
        return msgspec.to_builtins(await self._runtime.queues.board.athroughput(names, window=window))  # type: ignore[no-any-return]


def alert_shape(item: dict[str, Any]) -> dict[str, Any]:
    """Return an alert as the API tells it."""
    until, muted = item["until"], item["mutedUntil"]
    shown = {name: item[name] for name in ("code", "severity", "text", "value", "count")}
    times = {"since": timestamp(item["since"]), "until": None if until is None else timestamp(until)}
    return {**shown, **times, "on": until is None, "mutedUntil": timestamp(muted) if muted > time.time() else None}


def _status(point: dict[str, Any], step: int, alerts: list[dict[str, Any]]) -> Status | None:
    """Return the worst that an alert said within a step; None if no process ran then."""
    if point["rssMB"] is None:
        return None
    start, end = point["at"], point["at"] + step
    on = [alert["severity"] for alert in alerts if alert["since"] < end and (alert["until"] or end) > start]
    return "unhealthy" if "critical" in on else "degraded" if on else "healthy"


def moving(stats: dict[str, dict[str, Any]]) -> Status:
    """Return degraded if jobs wait in a queue that no worker serves, and that nobody paused."""
    stuck = [each for each in stats.values() if each["waiting"] and not each["paused"] and each.get("workers") == 0]
    return "degraded" if stuck else "healthy"


def cache_shape(values: CacheStats, pages: CacheStats, *, apart: bool) -> dict[str, Any]:
    """Return both caches summed, and each beside it; `apart` if their memory is not that of one store."""
    memory = values.memory_bytes + (pages.memory_bytes if apart else 0)
    stats = {
        **_counts(values.keys + pages.keys, values.hits + pages.hits, values.misses + pages.misses),
        "memory": f"{memory / MIB:.1f}MB",
        "memoryBytes": memory,
        "keysExact": values.exact and pages.exact,
    }
    groups = [("values", values), ("pages", pages)]
    each = [{"name": name, **_counts(part.keys, part.hits, part.misses)} for name, part in groups]
    return {"stats": {**stats, "groups": each}}


def _counts(keys: int, hits: int, misses: int) -> dict[str, Any]:
    ratio = hits / (hits + misses) if hits + misses else 0.0
    return {"keys": keys, "hits": hits, "misses": misses, "hitRate": f"{ratio:.2%}", "hitRatio": round(ratio, 4)}


def timestamp(seconds: float | None = None) -> str:
    """Return a time since the epoch, or now, as ISO 8601 in UTC."""
    moment = datetime.now(UTC) if seconds is None else datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def _or_error(snapshot: Snapshot) -> dict[str, Any]:
    try:
        return await snapshot.get()
    except StoreError:
        return {"error": "store_unavailable"}


def _version() -> str:
    try:
        return version("nexus-middleware")
    except PackageNotFoundError:  # a copy that was not installed
        return "unknown"
