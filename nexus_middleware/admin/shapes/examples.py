"""Answers as they usually look, for the description of the API."""

from __future__ import annotations

from typing import Any

META: dict[str, Any] = {
    "version": "1.0.0",
    "time": "2026-10-31T12:00:00.000Z",
    "environment": "production",
    "scope": "cluster",
    "processes": 4,
    "refreshSeconds": 10,
}
HEALTH: dict[str, Any] = {
    "health": {
        "status": "healthy",
        "memory": {"rssMB": 250, "heapUsedMB": 180, "limitMB": 512, "percent": 48.8},
        "cpu": {"percent": 15.5, "cores": 2, "load1": 0.4},
        "uptime": {
            "processFormatted": "2d 14h 30m",
            "processSeconds": 225_000,
            "startedAt": "2026-10-28T21:30:00Z",
        },
        "api": {
            "avgResponseTime": 120,
            "requestCount": 50_000,
            "p50": 85,
            "p95": 310,
            "p99": 720,
            "errorRate": 0.2,
            "requestsPerSecond": 42.1,
            "windowSeconds": 300,
        },
        "database": {"avgQueryTime": 35, "queryCount": 100_000, "p95": 90, "slowCount": 12},
        "eventLoop": {"lagP95": 1.2},
        "checks": [
            {"name": "memory", "status": "healthy", "value": 48.8, "unit": "%", "since": None, "text": "Memory: 48.8 %"}
        ],
        "reasons": [],
    },
    "services": {"redis": "healthy", "queues": "healthy"},
    "meta": META,
}
CACHE: dict[str, Any] = {
    "stats": {
        "keys": 1523,
        "memory": "45.2MB",
        "hits": 125_000,
        "misses": 3_500,
        "hitRate": "97.28%",
        "memoryBytes": 47_395_635,
        "hitRatio": 0.9728,
        "keysExact": True,
        "groups": [
            {"name": "values", "keys": 1200, "hits": 120_000, "misses": 3_000, "hitRate": "97.56%", "hitRatio": 0.9756},
            {"name": "pages", "keys": 323, "hits": 5_000, "misses": 500, "hitRate": "90.91%", "hitRatio": 0.9091},
        ],
    },
    "meta": META,
}
QUEUES: dict[str, Any] = {
    "stats": {
        "email-queue": {
            "waiting": 45,
            "active": 3,
            "completed": 12_500,
            "failed": 23,
            "delayed": 5,
            "paused": False,
            "deferred": 0,
            "canceled": 0,
            "completedKept": 100,
            "oldestWaitSeconds": 12.4,
            "workers": 2,
            "busy": 1,
            "throughputPerMinute": 30.5,
            "waitP95": 800.0,
            "runP95": 240.0,
            "failedTotal": 31,
            "retriedTotal": 64,
            "rescuedTotal": 1,
        }
    },
    "meta": {**META, "queues": "enabled"},
}
