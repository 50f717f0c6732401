"""Where measurements are kept, and for how long: rings of coarser and coarser steps, the same in Redis and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from zlib import crc32

import msgspec

from ...stores.commands import Command, Row, SetFields
from .intake import Name
from .stats import Stat, fields

SEPARATOR = "\x1f"
SHARDS = 4  # into which labels are parted, so that no hash is large: Redis does nothing else while it reads one
TOP = SEPARATOR + "m"  # how a field ends of which the greatest counts
KINDS_BY_LABEL = frozenset(("api", "first", "stream", "socket", "db", "call", "timer"))


class Ring(NamedTuple):
    """Steps of `step` seconds, each kept for `kept` seconds."""

    step: int
    kept: int


RINGS = (Ring(10, 70 * 60), Ring(60, 7 * 3600), Ring(300, 25 * 3600), Ring(1800, 8 * 86_400))
LABELLED = RINGS[1:]  # by label, from a minute on: ten seconds of one endpoint tell nothing that a minute does not
MOST_FIELDS = 2_000  # in one trip


class Slot(msgspec.Struct, array_like=True):
    """What one process measured in one step."""

    stats: dict[str, Stat] = {}  # by kind
    statuses: dict[str, int] = {}  # requests by status class, "2xx"
    gauges: dict[str, float] = {}  # the last value in the step

    def add(self, name: Name, stat: Stat) -> None:
        """Count what was measured under `name`."""
        self.stats.setdefault(name.kind, Stat(buckets={})).add(stat)
        if name.status:
            self.statuses[name.status] = self.statuses.get(name.status, 0) + stat.count


def slot_key(ring: Ring, at: int) -> str:
    """Return the hash of the step that begins at `at`, with a field for each process."""
    return f"monitor:slots:{ring.step}:{at}"


def label_key(ring: Ring, at: int, kind: str, shard: int) -> str:
    """Return the hash of the step that begins at `at`, with what all processes measured of one kind, by label."""
    return f"monitor:labels:{ring.step}:{at}:{kind}:{shard}"


def total_key(kind: str, shard: int) -> str:
    """Return the hash of what was counted since ever."""
    return f"monitor:totals:{kind}:{shard}"


def shard_of(label: str) -> int:
    """Return the part in which a label is."""
    return crc32(label.encode()) % SHARDS


class Slots:
    """The slots of this process that are being filled, one a ring, and those that nobody has been told of yet."""

    def __init__(self, *, unsent: int = 400) -> None:
        self._unsent = unsent
        self._now: dict[int, tuple[int, Slot]] = {}
        self._dirty: dict[tuple[int, int], Slot] = {}

    def add(self, now: float, stats: dict[Name, Stat], gauges: dict[str, float]) -> int:
        """Count in the slots of `now`; return how many unsent ones were dropped because the store is away for long."""
        for ring in RINGS:
            at = int(now) // ring.step * ring.step
            kept = self._now.get(ring.step)
            slot = kept[1] if kept is not None and kept[0] == at else Slot({}, {}, {})
            if not stats and slot.gauges == slot.gauges | gauges:
                continue  # nothing new is to be told
            self._now[ring.step] = at, slot
            for name, stat in stats.items():
                slot.add(name, stat)
            slot.gauges |= gauges
            self._dirty[ring.step, at] = slot
        dropped = [*self._dirty][: max(0, len(self._dirty) - self._unsent)]
        for key in dropped:
            del self._dirty[key]
        return len(dropped)

    def commands(self, process: str) -> tuple[list[Command[None]], list[tuple[tuple[int, int], bytes]]]:
        """Return what tells a store of the slots, and what `sent` wants to hear when it has."""
        rings = {ring.step: ring for ring in RINGS}
        told = [(key, msgspec.msgpack.encode(slot)) for key, slot in [*self._dirty.items()][-40:]]
        commands: list[Command[None]] = [
            SetFields(slot_key(rings[step], at), {process: text}, rings[step].kept) for (step, at), text in told
        ]
        return commands, told

    def sent(self, told: list[tuple[tuple[int, int], bytes]]) -> None:
        """Forget what a store was told, unless it has changed since."""
        for key, text in told:
            slot = self._dirty.get(key)
            if slot is not None and msgspec.msgpack.encode(slot) == text:
                del self._dirty[key]


def by_label(minute: int, stats: dict[Name, Stat]) -> Iterator[tuple[Name, Row]]:
    """Yield what adds each stat to the rings of labels, and to the totals for ever, of the minute that begins then."""
    starts = [(ring, minute // ring.step * ring.step) for ring in LABELLED]
    for name, stat in stats.items():
        if name.kind in KINDS_BY_LABEL:
            shard = shard_of(name.label)
            keys: dict[str, float | None] = {label_key(ring, at, name.kind, shard): ring.kept for ring, at in starts}
            keys[total_key(name.kind, shard)] = None
            adds, tops = fields(stat, SEPARATOR.join(name) + SEPARATOR)
            yield name, Row(keys, adds, tops)


def window(seconds: int, now: float) -> tuple[Ring, list[int]]:
    """Return the ring whose steps are finest over the last `seconds` without being too many, and its steps' beginnings."""
    ring = next((r for r in RINGS if seconds <= r.kept and seconds / r.step <= 300), RINGS[-1])
    return ring, steps(ring, seconds, now)


def labelled(seconds: int, now: float) -> tuple[Ring, list[int]]:
    """Return the same for what is kept by label."""
    ring = next((r for r in LABELLED if seconds <= r.kept and seconds / r.step <= 100), RINGS[-1])
    return ring, steps(ring, seconds, now)


def steps(ring: Ring, seconds: int, now: float) -> list[int]:
    """Return the beginnings of the ring's steps that cover the last `seconds`, oldest first."""
    last = int(now) // ring.step * ring.step
    return [*range(last - (max(1, seconds // ring.step) - 1) * ring.step, last + 1, ring.step)]
