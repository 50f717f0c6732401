"""The JSON API: every address with its methods and the right each needs."""

from __future__ import annotations

from ..resource import Action, Resource
from . import (
    analytics,
    blocked,
    cache,
    decisions,
    description,
    health,
    jobs,
    limits,
    logs,
    metrics,
    performance,
    queues,
    rules,
    security,
    session,
    workers,
)

PARTS: tuple[performance.Name, ...] = ("endpoints", "queries", "timers", "calls", "connections")
RESOURCES: dict[str, Resource] = {
    "/health": Resource("health", {"GET": Action("view", health.read)}),
    "/overview": Resource("health", {"GET": Action("view", health.overview)}),
    "/me": Resource("sign-in", {"GET": Action("view", session.me)}),
    "/cache": Resource(
        "cache",
        {"GET": Action("view", cache.read), "DELETE": Action("cache:clear", cache.clear)},
    ),
    "/cache/series": Resource("cache", {"GET": Action("view", cache.series)}),
    "/cache/groups": Resource("cache", {"GET": Action("view", cache.groups)}),
    "/cache/loaders": Resource("cache", {"GET": Action("view", cache.loaders)}),
    "/cache/keys": Resource("cache", {"GET": Action("view", cache.keys)}),
    "/cache/keys/{key:path}": Resource(
        "cache",
        {"GET": Action("cache:read_values", cache.show), "DELETE": Action("cache:clear", cache.delete)},
    ),
    "/queues": Resource("queues", {"GET": Action("view", queues.read)}),
    "/queues/throughput": Resource("queues", {"GET": Action("view", queues.throughput)}),
    "/queues/{queue:path}/pause": Resource("queues", {"POST": Action("queues:pause", queues.pause)}),
    "/queues/{queue:path}/resume": Resource("queues", {"POST": Action("queues:pause", queues.resume)}),
    "/queues/{queue:path}/retry-failed": Resource("queues", {"POST": Action("queues:retry", queues.retry_failed)}),
    "/queues/{queue:path}/empty": Resource("queues", {"POST": Action("queues:delete", queues.empty)}),
    "/queues/{queue:path}/jobs": Resource("jobs", {"GET": Action("view", jobs.of_queue)}),
    "/queues/{queue:path}/history": Resource("queues", {"GET": Action("view", jobs.history)}),
    "/jobs:bulk": Resource("jobs", {"POST": Action("view", jobs.bulk)}),  # it asks for the right of its action
    "/jobs/{id}": Resource("jobs", {"GET": Action("view", jobs.one), "DELETE": Action("queues:delete", jobs.delete)}),
    "/jobs/{id}/retry": Resource("jobs", {"POST": Action("queues:retry", jobs.retry)}),
    "/jobs/{id}/cancel": Resource("jobs", {"POST": Action("queues:delete", jobs.cancel)}),
    "/requests/{request_id}/jobs": Resource("jobs", {"GET": Action("view", jobs.of_request)}),
    "/workers": Resource("workers", {"GET": Action("view", workers.workers)}),
    "/schedules": Resource("schedules", {"GET": Action("view", workers.schedules)}),
    "/schedules/{name}/run": Resource("schedules", {"POST": Action("schedules:run", workers.run)}),
    "/schedules/{name}/pause": Resource("schedules", {"POST": Action("schedules:run", workers.pause)}),
    "/schedules/{name}/resume": Resource("schedules", {"POST": Action("schedules:run", workers.resume)}),
    "/analytics": Resource("results", {"GET": Action("view", analytics.read)}),
    "/performance": Resource("measurements", {"GET": Action("view", performance.read)}),
    "/performance/series": Resource("measurements", {"GET": Action("view", performance.series)}),
    **{
        f"/performance/{name}": Resource("measurements", {"GET": Action("view", performance.windowed(name))})
        for name in PARTS
    },
    "/performance/endpoint": Resource("measurements", {"GET": Action("view", performance.endpoint)}),
    "/performance/slow": Resource("measurements", {"GET": Action("view", performance.slow)}),
    "/performance/errors": Resource("measurements", {"GET": Action("view", performance.errors)}),
    "/processes": Resource("processes", {"GET": Action("view", performance.processes)}),
    "/alerts": Resource("alerts", {"GET": Action("view", performance.alerts)}),
    "/alerts/{code}/mute": Resource("alerts", {"POST": Action("alerts:mute", performance.mute)}),
    "/metrics": Resource("measurements", {"GET": Action("view", metrics.read)}),
    "/security/events": Resource("events", {"GET": Action("view", blocked.events)}),
    "/security/counts": Resource("events", {"GET": Action("view", security.counts)}),
    "/security/limited": Resource("limited clients", {"GET": Action("view", security.limited)}),
    "/security/limits": Resource("limits", {"GET": Action("view", limits.read)}),
    "/security/limits/{id:path}": Resource("limits", {"DELETE": Action("limits:reset", limits.reset)}),
    "/security/csp": Resource("reports", {"GET": Action("view", security.reports)}),
    "/security/posture": Resource("layers", {"GET": Action("view", security.posture)}),
    "/logs": Resource("log", {"GET": Action("logs:read", logs.read)}),
    "/logs/level": Resource(
        "level of the log",
        {"GET": Action("logs:read", logs.level), "PUT": Action("logs:level", logs.set_level)},
    ),
    "/security/blocked": Resource(
        "blocked addresses",
        {
            "GET": Action("view", blocked.read),
            "POST": Action("security:block", blocked.block),
            "DELETE": Action("security:unblock", blocked.unblock),
        },
    ),
    "/rules": Resource("rules", {"GET": Action("view", rules.read), "POST": Action("rules:edit", rules.change)}),
    "/rules/each": Resource("rules", {"GET": Action("view", rules.each)}),
    "/rules/explain": Resource("rules", {"POST": Action("view", rules.explained)}),  # headers may be secret: no query
    "/rules/versions/{version}": Resource("rules", {"GET": Action("view", rules.version)}),
    "/decisions": Resource("decisions", {"GET": Action("view", decisions.read)}),
    "/decisions/counts": Resource("decisions", {"GET": Action("view", decisions.counts)}),
    "/decisions/key": Resource("decisions", {"POST": Action("view", decisions.key)}),
    "/requests/{request_id}/decisions": Resource("decisions", {"GET": Action("view", decisions.of_request)}),
    "/sign-in": Resource("sign-in", {"POST": Action("", session.sign_in)}, public=True),
    "/sign-out": Resource("sign-in", {"POST": Action("", session.sign_out)}, public=True),
}
RESOURCES["/openapi.json"] = Resource("description", {"GET": Action("view", description.of(RESOURCES))})
