"""One run of the app for all who ask for the same at the same time, in this process."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeAlias

from ...rules.caching.entry import Entry

if TYPE_CHECKING:
    from .fetch import Fetch

Landing: TypeAlias = "Future[Entry | None]"
MARKS = 8_192
PASS = 10.0  # seconds that callers run side by side after an answer that could not be kept


class Flights:
    """Who runs the app for which key, and which keys are not worth waiting for.

    A flight is known by its key, and by who waits for it (`strict`). A mark is the hash of that: two that share one by
    chance are asked for side by side, no more.
    """

    def __init__(self) -> None:
        self._leaders: dict[str, Fetch] = {}
        self._lock = threading.Lock()
        self._marks: dict[int, float] = {}

    def lead(self, fetch: Fetch) -> Fetch:
        """Let `fetch` lead, unless another does already; return who leads."""
        return self._leaders.setdefault(fetch.flight, fetch)

    def __contains__(self, flight: str) -> bool:
        return flight in self._leaders

    def wait(self, leader: Fetch) -> Landing:
        """Return the promise of what `leader` lands with; it is made for the first who waits."""
        with self._lock:
            if leader.landing is None:
                leader.landing = Future()
                if leader.landed:
                    leader.landing.set_result(leader.result)
            return leader.landing

    def land(self, fetch: Fetch, entry: Entry | None) -> None:
        """Wake those who wait: with an entry, or with None to go on by themselves."""
        if self._leaders.get(fetch.flight) is fetch:
            del self._leaders[fetch.flight]  # first, so that whoever is woken may lead the next one
        with self._lock:
            fetch.landed, fetch.result = True, entry
            landing = fetch.landing
        if landing is not None and not landing.done():
            landing.set_result(entry)

    def mark(self, flight: str, until: float) -> None:
        """Note that its answers are not kept for now."""
        marks = self._marks
        marks[hash(flight)] = until
        if len(marks) > MARKS:
            marks.pop(next(iter(marks)), None)

    def marked(self, flight: str, now: float) -> bool:
        """Whether its callers need not wait for one another."""
        until = self._marks.get(hash(flight))
        return until is not None and now < until

    def unmark(self) -> None:
        """Forget which answers are not kept: what is kept has changed."""
        self._marks.clear()
