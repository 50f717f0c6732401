"""What a cache must not forget while its store is away, so that nothing stale is read when it is back."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection

log = logging.getLogger("nexus_middleware")
DOUBT = 2.0  # seconds after an outage in which every process has said what it could not delete
MOST = 10_000  # keys that are remembered; more, and all are dropped
COMPLAIN_EVERY = 30.0  # seconds


class Outage:
    """The debts of one process to a store that is away, and its doubts when it is back.

    What was set or deleted meanwhile is owed: it is dropped before anything is read. What other processes owe is not
    known here, so for two seconds only that is believed which this process has written since.

    Args:
        clock: Seconds that never go backwards.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.keys: set[str] = set()
        self.tags: set[str] = set()
        self.patterns: set[str] = set()
        self.down = False
        self._clock, self._lock = clock, threading.Lock()
        self._until = 0.0  # when doubts end; 0 while all is well
        self._written: set[str] = set()
        self._complained = -COMPLAIN_EVERY

    def began(self, error: Exception) -> None:
        """Note that the store did not answer; a warning says so every 30 s."""
        self.down = True
        now = self._clock()
        if now - self._complained >= COMPLAIN_EVERY:
            self._complained = now
            log.warning("the cache's store is away; values are fetched each time until it is back: %s", error)

    def ended(self) -> None:
        """Note that the store has answered."""
        if self.down:
            self._written.clear()
            self._until = self._clock() + DOUBT
            self.down = False

    def doubts(self, key: str) -> bool:
        """Whether the value of `key` may be one that another process wanted to delete."""
        if not self._until:
            return False
        if self._clock() >= self._until:
            self._until = 0.0
            self._written.clear()
            return False
        return key not in self._written

    def wrote(self, key: str) -> None:
        """Note that this process has put a value under `key`."""
        if self._until and len(self._written) < MOST:
            self._written.add(key)

    @property
    def owes(self) -> bool:
        """Whether something is still to be dropped."""
        return bool(self.keys or self.tags or self.patterns)

    def owe(self, *, key: str = "", tag: str = "", pattern: str = "") -> None:
        """Remember what could not be dropped."""
        with self._lock:
            for what, owed in ((key, self.keys), (tag, self.tags), (pattern, self.patterns)):
                if what:
                    owed.add(what)
            if len(self.keys) + len(self.tags) + len(self.patterns) > MOST:
                self.keys, self.tags, self.patterns = set(), set(), {"*"}

    def debts(self) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """Return the keys, tags and patterns that are still to be dropped."""
        with self._lock:
            return tuple(self.keys), tuple(self.tags), tuple(self.patterns)

    def paid(self, keys: Collection[str], tags: Collection[str], patterns: Collection[str]) -> None:
        """Forget debts."""
        with self._lock:
            self.keys.difference_update(keys)
            self.tags.difference_update(tags)
            self.patterns.difference_update(patterns)
