"""How much of a budget is left, while some of it is only reserved: the arithmetic, without clock or store."""

from __future__ import annotations

from itertools import accumulate

import msgspec

SLOTS = 60  # parts of a window; what was spent in one leaves when its end is a window ago


class Room(msgspec.Struct, frozen=True):
    """What a budget says to a reservation."""

    granted: bool
    left: int  # after this reservation, if it was granted
    wait: float  # seconds until as much will be free, if nobody reserves more; 0.0 if it was granted


class Account(msgspec.Struct):
    """What one key has spent and reserved; times in microseconds on one clock.

    No window ever holds more than the limit, save for what is spent above its reservation. What was spent leaves the
    account up to 1/60 of a window later than it might.
    """

    spent: dict[int, int] = msgspec.field(default_factory=dict)  # by the number of the slot
    held: dict[str, tuple[int, int]] = msgspec.field(default_factory=dict)  # a reservation's amount, and its end

    def reserve(self, reservation: str, amount: int, *, limit: int, window: int, lasts: int, now: int) -> Room:
        """Hold `amount` for `lasts` microseconds, if the limit has room for it.

        Args:
            reservation: Its name, for `settle`; one that is held already is held anew.
            amount: At least 1, at most `limit`.
            limit: What a window may hold.
            window: Microseconds.
            lasts: Microseconds after which it is given back, if nobody settles it.
            now: Microseconds.
        """
        self._sweep(window, now)
        self.held.pop(reservation, None)
        leaves = [(_end(slot, window), spent) for slot, spent in self.spent.items()]
        leaves += [(end, held) for held, end in self.held.values()]
        used = sum(part for _, part in leaves)
        if used + amount <= limit:
            self.held[reservation] = amount, now + lasts
            return Room(True, limit - used - amount, 0.0)
        leaves.sort()
        freed = accumulate(part for _, part in leaves)
        when = next((end for (end, _), free in zip(leaves, freed, strict=True) if used - free + amount <= limit), now)
        return Room(False, max(0, limit - used), (when - now) / 1e6)

    def settle(self, reservation: str, amount: int, *, window: int, now: int) -> None:
        """Spend `amount` in the place of a reservation, even of one that was given back meanwhile."""
        self.held.pop(reservation, None)
        if amount:
            slot = now // _length(window)
            self.spent[slot] = self.spent.get(slot, 0) + amount

    def _sweep(self, window: int, now: int) -> None:
        self.spent = {slot: spent for slot, spent in self.spent.items() if _end(slot, window) > now}
        self.held = {name: (held, end) for name, (held, end) in self.held.items() if end > now}


def _length(window: int) -> int:
    return -(-window // SLOTS)


def _end(slot: int, window: int) -> int:
    return (slot + 1) * _length(window) + window
