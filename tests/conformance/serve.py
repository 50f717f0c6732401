"""Serve the cache before a proxy to the suite's origin: python -m tests.conformance.serve conformance ORIGIN PORT."""

from __future__ import annotations

import sys

import uvicorn
from uvicorn.protocols.http import httptools_impl

from nexus_middleware import ResponseCache
from nexus_middleware.testing import conformance_cache
from tests.conformance.proxy import Proxy

OPTIONS = {"conformance": conformance_cache, "defaults": ResponseCache}


def main() -> None:
    """Serve until killed."""
    name, origin, port = sys.argv[1:]
    httptools_impl.STATUS_LINE.setdefault(999, b"HTTP/1.1 999 Not Revalidated\r\n")  # by which the origin complains
    app = OPTIONS[name](Proxy("127.0.0.1", int(origin)))
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(port),
        http="httptools",
        loop="asyncio",
        server_header=False,
        date_header=False,  # the origin's own goes through
        log_level="critical",  # that the origin hangs up is part of the suite
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,  # one test has the origin never end
        proxy_headers=False,
    )


if __name__ == "__main__":
    main()
