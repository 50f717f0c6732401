"""Write one line about each request when its last byte has gone out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from ..http import App, Request
from .layer import Layer


class AccessLine(msgspec.Struct, gc=False):
    """What a log line says of one request; times in seconds."""

    at: float  # since the epoch
    method: str
    path: str
    status: int
    seconds: float  # to the last byte
    client: str
    request_id: str
    agent: str
    caller: str = ""  # the name of the API key; "" for none
    trace: str = ""  # the traceparent that came with it (W3C Trace Context), unread


class Log(Protocol):
    """What takes the lines; it must not wait."""

    def __call__(self, line: AccessLine, /) -> None: ...


class RequestLogger(Layer[None]):
    """Hand one `AccessLine` a request to `log`, once, however the request ended.

    Args:
        app: Whose requests are logged.
        log: What takes the lines; None for the logger `nexus_middleware.access` of the standard library.
        exempt: Paths that are not logged, such as those of probes.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        app: App,
        *,
        log: Log | None = None,
        exempt: Iterable[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(app)
        self._log = log or _to_logging()
        self._exempt, self._clock = frozenset(exempt), clock

    def before(self, request: Request, answer: None) -> None:
        request.notes[self] = self._clock()

    def done(self, request: Request, status: int) -> None:
        path = request.path
        if request.again or path in self._exempt:
            return
        now, notes = self._clock(), request.notes
        agent, trace = request.header(b"user-agent"), request.header(b"traceparent")
        self._log(
            AccessLine(
                now,
                request.method,
                path,
                status,
                now - notes[self],
                request.client,
                notes.get("id", ""),
                agent[:200].decode("latin-1") if agent else "",
                notes.get("api_key", ""),
                trace.decode("latin-1") if trace else "",
            )
        )


def _to_logging() -> Log:
    import logging  # only where nothing else takes the lines

    logger = logging.getLogger("nexus_middleware.access")

    def log(line: AccessLine) -> None:
        logger.info("%s", msgspec.json.encode(line).decode())

    return log
