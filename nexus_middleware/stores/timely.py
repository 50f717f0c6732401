"""A deadline for all that one thread sends and reads in one trip; sockets know only of one for each read."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Generator
from functools import cache
from typing import Any

_TRIP = threading.local()


@contextlib.contextmanager
def within(seconds: float) -> Generator[None]:
    """Let this thread's reads from here on end within `seconds`, all together."""
    _TRIP.ends = time.monotonic() + seconds
    try:
        yield
    finally:
        del _TRIP.ends


@cache
def connection(kind: type[Any]) -> type[Any]:
    """Return a redis-py connection that keeps to the deadline of `within`."""

    class Timely(kind):  # type: ignore[misc]
        def read_response(self, *args: Any, **options: Any) -> Any:
            ends = getattr(_TRIP, "ends", None)
            if ends is not None and "timeout" not in options:
                options["timeout"] = max(0.001, ends - time.monotonic())
            return super().read_response(*args, **options)

        def _connect(self) -> Any:
            ends = getattr(_TRIP, "ends", None)
            if ends is not None:
                self.socket_connect_timeout = max(0.001, ends - time.monotonic())
            return super()._connect()

    return Timely
