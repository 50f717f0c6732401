"""An hour as it might have been: a series, slow requests, repeated queries, exceptions, refusals, lines of the log."""

from __future__ import annotations

import math
import time

import msgspec

from nexus_middleware import Nexus
from nexus_middleware.rules.security_events import SEVERITY, Event
from nexus_middleware.services.monitor.history import DEPLOYS
from nexus_middleware.services.monitor.incidents import Work
from nexus_middleware.services.monitor.rings import RINGS, Slot, slot_key
from nexus_middleware.services.monitor.stats import Stat
from nexus_middleware.stores.commands import Push, SetFields

MARKUP = "<img src=x onerror=alert(1)>"  # what must never become an element
MINUTE = RINGS[1]


def live_an_hour(nexus: Nexus) -> None:
    """Have the store and the monitor of `nexus` know of an hour of requests, with markup in every text."""
    store, now = nexus.runtime.store, time.time()
    last = int(now) // MINUTE.step * MINUTE.step
    told = [(slot_key(MINUTE, last - n * 60), msgspec.msgpack.encode(_slot(n))) for n in range(60)]
    store.run([SetFields(key, {"web-1": slot}, 3600.0) for key, slot in told])
    mark = msgspec.json.encode({"at": now - 1500, "release": f"1.4.2 {MARKUP}", "host": "web-1"})
    store.run([Push(DEPLOYS, (mark,), 20, 3600.0)])
    monitor = nexus.monitor
    for n in range(200):
        monitor.track_api("GET /courses/{id}", 12 + n % 9 * 4, 200)
        monitor.track_api("POST /orders", 40 + n % 30 * 12, 500 if n % 40 == 0 else 201)
        monitor.track_api(f"GET /{MARKUP}", 3, 404)
        monitor.track_db("SELECT * FROM lessons WHERE course = 7", 2.5)
        monitor.track_db("SELECT * FROM courses ORDER BY title LIMIT 20", 9 + n % 5)
    slow = {"method": "POST", "route": "/orders", "status": 201, "dbMs": 900.0, "dbCount": 31, "client": "192.0.2.9"}
    for n in reversed(range(3)):
        monitor.counts.incidents.slow(at=now - n * 60, ms=1400.0 + n * 300, requestId=f"request-{n}", **slow)
    work = Work()
    for _ in range(14):
        work.add("SELECT * FROM lessons WHERE course = ?", 2.5)
    monitor.counts.incidents.worked(work, "GET /courses/{id}")
    try:
        fail()
    except LookupError as error:
        monitor.track_error(error, endpoint="POST /orders", request_id="request-1")
    kinds = ("rate_limited", "sqli", "xss", "bad_key", "too_large", "blocked", "cors")
    for n in reversed(range(35)):
        kind, client = kinds[n % 7], f"192.0.2.{n % 5}"
        path, detail = f"/search/{MARKUP}", f"query q: {MARKUP}"
        event = Event(kind, now - n * 80, SEVERITY[kind], client, "GET", path, "refused", 400, "Layer", detail)
        event.request_id = f"request-{n}"
        nexus.security.note(event)
    monitor.tick(now)


def fail() -> None:
    raise LookupError(MARKUP)


def _slot(n: int) -> Slot:
    busy = 300 + int(200 * math.sin(n / 9))
    api, lag, queries = Stat(buckets={}), Stat(buckets={}), Stat(buckets={})
    api.take([0.012 + i % 17 * 0.004 for i in range(busy)] + [1.2] * (n % 5), failed=False, slow=1.0)
    lag.take([0.001 + n % 7 * 0.0006] * 10, failed=False, slow=1.0)
    queries.take([0.003 + i % 11 * 0.002 for i in range(busy)], failed=False, slow=1.0)
    statuses = {"2xx": busy - 30, "3xx": 12, "4xx": 10 + n % 9, "5xx": 6 if n in (20, 21, 22) else 0}
    gauges = {"rssMB": 210 + n % 13, "cpu": 22 + 15 * math.sin(n / 6), "running": 1}
    return Slot({"api": api, "lag": lag, "db": queries}, statuses, gauges)
