"""The body of a WSGI request: held for a layer that reads it, metered for one that limits it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from wsgiref.types import WSGIEnvironment

from ..http import Reply

if TYPE_CHECKING:
    from .wsgi import WSGIPassage


class BodyTooLong(OSError):
    """The client sent more than the body limit; raised to the app that reads on."""


class Metered(io.RawIOBase):
    """A request's body, of which no more is let through than `fits` allows.

    Args:
        environ: Of the request, whose `wsgi.input` is read: up to its content-length, and to the end only where the
            server says `wsgi.input_terminated`.
        fits: Told how many bytes there are so far, whether a reader may have them; if not, the read raises `BodyTooLong`.
        before: What was read of it already.
    """

    def __init__(
        self, environ: WSGIEnvironment, fits: Callable[[int], bool] | None = None, before: bytes = b""
    ) -> None:
        super().__init__()
        self._source: Any = environ["wsgi.input"]
        self._left, self._fits, self._before = _length(environ) - len(before), fits, before
        self._seen = 0

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
        if self._fits is not None and not self._fits(self._seen):
            raise BodyTooLong("the request's body is longer than the limit")
        view[: len(chunk)] = chunk
        return len(chunk)

    def peek(self, size: int) -> bytes:
        """Return up to `size` bytes that come next, and leave them to come."""
        beneath = getattr(self._source, "raw", None)
        if isinstance(beneath, Metered):
            return (self._before + beneath.peek(size))[:size]
        while len(self._before) < size and (chunk := self._draw(size - len(self._before))):
            self._before += chunk
        return self._before[:size]

    def _take(self, size: int) -> bytes:
        if self._before:
            chunk, self._before = self._before[:size], self._before[size:]
            return chunk
        return self._draw(size)

    def _draw(self, size: int) -> bytes:
        chunk: bytes = self._source.read(min(size, self._left)) if self._left > 0 else b""
        self._left -= len(chunk)
        return chunk


def hold(passage: WSGIPassage) -> Reply | None:
    """Read the body into `request.body` and give it to the app again; return the refusal of one that is too long."""
    if not passage.binds:
        _glance(passage)
        return None
    request, length = passage.request, _length(passage.request.environ)
    parts: list[bytes] = []
    size = 0
    while (wanted := min(length, passage.room + 1) - size) > 0:
        if not (chunk := request.environ["wsgi.input"].read(wanted)):
            break
        parts.append(chunk)
        size += len(chunk)
        if (refused := passage.cut(size)) is not None:
            return refused
    body = b"".join(parts)
    source: io.BufferedIOBase = io.BytesIO(body)
    if size > passage.room:
        source = io.BufferedReader(Metered(request.environ, before=body))
    else:
        request.body = body
    request.environ = {**request.environ, "wsgi.input": source}
    return None


def _glance(passage: WSGIPassage) -> None:
    """Read the body for a layer in shadow: as far as any meter knows, nobody has taken anything."""
    request, most = passage.request, passage.room
    meter = getattr(request.environ["wsgi.input"], "raw", None)
    if not isinstance(meter, Metered):
        meter = Metered(request.environ)
        request.environ = {**request.environ, "wsgi.input": io.BufferedReader(meter)}
    body = meter.peek(most + 1)
    if len(body) <= most:
        request.body = body


def _length(environ: WSGIEnvironment) -> int:
    """Return how many bytes may be asked of `wsgi.input` (PEP 3333, "Input and Error Streams")."""
    said = environ.get("CONTENT_LENGTH") or ""
    if said.isdecimal():
        return int(said)
    return 2**62 if environ.get("wsgi.input_terminated") else 0
