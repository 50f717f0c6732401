"""The response cache as the public suite of HTTP caching judges it, https://cache-tests.fyi."""

from __future__ import annotations

from ..http import App
from ..middleware.response_cache import CachePolicy, ResponseCache

POLICY = CachePolicy(heuristic=True, cookies=True, set_cookie=True, directives=True, stale_if_error=3_600.0)


def conformance_cache(app: App) -> ResponseCache:
    """Return `app` behind a `ResponseCache` that may do all that RFC 9111 allows, as the suite expects it.

    The suite takes a cache in front of a server, whose origin answers all callers alike. In front of an app, that is
    not safe: answers that set cookies, and those to requests with cookies, are kept for all.

    >>> async def app(scope, receive, send): ...
    >>> cached = conformance_cache(app)
    """
    return ResponseCache(app, policy=POLICY)
