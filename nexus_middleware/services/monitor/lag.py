"""How late the event loop is: a thread knocks, and counts the time until the loop opens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class LoopWatch:
    """Knocks at one loop. Nothing of it lives on the loop between two knocks.

    Args:
        note: Takes the seconds that the loop was late.
        clock: Seconds that never go backwards.
    """

    def __init__(self, note: Callable[[float], None], *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._note, self._clock = note, clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sent: float | None = None

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Knock at `loop` from now on."""
        self._loop, self._sent = loop, None

    def knock(self) -> None:
        """Knock; if the last knock was not heard yet, note how late the loop is by now."""
        if self._sent is not None:
            self._note(self._clock() - self._sent)
        elif self._loop is not None:
            sent = self._sent = self._clock()  # before the loop can hear of it, which may be at once
            try:
                self._loop.call_soon_threadsafe(self._open, sent)
            except RuntimeError:  # the loop is closed
                self._sent = None

    def _open(self, sent: float) -> None:
        self._note(self._clock() - sent)
        self._sent = None
