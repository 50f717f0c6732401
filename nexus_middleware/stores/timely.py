"""Deadlines of one trip: of all that a thread sends and reads, and of what an event loop waits for."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncGenerator, Generator
from functools import cache
from typing import Any

STEPS = 4  # in which the event loop's lateness is looked at
_TRIP = threading.local()


@contextlib.contextmanager
def within(seconds: float) -> Generator[None]:
    """Let this thread's reads from here on end within `seconds`, all together."""
    _TRIP.ends = time.monotonic() + seconds
    try:
        yield
    finally:
        del _TRIP.ends


@contextlib.asynccontextmanager
async def patience(seconds: float) -> AsyncGenerator[None]:
    """End what is awaited inside after `seconds`, of which those do not count in which the event loop was late.

    A reply may have come long ago, and only wait until a crowded loop has the time to read it: that is no reason to
    take the server for dead. At the most it is waited for twice as long.
    """
    loop = asyncio.get_running_loop()
    step, last = seconds / STEPS, loop.time() + 2 * seconds
    async with asyncio.timeout(seconds) as limit:

        def look(due: float) -> None:
            late, ends = loop.time() - due, limit.when()
            if ends is None or limit.expired():
                return
            if late > step / 2:
                limit.reschedule(min(ends + late, last))
            timers[0] = loop.call_later(step, look, loop.time() + step)

        timers = [loop.call_later(step, look, loop.time() + step)]
        try:
            yield
        finally:
            timers[0].cancel()


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
