"""Who may not call: addresses blocked while the app runs, by this process or any other."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import msgspec

from ...errors import SettingsError
from ...rules.networks import Networks
from ...stores import open_store
from ...stores.base import Store, adrive, drive
from ...stores.commands import Command, DropFields, GetFields, Latest, Push, SetFields

R = TypeVar("R")
BLOCKED, EVENTS = "security:blocked", "security:events"
KEPT_EVENTS = 1_000
WIDEST = {4: 8, 6: 19}  # the shortest prefix that may be blocked: more than that is a mistake


class Block(msgspec.Struct, frozen=True):
    """One blocked address or network; times in seconds since the epoch."""

    address: str
    reason: str
    since: float
    until: float | None  # None: for good


class Security:
    """The list of blocked addresses, which `IPFilter(blocked=…)` reads without waiting.

    A change holds at once in this process, and in the others when their `refresh` next runs: within a second in
    `Nexus`. Every method that asks the store has a twin for the event loop.

    >>> security = Security()
    >>> security.block("203.0.113.0/24", reason="scans", lasts=3600)
    >>> "203.0.113.9" in security
    True

    Args:
        store: Where the list is; a URL names one store per process.
        clock: Seconds since the epoch.
    """

    def __init__(self, store: Store | str = "memory://", *, clock: Callable[[], float] = time.time) -> None:
        self.store = open_store(store) if isinstance(store, str) else store
        self._clock = clock
        self._blocks: dict[str, Block] = {}
        self._networks = Networks()
        self._next_end = float("inf")

    def __contains__(self, address: object) -> bool:
        if not self._blocks:
            return False
        if self._clock() >= self._next_end:
            self._hold(self._blocks)
        return isinstance(address, str) and address in self._networks

    def block(self, address: str, *, reason: str = "", lasts: float | None = None) -> None:
        """Refuse `address`, which may be a network, for `lasts` seconds; None for good.

        Raises:
            SettingsError: it is no address, or a network so wide that it must be a mistake.
        """
        drive(self._block(address, reason, lasts), self.store.run)

    async def ablock(self, address: str, *, reason: str = "", lasts: float | None = None) -> None:
        """`block`, for the event loop."""
        await adrive(self._block(address, reason, lasts), self.store.arun)

    def unblock(self, address: str) -> bool:
        """Refuse `address` no more; whether it was blocked."""
        return drive(self._unblock(address), self.store.run)

    async def aunblock(self, address: str) -> bool:
        """`unblock`, for the event loop."""
        return await adrive(self._unblock(address), self.store.arun)

    def blocked(self) -> list[dict[str, Any]]:
        """Return who is blocked, since when, until when and why; the newest first."""
        return drive(self._list(), self.store.run)

    async def ablocked(self) -> list[dict[str, Any]]:
        """`blocked`, for the event loop."""
        return await adrive(self._list(), self.store.arun)

    def is_blocked(self, address: str) -> bool:
        """Whether `address` is refused, as the store says this moment."""
        self.refresh()
        return address in self

    def events(self, count: int = 100) -> list[dict[str, Any]]:
        """Return what was done last, newest first."""
        return [msgspec.json.decode(text) for text in self.store.run([Latest(EVENTS, count)])[0]]

    async def aevents(self, count: int = 100) -> list[dict[str, Any]]:
        """`events`, for the event loop."""
        return [msgspec.json.decode(text) for text in (await self.store.arun([Latest(EVENTS, count)]))[0]]

    def refresh(self) -> None:
        """Take over what other processes have blocked and unblocked."""
        drive(self._read(), self.store.run)

    def tick(self, now: float) -> None:
        """`refresh`, for the background thread; with a store of this process alone there is nothing to hear."""
        if self.store.waits:
            self.refresh()

    def _block(self, address: str, reason: str, lasts: float | None) -> Generator[list[Command[Any]], list[Any], None]:
        _check(address)
        now = self._clock()
        block = Block(address, reason[:200], now, None if lasts is None else now + lasts)
        event = {"kind": "block", "address": address, "reason": block.reason, "at": now}
        yield [SetFields(BLOCKED, {address: msgspec.json.encode(block)}), _event(event)]
        self._hold({**self._blocks, address: block})

    def _unblock(self, address: str) -> Generator[list[Command[Any]], list[Any], bool]:
        event = {"kind": "unblock", "address": address[:64], "at": self._clock()}
        count, _ = yield [DropFields(BLOCKED, (address,)), _event(event)]
        self._hold({name: block for name, block in self._blocks.items() if name != address})
        return bool(count)

    def _read(self) -> Generator[list[Command[Any]], list[Any], None]:
        (fields,) = yield [GetFields(BLOCKED)]
        blocks = {name: msgspec.json.decode(text, type=Block) for name, text in fields.items()}
        if blocks != self._blocks:
            self._hold(blocks)
        over = tuple(name for name in blocks if name not in self._blocks)
        if over:
            yield [DropFields(BLOCKED, over)]

    def _list(self) -> Generator[list[Command[Any]], list[Any], list[dict[str, Any]]]:
        yield from self._read()
        return [msgspec.to_builtins(block) for block in sorted(self._blocks.values(), key=lambda b: -b.since)]

    def _hold(self, blocks: dict[str, Block]) -> None:
        now = self._clock()
        live = {name: block for name, block in blocks.items() if block.until is None or block.until > now}
        self._networks = Networks(live)
        self._next_end = min((block.until for block in live.values() if block.until is not None), default=float("inf"))
        self._blocks = live


def _check(address: str) -> None:
    from ipaddress import ip_network

    try:
        network = ip_network(address, strict=False)
    except ValueError as error:
        raise SettingsError(f"address={address!r} must be an address or a network, such as 192.0.2.0/24") from error
    if network.prefixlen < WIDEST[network.version]:
        raise SettingsError(f"address={address!r} is too wide to block: at most a /{WIDEST[network.version]}")


def _event(event: dict[str, Any]) -> Push:
    return Push(EVENTS, (msgspec.json.encode(event),), KEPT_EVENTS)
