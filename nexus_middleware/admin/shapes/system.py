"""Health, caches, the overview, and who asks."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ...rules.health import Status
from ...services.cache.browser import KeyValue
from ...services.jobs.stats import QueueStats
from . import Done, Meta, Moment, Read, Scope, Shape
from .measurements import Alert

Service = Literal["healthy", "degraded", "unhealthy", "disabled"]


class Memory(Shape):
    """MiB of one process."""

    rss: float = msgspec.field(name="rssMB")
    heap_used: float = msgspec.field(name="heapUsedMB")
    limit: float | None = msgspec.field(name="limitMB")
    percent: float | None


class Cpu(Shape):
    """The processor: percent of what the process may use."""

    percent: float
    cores: float
    load1: float | None


class Uptime(Shape):
    """Since when the process runs."""

    process_formatted: str
    process_seconds: int
    started_at: Moment


class Requests(Shape):
    """Requests: the count since ever, the rest of the last `windowSeconds`; times in milliseconds."""

    avg_response_time: int
    request_count: int
    p50: float | None
    p95: float | None
    p99: float | None
    error_rate: float | None
    requests_per_second: float
    window_seconds: int


class Database(Shape):
    """Queries; times in milliseconds."""

    avg_query_time: int
    query_count: int
    p95: float | None
    slow_count: int


class Loop(Shape):
    """How late the event loop runs what is due, in milliseconds."""

    lag_p95: float | None


class Check(Shape):
    """One judgement."""

    name: str
    status: Status
    value: float | None
    unit: str
    text: str
    since: Moment | None


class State(Shape):
    """How the system is."""

    status: Status
    memory: Memory
    cpu: Cpu
    uptime: Uptime
    api: Requests
    database: Database
    event_loop: Loop
    checks: list[Check]
    reasons: list[str]


class Services(Shape):
    """What the app stands on."""

    redis: Service
    queues: Service


class Health(Read):
    """GET /health."""

    health: State
    services: Services


class Counts(Shape):
    """How a cache was used."""

    keys: int
    hits: int
    misses: int
    hit_rate: str
    hit_ratio: float


class Part(Counts):
    """One of the caches."""

    name: str


class CacheStats(Counts):
    """Both caches in sum."""

    memory: str
    memory_bytes: int
    keys_exact: bool
    groups: list[Part]


class Cache(Read):
    """GET /cache."""

    stats: CacheStats


class CachePoint(Shape):
    """How both caches were used in one step, and the stored responses alone."""

    at: Moment
    at_ms: int
    hits: int
    misses: int
    sets: int
    page_hits: int
    page_misses: int
    partial: bool | msgspec.UnsetType = msgspec.UNSET  # its step is not over


class CacheSeries(Read):
    """GET /cache/series: a point every `step` seconds, oldest first."""

    window_seconds: int
    step: int
    points: list[CachePoint]


class Down(Shape):
    """What stands in the overview for a part that Redis does not tell now."""

    stats: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    error: str | msgspec.UnsetType = msgspec.UNSET


class Hour(Shape):
    """The lines of the cards, a point every `step` seconds, null where nothing was measured; and the alerts that are on."""

    step: int
    scope: Scope
    memory: list[float | None]
    cpu: list[float | None]
    response: list[float | None]
    requests: list[float | None]
    status: list[Status | None]
    alerts: list[Alert]


class Overview(Health):
    """GET /overview: what the page shows first."""

    cache: Down
    queues: Down
    hour: Hour


class Me(Read):
    """GET /me."""

    who: str  # token, session or hook
    name: str  # of the token, or of the host's user; "" if it has none
    rights: list[str]
    address: str


class Group(Shape):
    """How a group of keys was used."""

    group: str
    hits: int
    misses: int
    sets: int
    hit_ratio: float
    average_ttl: float | None


class Shown(Read):
    """GET /cache/keys/{key}."""

    key: KeyValue


class Forgotten(Done):
    """What was forgotten, or with ?dryRun=1 would be."""

    scope: str
    deleted: int | msgspec.UnsetType = msgspec.UNSET
    matched: int | msgspec.UnsetType = msgspec.UNSET
    dry_run: bool | msgspec.UnsetType = msgspec.UNSET
    tag: str | msgspec.UnsetType = msgspec.UNSET
    key: str | msgspec.UnsetType = msgspec.UNSET


class QueuesMeta(Meta):
    """And whether there can be jobs."""

    queues: Literal["enabled", "disabled"]


class Queues(Shape):
    """GET /queues."""

    stats: dict[str, QueueStats]
    meta: QueuesMeta
