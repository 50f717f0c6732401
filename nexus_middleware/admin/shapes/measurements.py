"""Charts, tables of what took time, errors, processes and alerts; times in milliseconds."""

from __future__ import annotations

from typing import Any

import msgspec

from . import Done, Moment, Read, Scope, Shape


class Step(Shape):
    """One step of the charts; null where nothing was measured; the last is `partial`."""

    at: Moment
    at_ms: int
    requests: int
    per_second: float
    statuses: dict[str, int]
    avg: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    first_p95: float | None
    rss: float | None = msgspec.field(name="rssMB")
    cpu: float | None
    running: float | None
    lag_p95: float | None
    db_count: int
    db_avg: float | None
    db_p95: float | None
    calls: int
    streams: int
    sockets: int
    partial: bool | msgspec.UnsetType = msgspec.UNSET


class Deploy(Shape):
    """When a release was first seen."""

    at: Moment
    at_ms: int
    release: str
    host: str


class Series(Read):
    """GET /performance/series."""

    window: str
    step: int
    points: list[Step]
    deploys: list[Deploy]
    scope: Scope


class Times(Shape):
    """How often, and how long."""

    count: int
    errors: int
    slow: int
    avg: float | None
    max: float
    p50: float | None
    p95: float | None
    p99: float | None
    total_ms: float


class Heavy(Times):
    """And its share of the whole time."""

    share: float


class Endpoint(Heavy):
    """A method and a route."""

    endpoint: str
    statuses: dict[str, int]


class Repeat(Shape):
    """Where one request sends a query again and again."""

    endpoint: str
    requests: int
    most: int


class Query(Heavy):
    """A query without its values."""

    query: str
    repeated: list[Repeat]


class Named(Heavy):
    """A timer, or a call to another service."""

    name: str


class Connection(Named):
    """Websockets and streams."""

    kind: str


class Performance(Series):
    """GET /performance."""

    endpoints: list[Endpoint]
    queries: list[Query]


class OneEndpoint(Read):
    """All of one endpoint; the figures of `Times` are there once it was called in the window."""

    window: str
    endpoint: str
    count: int
    first_byte: Times
    histogram: list[list[int]]
    first_histogram: list[list[int]]
    slowest: list[dict[str, Any]]
    scope: Scope


class Slow(Shape):
    """A request of a second or more."""

    at: Moment
    method: str
    route: str
    status: int
    ms: float
    db_ms: float
    db_count: int
    client: str
    request_id: str


class Failure(Shape):
    """Exceptions of one type and raising line."""

    id: str
    type: str
    where: str
    count: int
    first: Moment
    last: Moment
    message: str
    traceback: list[str]
    endpoint: str
    request_id: str


class Process(Shape):
    """A live process."""

    name: str
    host: str
    pid: int
    release: str
    uptime_seconds: int
    rss: float = msgspec.field(name="rssMB")
    heap_used: float = msgspec.field(name="heapUsedMB")
    cpu: float | None
    running: int
    lag_p95: float | None


class Alert(Shape):
    """What was out of bounds, and whether it still is."""

    code: str
    severity: str
    text: str
    value: float | None
    count: int
    since: Moment
    until: Moment | None
    on: bool
    muted_until: Moment | None


class Muted(Done):
    """Of which alert nobody is told, and for how long."""

    code: str
    seconds: float
