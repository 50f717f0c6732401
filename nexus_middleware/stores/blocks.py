"""Who may not call: addresses blocked by hand or banned for what they did, in every process that shares the store."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterable
from ipaddress import ip_network
from typing import Any, TypeAlias

import msgspec

from ..errors import SettingsError
from ..rules.bans import Ban, seconds
from ..rules.networks import Networks, bucket
from ..rules.windows import Limit
from .base import LIVE, Store, drive
from .commands import Add, Command, Drop, DropFields, Get, GetFields, Hit, Push, Put, SetFields
from .fresh import Fresh

LOG = logging.getLogger("nexus_middleware")
BLOCKED, VERSION, SPARED, EVENTS = (f"security:{name}" for name in ("blocked", "version", "spared", "events"))
KEPT_EVENTS = 5_000  # as of all events
WIDEST = {4: 8, 6: 19}  # the shortest prefix that may be blocked: more than that is a mistake
LOOPBACK = ("127.0.0.0/8", "::1")
MOST_BANS, MOST_STRIKES = 10_000, 10_000  # of the list, and of the addresses that are judged at a time
BATCH = 200  # bans at a time
REMEMBERED = 86_400.0  # seconds after a ban for which the next one is longer
SPARED_FOR = 12 * 3_600.0  # seconds after its last visit for which an administrator's address is not banned
Steps: TypeAlias = Generator[list[Command[Any]], list[Any], Any]


class Block(msgspec.Struct, frozen=True):
    """One blocked address or network; times in seconds since the epoch."""

    address: str
    reason: str
    since: float
    until: float | None  # None: for good
    banned: bool = False  # for what it did; else somebody blocked it


class Blocks:
    """The list of blocked addresses, which is asked without waiting; a change holds everywhere within a second.

    Args:
        store: Where the list is.
        ban: When an address is banned for the responses that `strike` was told of.
        spare: Networks and addresses that are never banned: trusted proxies, who may always call.
        clock: Seconds since the epoch.
    """

    def __init__(
        self, store: Store, *, ban: Ban | None = None, spare: Iterable[str] = (), clock: Callable[[], float] = time.time
    ) -> None:
        self.store, self._ban, self.clock = store, ban, clock
        self._spare = Networks([*LOOPBACK, *spare, *(ban.spare if ban else ())])
        self._blocks: dict[str, Block] = {}
        self._networks, self._banned = Networks(), Networks()
        self._next_end = float("inf")
        self._version: bytes | None = None
        self._lock = threading.Lock()
        self._strikes: dict[str, int] = {}  # that have not been counted yet
        self._spared: dict[str, float] = {}  # until when; those of all processes are in the store
        self._unsent: dict[str, bytes] = {}
        self._fresh = Fresh(self.refresh, "list of blocked addresses")
        LIVE.add(self)

    def forget(self) -> None:
        """Forget, in this process, who is blocked."""
        self._strikes, self._spared, self._unsent, self._version = {}, {}, {}, None
        self._hold({})

    def __contains__(self, address: object) -> bool:
        if self.store.waits or self._strikes:
            self._fresh.poke()
        if not self._blocks:
            return False
        if self.clock() >= self._next_end:
            self._hold(self._blocks)
        return isinstance(address, str) and address in self._networks

    def why(self, address: str) -> str:
        """Return "banned" or "blocked", whichever `address` is, or ""."""
        if address not in self:
            return ""
        return "banned" if address in self._banned else "blocked"

    def strike(self, address: str, status: int) -> None:
        """Hold a response against `address`, if bans are for such; it is counted within a second."""
        if self._ban is None or status not in self._ban.statuses or not address or address in self._spare:
            return
        name = bucket(address, self._ban.ipv6_prefix)
        with self._lock:
            if name in self._strikes or len(self._strikes) < MOST_STRIKES:
                self._strikes[name] = strikes = self._strikes.get(name, 0) + 1
                if strikes >= self._ban.after:
                    self._fresh.due = 0.0

    def spare(self, address: str) -> None:
        """Keep `address`, from which an administrator has been let in, from being banned for half a day."""
        if self._ban is None:
            return
        name, now = bucket(address, self._ban.ipv6_prefix), self.clock()
        if self._spared.get(name, 0.0) < now + SPARED_FOR / 2:
            with self._lock:
                self._spared = {x: until for x, until in self._spared.items() if until > now}
                self._spared[name] = until = now + SPARED_FOR
                self._unsent[name] = b"%f" % until
                self._fresh.due = 0.0

    def refresh(self) -> None:
        """Count what `strike` was told, and take over what other processes have blocked and let in again."""
        drive(self._judge(), self.store.run)
        drive(self._read(), self.store.run)

    def tick(self, now: float) -> None:
        """`refresh`, for the background thread."""
        self._fresh.due = float("inf")  # from now on nobody needs to be poked
        if self.store.waits or self._strikes or self._unsent:
            self.refresh()

    def _block(self, address: str, reason: str, lasts: float | None, kind: str = "block") -> Steps:
        checked(address)
        now = self.clock()
        block = Block(address, reason[:200], now, None if lasts is None else now + lasts, kind == "ban")
        event = {"kind": kind, "address": address, "reason": block.reason, "at": now}
        yield [SetFields(BLOCKED, {address: msgspec.json.encode(block)}), noted(event), Add(VERSION)]
        self._hold({**self._blocks, address: block})

    def _unblock(self, address: str) -> Steps:
        event = {"kind": "unblock", "address": address[:64], "at": self.clock()}
        gone = Drop((f"ban:strikes:{address}", f"ban:times:{address}"))
        count, *_ = yield [DropFields(BLOCKED, (address,)), noted(event), Add(VERSION), gone]
        self._hold({name: block for name, block in self._blocks.items() if name != address})
        return bool(count)

    def _read(self) -> Steps:
        (version,) = yield [Get(VERSION)]
        if version is not None and version == self._version:
            return
        (fields,) = yield [GetFields(BLOCKED)]
        blocks = {name: msgspec.json.decode(text, type=Block) for name, text in fields.items()}
        if blocks != self._blocks:
            self._hold(blocks)
        self._version = version
        over = tuple(name for name in blocks if name not in self._blocks)
        if over:
            yield [DropFields(BLOCKED, over)]

    def _judge(self) -> Steps:
        """Count the strikes, and ban those that have had too many."""
        with self._lock:
            strikes, self._strikes = self._strikes, {}
            spared, self._unsent = self._unsent, {}
        if spared:
            yield [SetFields(SPARED, spared, SPARED_FOR)]
        ban = self._ban
        if ban is None or not strikes:
            return
        full = [name for name, count in strikes.items() if count >= ban.after]
        few = [(name, count) for name, count in strikes.items() if count < ban.after]
        within = seconds(ban.within)
        limits = [(f"ban:strikes:{name}", Limit(ban.after - 1, within, count)) for name, count in few]
        answers = (yield [Hit((limit,), binding=False) for limit in limits]) if limits else []
        full += [name for (name, _), (said,) in zip(few, answers, strict=True) if not said.allowed]
        if full:
            yield from self._ban_all(ban, full)

    def _ban_all(self, ban: Ban, names: list[str]) -> Steps:
        now = self.clock()
        (spared,) = yield [GetFields(SPARED)]
        with self._lock:
            self._strikes.update(dict.fromkeys(names[BATCH:], ban.after))  # the next time
        for name in names[:BATCH]:
            if float(spared.get(name, b"0")) <= now:
                yield from self._ban_one(ban, name)

    def _ban_one(self, ban: Ban, name: str) -> Steps:
        taken, times = f"ban:taken:{name}", f"ban:times:{name}"
        won, before, blocked = yield [Put(taken, b"1", 5.0, absent=True), Get(times), GetFields(BLOCKED)]
        if not won:  # another process is at it
            return
        self._hold({name: msgspec.json.decode(text, type=Block) for name, text in blocked.items()})
        if len(self._blocks) >= MOST_BANS:
            LOG.error("%d addresses are blocked, so %s is not banned: look who attacks", MOST_BANS, name)
        elif name not in self._blocks:
            count = int(before or 0) + 1
            lasts = ban.length(count)
            reason = f"{ban.after} refused calls within {seconds(ban.within):.0f} s, ban {count}"
            yield from self._block(name, reason, lasts, "ban")
            yield [Put(times, b"%d" % count, lasts + REMEMBERED), Drop((f"ban:strikes:{name}",))]
        yield [Drop((taken,))]

    def _hold(self, blocks: dict[str, Block]) -> None:
        now = self.clock()
        live = {name: block for name, block in blocks.items() if block.until is None or block.until > now}
        self._networks = Networks(live)
        self._banned = Networks(name for name, block in live.items() if block.banned)
        self._next_end = min((block.until for block in live.values() if block.until is not None), default=float("inf"))
        self._blocks = live


def checked(address: str) -> None:
    """Raise a SettingsError unless `address` is one, or a network that is not so wide that it must be a mistake."""
    try:
        network = ip_network(address, strict=False)
    except ValueError as error:
        raise SettingsError(f"address={address!r} must be an address or a network, such as 192.0.2.0/24") from error
    if network.prefixlen < WIDEST[network.version]:
        raise SettingsError(f"address={address!r} is too wide to block: at most a /{WIDEST[network.version]}")


def noted(event: dict[str, Any]) -> Push:
    """Return what puts `event` on the list of what was done."""
    return Push(EVENTS, (msgspec.json.encode(event),), KEPT_EVENTS)
