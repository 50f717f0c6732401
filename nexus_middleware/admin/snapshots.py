"""One reading of the store for all who look at the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

SHARE = (
    20  # how many times longer a reading is kept than it took, so that it never takes more than a twentieth of the time
)
Read = Callable[[], Awaitable[dict[str, Any]]]


class Snapshot:
    """What `read` last said, if that is not older than `keeps` seconds; who comes while it reads waits for it.

    What took long to read is kept `share` times as long as it took; with 0 for both, every reading is a new one.
    """

    def __init__(
        self, read: Read, *, keeps: float = 0.2, share: float = SHARE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read, self._keeps, self._share, self._clock = read, keeps, share, clock
        self._value: dict[str, Any] = {}
        self._until = float("-inf")
        self._flight: asyncio.Task[dict[str, Any]] | None = None

    async def get(self) -> dict[str, Any]:
        """Return it, read anew if need be."""
        if self._clock() < self._until:
            return self._value
        flight = self._flight
        if flight is None or flight.done() or flight.get_loop() is not asyncio.get_running_loop():
            flight = self._flight = asyncio.create_task(self._refresh())
            flight.add_done_callback(_hear)
        return await asyncio.shield(flight)

    def forget(self) -> None:
        """Have it read anew, after something was changed."""
        self._until, self._flight = float("-inf"), None

    async def _refresh(self) -> dict[str, Any]:
        began, task = self._clock(), asyncio.current_task()
        value = await self._read()
        if self._flight is task:  # else it was told to forget meanwhile
            now = self._clock()
            self._value, self._until = value, now + max(self._keeps, (now - began) * self._share)
        return value


def _hear(flight: asyncio.Task[dict[str, Any]]) -> None:
    if not flight.cancelled():
        flight.exception()  # if all callers were cancelled, nobody else asks for it
