"""Pages can be asked for before their callers come."""

from __future__ import annotations

import asyncio

from nexus_middleware.middleware.response_cache import ResponseCache
from nexus_middleware.services.cache.warm import awarm, warm
from tests.helpers import Answer, Origin

URLS = ["http://example.org/a?b=1", "http://example.org/missing", "http://example.org/ü"]


def test_a_page_that_was_asked_for_beforehand_is_a_hit(door):
    origin = Origin(
        lambda path, _: Answer([b"page"], 404 if path == "/missing" else 200, [("cache-control", "max-age=60")])
    )
    app = ResponseCache(door.app(origin))
    found = asyncio.run(awarm(app, URLS)) if door.name == "asgi" else warm(app.wsgi, URLS)
    assert (found, len(origin.asked)) == (2, 3)
    assert door.get(app, "/a", query=b"b=1").headers["cache-status"].startswith("nexus; hit")
    assert len(origin.asked) == 3
