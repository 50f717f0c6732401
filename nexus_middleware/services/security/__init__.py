"""Who may not call: addresses blocked or banned while the app runs, by this process or any other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from ...http import Request
from ...rules.bans import Ban
from ...rules.security_events import Event
from ...rules.violations import Violation
from ...stores import open_store
from ...stores.base import Store, adrive, drive
from ...stores.blocks import BLOCKED, EVENTS, Block, Blocks, Steps
from .events import Events

__all__ = ["BLOCKED", "EVENTS", "Ban", "Block", "Event", "Security"]


class Security(Blocks):
    """The list of blocked addresses, which `IPFilter(blocked=…)` reads without waiting.

    A change holds at once in this process, and in the others within a second. Every method that asks the store has a
    twin for the event loop.

    >>> security = Security()
    >>> security.block("203.0.113.0/24", reason="scans", lasts=3600)
    >>> "203.0.113.9" in security
    True

    Args:
        store: Where the list is; a URL names one store per process.
        ban: When an address is banned for the responses that `strike` was told of; None for never.
        spare: Networks and addresses that are never banned, besides this machine's own.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        store: Store | str = "memory://",
        *,
        ban: Ban | None = None,
        spare: Iterable[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        opened = open_store(store) if isinstance(store, str) else store
        super().__init__(opened, ban=ban, spare=spare, clock=clock)
        self._events = Events(clock)

    def block(self, address: str, *, reason: str = "", lasts: float | None = None) -> None:
        """Refuse `address`, which may be a network, for `lasts` seconds; None for good.

        Raises:
            SettingsError: it is no address, or a network so wide that it must be a mistake.
        """
        drive(self._block(address, reason, lasts), self.store.run)

    async def ablock(self, address: str, *, reason: str = "", lasts: float | None = None) -> None:
        """`block`, for the event loop."""
        await adrive(self._block(address, reason, lasts), self.store.arun)

    def allow(self, address: str) -> bool:
        """Another name of `unblock`."""
        return self.unblock(address)

    async def aallow(self, address: str) -> bool:
        """`allow`, for the event loop."""
        return await self.aunblock(address)

    def unblock(self, address: str) -> bool:
        """Refuse `address` no more; whether it was blocked."""
        return bool(drive(self._unblock(address), self.store.run))

    async def aunblock(self, address: str) -> bool:
        """`unblock`, for the event loop."""
        return bool(await adrive(self._unblock(address), self.store.arun))

    def blocked(self) -> list[dict[str, Any]]:
        """Return who is blocked, since when, until when and why; the newest first."""
        return drive(self._list(), self.store.run)

    async def ablocked(self) -> list[dict[str, Any]]:
        """`blocked`, for the event loop."""
        return await adrive(self._list(), self.store.arun)

    def is_blocked(self, address: str) -> bool:
        """Whether `address` is refused, as the store says this moment."""
        drive(self._read(), self.store.run)
        return address in self

    async def ais_blocked(self, address: str) -> bool:
        """`is_blocked`, for the event loop."""
        await adrive(self._read(), self.store.arun)
        return address in self

    def note(self, event: Event) -> None:
        """Count `event` and put it on the list, without waiting: the store is told within a second."""
        self._events.note(event)

    def violated(self, request: Request, violation: Violation) -> None:
        """Count what a browser reported, as `CSPReports` takes it; as little does it wait."""
        self._events.violated(request.client, violation)

    def tick(self, now: float) -> None:
        """`refresh`, and tell the store of the events that came since, for the background thread."""
        super().tick(now)
        drive(self._events.flush(), self.store.run)

    def events(
        self, count: int = 100, *, kind: str = "", client: str = "", since: float = 0.0, cursor: str = ""
    ) -> list[dict[str, Any]]:
        """Return what was refused and done last, newest first, of the newest 5,000 in the last 7 days.

        Args:
            count: How many, at the most.
            kind: Only those, such as "rate_limited", "blocked", "bad_key", "sqli", "csp" or "block".
            client: Only those of this address.
            since: Only those from this time on, in seconds since the epoch.
            cursor: Only those after the event that has this `id`: the last one of the page before.
        """
        return drive(self._events.listed(count, kind, client, since, cursor), self.store.run)

    async def aevents(
        self, count: int = 100, *, kind: str = "", client: str = "", since: float = 0.0, cursor: str = ""
    ) -> list[dict[str, Any]]:
        """`events`, for the event loop."""
        return await adrive(self._events.listed(count, kind, client, since, cursor), self.store.arun)

    def counts(self, window: float = 3600.0) -> dict[str, int]:
        """Return how many events of each kind there were in the last `window` seconds, up to 8 days."""
        return drive(self._events.counts(window), self.store.run)

    async def acounts(self, window: float = 3600.0) -> dict[str, int]:
        """`counts`, for the event loop."""
        return await adrive(self._events.counts(window), self.store.arun)

    def history(self, window: float = 3600.0) -> list[dict[str, Any]]:
        """Return the counts of each minute in which there were any, oldest first; of each hour if `window` is over a day."""
        return drive(self._events.history(window), self.store.run)

    async def ahistory(self, window: float = 3600.0) -> list[dict[str, Any]]:
        """`history`, for the event loop."""
        return await adrive(self._events.history(window), self.store.arun)

    def limited(self, window: float = 3600.0, *, most: int = 20) -> list[dict[str, Any]]:
        """Return the clients that were refused most often for their rate, in whole hours of the clock."""
        return drive(self._events.limited(window, most), self.store.run)

    async def alimited(self, window: float = 3600.0, *, most: int = 20) -> list[dict[str, Any]]:
        """`limited`, for the event loop."""
        return await adrive(self._events.limited(window, most), self.store.arun)

    def csp_reports(self, days: int = 7) -> list[dict[str, Any]]:
        """Return what browsers reported of broken policies: one item a directive, origin and page, most frequent first."""
        return drive(self._events.reports(days), self.store.run)

    async def acsp_reports(self, days: int = 7) -> list[dict[str, Any]]:
        """`csp_reports`, for the event loop."""
        return await adrive(self._events.reports(days), self.store.arun)

    def _list(self) -> Steps:
        self._version = None
        yield from self._read()
        return [msgspec.to_builtins(block) for block in sorted(self._blocks.values(), key=lambda b: -b.since)]
