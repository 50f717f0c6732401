"""Add up whole numbers, and hashes whose fields are such, as Redis does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import StoreError
from .commands import Add

END = 2**63  # where Redis ends to count


def added(command: Add, before: Any) -> int:
    """Return the number that is under a key once `command` has added to the one `before`.

    Raises:
        StoreError: what is there is no whole number, or the sum is beyond what Redis counts to.
    """
    try:
        value = int(before) + command.amount
    except (TypeError, ValueError) as error:
        raise StoreError(f"the store refused: the value of {command.key} is no whole number") from error
    if not -END <= value < END:
        raise StoreError("the store refused: increment or decrement would overflow")
    return value


def summed(hashes: Iterable[Mapping[str, bytes]], top: str) -> dict[str, bytes]:
    """Return the sum of each field over all hashes; of fields that end with `top`, the greatest.

    >>> summed([{"n": b"1", "m": b"5"}, {"n": b"2", "m": b"3"}], "m")
    {'n': b'3', 'm': b'5'}
    """
    sums: dict[str, int] = {}
    for each in hashes:
        for field, value in each.items():
            known = sums.get(field, 0)
            sums[field] = max(known, int(value)) if field.endswith(top) else known + int(value)
    return {field: b"%d" % value for field, value in sums.items()}
