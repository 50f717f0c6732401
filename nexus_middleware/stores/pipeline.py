"""Gather what all requests of one turn of the event loop ask into one trip."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Any, TypeAlias

from ..errors import StoreError

Words: TypeAlias = tuple[Any, ...]  # one Redis command


class Pipeline:
    """Joins the callers of one event loop; the trip is a task of its own, so that no caller's cancellation tears it."""

    def __init__(self, execute: Callable[[list[Words]], Awaitable[list[Any]]]) -> None:
        self._execute = execute
        self._waiting: list[tuple[Sequence[Words], asyncio.Future[list[Any]]]] = []
        self._trips: set[asyncio.Task[None]] = set()

    async def run(self, words: Sequence[Words]) -> list[Any]:
        """Send `words` along with everyone else's, and return their own raw replies.

        Raises:
            StoreError: the trip failed, for everyone on it.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Any]] = loop.create_future()
        self._waiting.append((words, future))
        if len(self._waiting) == 1:
            loop.call_soon(self._depart, loop)
        return await future

    def _depart(self, loop: asyncio.AbstractEventLoop) -> None:
        trip = loop.create_task(self._travel(self._waiting))
        self._waiting = []
        self._trips.add(trip)
        trip.add_done_callback(self._trips.discard)

    async def _travel(self, batch: list[tuple[Sequence[Words], asyncio.Future[list[Any]]]]) -> None:
        try:
            raws = iter(await self._execute([one for words, _ in batch for one in words]))
        except BaseException as error:  # every caller must hear of it, even while the loop shuts down
            for _, future in batch:
                if not future.done():
                    future.set_exception(_echo(error))
            if not isinstance(error, Exception):
                raise
            return
        for words, future in batch:
            own = list(islice(raws, len(words)))
            if not future.done():  # its caller was cancelled meanwhile
                future.set_result(own)


def _echo(error: BaseException) -> StoreError:
    """Return one exception a caller: a shared one would gather all their tracebacks."""
    echo = StoreError(str(error) or type(error).__name__)
    echo.__cause__ = error
    return echo
