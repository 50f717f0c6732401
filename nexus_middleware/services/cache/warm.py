"""Ask an app for pages before its callers do, so that the first of them finds them stored."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlsplit
from wsgiref.types import WSGIApplication

from ...http import ASGIApp, Message


async def awarm(app: ASGIApp, urls: Iterable[str]) -> int:
    """GET each of `urls` from `app`, one after the other; how many answered with a 200.

    Args:
        app: The app with its cache around it, such as a `Nexus`.
        urls: Whole ones, "https://shop.example/courses": scheme and host are part of what a page is known by.
    """
    found = 0
    for url in urls:
        statuses: list[int] = []

        async def keep(message: Message, statuses: list[int] = statuses) -> None:
            statuses.append(message.get("status", 0))

        await app(_scope(url), _patient_client(), keep)
        found += statuses[:1] == [200]
    return found


def warm(app: WSGIApplication, urls: Iterable[str]) -> int:
    """`awarm`, for a WSGI app, such as the `wsgi` of a `Nexus`."""
    return sum([_called(app, url) for url in urls])


def _called(app: WSGIApplication, url: str) -> bool:
    parts = urlsplit(url)
    lines: list[str] = []
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(parts.path or "/", "latin-1"),
        "QUERY_STRING": parts.query,
        "SERVER_NAME": parts.hostname or "",
        "SERVER_PORT": str(parts.port or (443 if parts.scheme == "https" else 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": parts.netloc,
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }

    def start(line: str, *_: Any) -> Any:
        lines.append(line)
        return len

    body: Any = app(environ, start)
    try:
        for _ in body:
            pass
    finally:
        getattr(body, "close", list)()
    return lines[-1:] != [] and lines[-1].startswith("200")


def _scope(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    path = parts.path or "/"
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": parts.scheme,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(b"host", parts.netloc.encode())],
        "client": ("127.0.0.1", 0),
        "server": (parts.hostname or "", parts.port),
        "state": {},
    }


def _patient_client() -> Any:
    told: list[bool] = []

    async def receive() -> Message:
        if told:
            await asyncio.Event().wait()  # the client stays until it has its answer
        told.append(True)
        return {"type": "http.request", "body": b"", "more_body": False}

    return receive
