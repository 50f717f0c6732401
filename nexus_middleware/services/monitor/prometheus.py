"""All that was measured, of all processes, as families for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...rules.exposition import Exposition, Labels
from ...rules.health import ORDER, Check
from .fleet import Fleet
from .stats import Stat, cumulative, total

BOUNDS = range(0, 77, 4)  # every fourth bucket, a doubling each: 0.1 ms to 52 s
Stats = Mapping[tuple[str, ...], Stat]


def requests(page: Exposition, stats: Stats, slow: Iterable[Mapping[str, Any]] = ()) -> None:
    """Add what clients asked for; `slow` requests are the exemplars, by their id and nothing else."""
    page.family(
        "nexus_http_requests_total",
        "counter",
        "Finished requests by method, route template and status class.",
        [({**_route(label), "status": status}, s.count) for label, status, s in _of(stats, "api")],
    )
    by_route: dict[str, list[Stat]] = {}
    for label, _, stat in _of(stats, "api"):
        by_route.setdefault(label, []).append(stat)
    latest = {f"{x['method']} {x['route']}": x for x in reversed([*slow]) if x["requestId"]}
    exemplars = {
        i: ({"request_id": str(found["requestId"])}, found["ms"] / 1000, float(found["at"]))
        for i, label in enumerate(by_route)
        if (found := latest.get(label)) is not None
    }
    page.histograms(
        "nexus_http_request_duration_seconds",
        "Time to the last byte of an answer.",
        [_histogram(_route(label), total(each)) for label, each in by_route.items()],
        exemplars,
    )
    first = total([stat for _, _, stat in _of(stats, "first")])
    page.histograms("nexus_http_first_byte_seconds", "Time to the first byte.", [_histogram({}, first)])
    for kind, name in (("stream", "streams"), ("socket", "websockets")):
        about = f"Finished {name}, which have no response time."
        rows = [({"route": label}, stat.count) for label, _, stat in _of(stats, kind)]
        page.family(f"nexus_http_{name}_total", "counter", about, rows)


def calls(page: Exposition, stats: Stats) -> None:
    """Add the database, other services, and the app's own timers; queries have no labels, for there may be many."""
    database = total([stat for _, _, stat in _of(stats, "db")])
    page.histograms("nexus_db_query_duration_seconds", "Database queries.", [_histogram({}, database)])
    for kind, name, label in (("call", "nexus_client_request", "endpoint"), ("timer", "nexus_timer", "name")):
        about = "Calls to other services." if kind == "call" else "What the app timed itself."
        rows = [_histogram({label: of}, stat) for of, _, stat in _of(stats, kind)]
        page.histograms(f"{name}_duration_seconds", about, rows)


def processes(page: Exposition, fleet: Fleet) -> None:
    """Add what each live process uses."""
    live = [({"process": f"{each.host}:{each.pid}"}, each) for each in fleet.live]
    page.family("nexus_processes", "gauge", "Live processes.", [({}, len(live))])

    def gauge(name: str, about: str, of: Callable[[Any], float | None]) -> None:
        page.family(name, "gauge", about, [(labels, of(each)) for labels, each in live])

    gauge("nexus_process_resident_memory_bytes", "Resident memory.", lambda x: x.rss)
    gauge("nexus_process_private_memory_bytes", "Resident memory that no other process shares.", lambda x: x.private)
    gauge("nexus_process_memory_limit_bytes", "What the machine or container allows.", lambda x: x.limit)
    gauge("nexus_process_cpu_ratio", "Share of the usable cores.", lambda x: None if x.cpu is None else x.cpu / 100)
    gauge("nexus_process_start_time_seconds", "When it started, since the epoch.", lambda x: x.started)
    gauge("nexus_http_requests_in_flight", "Requests under way.", lambda x: x.running)
    gauge("nexus_event_loop_lag_p95_seconds", "How late the event loop is.", lambda x: _seconds(x.lag.ms(0.95)))


def verdicts(page: Exposition, checks: Iterable[Check], alerts: Iterable[Mapping[str, Any]], errors: int) -> None:
    """Add the checks, the alerts that are on, and the number of exceptions."""
    about = "0 healthy, 1 degraded, 2 unhealthy."
    page.family("nexus_health_status", "gauge", about, [({"check": x.name}, ORDER.index(x.status)) for x in checks])
    on = [({"code": x["code"], "severity": x["severity"]}, 1) for x in alerts if x["until"] is None]
    page.family("nexus_alert_active", "gauge", "Alerts that are on.", on)
    page.family("nexus_exceptions_total", "counter", "Exceptions of the last 8 days.", [({}, errors)])


def queues(page: Exposition, stats: Mapping[str, Mapping[str, Any]]) -> None:
    """Add the queues, as `GET …/queues` tells of them."""
    states = ("waiting", "active", "delayed", "failed", "deferred", "canceled")
    rows = [({"queue": queue, "state": state}, x.get(state)) for queue, x in stats.items() for state in states]
    page.family("nexus_queue_jobs", "gauge", "Jobs by state.", rows)
    for name, field in (("completed", "completed"), ("failed", "failedTotal"), ("retried", "retriedTotal")):
        about = f"Jobs {name}, since ever."
        page.family(f"nexus_queue_jobs_{name}_total", "counter", about, _by_queue(stats, field))
    page.family(
        "nexus_queue_oldest_wait_seconds", "gauge", "Age of the oldest job.", _by_queue(stats, "oldestWaitSeconds")
    )
    page.family("nexus_queue_workers", "gauge", "Live workers.", _by_queue(stats, "workers"))


def _by_queue(stats: Mapping[str, Mapping[str, Any]], field: str) -> list[tuple[Labels, float | None]]:
    return [({"queue": queue}, each.get(field)) for queue, each in stats.items()]


def _of(stats: Stats, kind: str) -> list[tuple[str, str, Stat]]:
    return sorted([(key[1], key[2], stat) for key, stat in stats.items() if key[0] == kind], key=lambda row: row[:2])


def _route(label: str) -> Labels:
    method, _, route = label.partition(" ")
    return {"method": method, "route": route or "(other)"}


def _histogram(labels: Labels, stat: Stat) -> tuple[Labels, list[tuple[float, int]], int, float]:
    return labels, cumulative(stat, BOUNDS), stat.count, stat.micros / 1e6


def _seconds(ms: float | None) -> float | None:
    return None if ms is None else round(ms / 1000, 6)
