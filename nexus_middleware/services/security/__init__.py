"""Who may not call: addresses blocked or banned while the app runs, by this process or any other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from ...rules.bans import Ban
from ...stores import open_store
from ...stores.base import Store, adrive, drive
from ...stores.blocks import BLOCKED, EVENTS, Block, Blocks, Steps
from ...stores.commands import Latest

__all__ = ["BLOCKED", "EVENTS", "Ban", "Block", "Security"]


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

    def events(self, count: int = 100) -> list[dict[str, Any]]:
        """Return what was done last, newest first."""
        return [msgspec.json.decode(text) for text in self.store.run([Latest(EVENTS, count)])[0]]

    async def aevents(self, count: int = 100) -> list[dict[str, Any]]:
        """`events`, for the event loop."""
        return [msgspec.json.decode(text) for text in (await self.store.arun([Latest(EVENTS, count)]))[0]]

    def _list(self) -> Steps:
        self._version = None
        yield from self._read()
        return [msgspec.to_builtins(block) for block in sorted(self._blocks.values(), key=lambda b: -b.since)]
