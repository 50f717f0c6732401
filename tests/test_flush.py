"""A flush forgets the cache and nothing else of ours in the same Redis."""

import json

import pytest

from nexus_middleware import CacheRule, Nexus, Settings
from tests.helpers import Answer, Origin

TOKEN = ("x-api-key", "a long secret")


@pytest.fixture
def nexus(redis_url, asgi_door):
    settings = Settings(store=redis_url, rate_limit="5/minute", admin_token="a long secret", log_level="error")
    origin = Origin(lambda path, headers: Answer([b"page"]))
    nexus = Nexus(origin.asgi, settings, cache_rules=[CacheRule("/courses/*", ttl=60)])
    nexus.origin = origin
    yield nexus
    asgi_door.loop.run_until_complete(nexus.runtime.aclose())


def remaining(answer):
    return int(answer.headers["ratelimit"].split("r=")[1].split(";")[0])


def test_a_ban_a_half_used_limit_a_queued_job_and_the_counters_stay_as_they_were(nexus, asgi_door):
    door = asgi_door
    nexus.cache.set("course:1", {"title": "Sums"})
    first = door.get(nexus, "/courses/1")
    nexus.security.block("198.51.100.9")
    job = nexus.queues.queue_email(to="ann@example.org", subject="Hello", html="<p>Hi</p>")
    before = door.get(nexus, "/api/infrastructure/health", headers=[TOKEN])

    deleted = door.get(nexus, "/api/infrastructure/cache", method="DELETE", headers=[TOKEN])

    assert json.loads(deleted.body) == {"success": True, "deleted": 2, "scope": "cache"}
    assert nexus.cache.get("course:1") is None
    second = door.get(nexus, "/courses/1")
    assert len(nexus.origin.asked) == 2, "the stored response is gone"
    assert remaining(second) == remaining(first) - 1
    assert door.get(nexus, "/", client="198.51.100.9").status == 403
    assert nexus.queues.stats("email-queue").waiting == 1
    assert job
    after = door.get(nexus, "/api/infrastructure/health", headers=[TOKEN])
    counts = [json.loads(seen.body)["health"]["api"]["requestCount"] for seen in (before, after)]
    assert counts == [1, 3]
