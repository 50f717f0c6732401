"""Add up hashes whose fields are whole numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


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
