"""One thread of a process that does what no request shall wait for."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

from .errors import StoreError

LOG = logging.getLogger("nexus_middleware")
Tick = Callable[[float], None]  # told the time in seconds since the epoch


class Background:
    """One daemon thread that calls every tick once a second, and a last time when it is stopped.

    Args:
        ticks: A failing one is logged, and neither the others nor later calls are lost.
        every: Seconds.
    """

    def __init__(self, ticks: list[Tick], *, every: float = 1.0) -> None:
        self.pid = os.getpid()
        self._ticks, self._every = ticks, every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nexus-background", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait for its last ticks, 2 s at the most."""
        self._stopping.set()
        self._thread.join(2.0)

    def _run(self) -> None:
        while not self._stopping.wait(self._every):
            self._tick()
        self._tick()

    def _tick(self) -> None:
        for tick in self._ticks:
            try:
                tick(time.time())
            except StoreError:
                LOG.debug("the store is down; a tick is tried again in a second")
            except Exception:
                LOG.exception("a tick in the background failed")
