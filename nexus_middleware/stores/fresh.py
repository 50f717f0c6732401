"""Reads something again while somebody asks for it, on a thread of its own, so that whoever asks never waits."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

LOG = logging.getLogger("nexus_middleware")


class Fresh:
    """Calls `read` when it is poked, but no more often than once in `every` seconds, and never twice at a time.

    Args:
        read: What may wait and may fail; a failure is logged once, until it works again.
        what: The name of what is read, for the log.
        every: Seconds.
        clock: Seconds that never go backwards.
    """

    def __init__(
        self, read: Callable[[], None], what: str, *, every: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read, self._what, self._every, self._clock = read, what, every, clock
        self._lock = threading.Lock()
        self._failed = False
        self.due = clock() + every  # when the next poke does something

    def poke(self) -> None:
        """Start to read, if it is time."""
        if self._clock() >= self.due and self._lock.acquire(blocking=False):
            self.due = self._clock() + self._every
            threading.Thread(target=self._run, name=f"nexus-{self._what}", daemon=True).start()

    def _run(self) -> None:
        try:
            self._read()
        except Exception as error:  # noqa: BLE001  # what was read last stays in force
            if not self._failed:
                LOG.error("the %s could not be read again; what was read before holds on: %s", self._what, error)  # noqa: TRY400
            self._failed = True
        else:
            self._failed = False
        finally:
            self._lock.release()
