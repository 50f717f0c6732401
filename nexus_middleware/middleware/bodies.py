"""The body of a WSGI request: held for a layer that reads it, metered for one that limits it."""

from __future__ import annotations

import io
from typing import Any
from wsgiref.types import WSGIEnvironment

from ..http import Reply
from .requests import WSGIRequest

BUFFER = 500 * 1024  # bytes of a body that are held for `reads_body`, where no layer limits it


class BodyTooLong(OSError):
    """The client sent more than the body limit; raised to the app that reads on."""


class Metered(io.RawIOBase):
    """A request's body, of which at most `limit` bytes are let through.

    Args:
        environ: Of the request, whose `wsgi.input` is read: up to its content-length, and to the end only where the
            server says `wsgi.input_terminated`.
        limit: Bytes; a read beyond them raises `BodyTooLong`.
        before: What was read of it already.
    """

    def __init__(self, environ: WSGIEnvironment, limit: int, before: bytes = b"") -> None:
        super().__init__()
        self._source: Any = environ["wsgi.input"]
        self._left, self._limit, self._before = _length(environ) - len(before), limit, before
        self._seen = 0
        self.over = False

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Read into `buffer`, as `io.RawIOBase` says.

        Raises:
            BodyTooLong: the body has more bytes than the limit.
        """
        view = memoryview(buffer)
        chunk = self._take(len(view))
        self._seen += len(chunk)
        if self._seen > self._limit:
            self.over = True
            raise BodyTooLong(f"the request's body is longer than {self._limit} bytes")
        view[: len(chunk)] = chunk
        return len(chunk)

    def _take(self, size: int) -> bytes:
        if self._before:
            chunk, self._before = self._before[:size], self._before[size:]
            return chunk
        chunk = self._source.read(min(size, self._left)) if self._left > 0 else b""
        self._left -= len(chunk)
        return chunk


def hold(request: WSGIRequest) -> Reply | None:
    """Read the body into `request.body` and give it to the app again; return the refusal of one that is too long."""
    limit = request.body_limit or BUFFER
    source = request.environ["wsgi.input"]
    wanted = min(_length(request.environ), limit + 1)
    parts: list[bytes] = []
    while wanted > 0 and (chunk := source.read(wanted)):
        parts.append(chunk)
        wanted -= len(chunk)
    body = b"".join(parts)
    if len(body) > limit:
        if request.refuse_body is not None:
            return request.refuse_body(request, limit)
        whole = Metered(request.environ, _length(request.environ), body)
        request.environ = {**request.environ, "wsgi.input": io.BufferedReader(whole)}
        return None
    request.body = body
    request.environ = {**request.environ, "wsgi.input": io.BytesIO(body)}
    return None


def _length(environ: WSGIEnvironment) -> int:
    """Return how many bytes may be asked of `wsgi.input` (PEP 3333, "Input and Error Streams")."""
    said = environ.get("CONTENT_LENGTH") or ""
    if said.isdecimal():
        return int(said)
    return 2**62 if environ.get("wsgi.input_terminated") else 0
