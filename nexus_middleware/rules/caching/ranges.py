"""Parts of a stored body (RFC 9110, section 14)."""

from __future__ import annotations

import re

RANGE = re.compile(rb"bytes=(\d{0,18})-(\d{0,18})", re.IGNORECASE)


def part(value: bytes, size: int) -> tuple[int, int] | None:
    """Return where the one range of a Range field begins and ends; None for what is answered whole.

    Several ranges, other units and malformed ones are ignored, as section 14.2 allows.

    >>> part(b"bytes=1-3", 10), part(b"bytes=-2", 10), part(b"bytes=8-", 10)
    ((1, 4), (8, 10), (8, 10))

    Raises:
        ValueError: nothing of the body is in it: that is a 416.
    """
    match = RANGE.fullmatch(value.replace(b" ", b""))
    if match is None or match[1] == match[2] == b"":
        return None
    first, last = match.groups()
    if not first:
        begin, end = max(0, size - int(last)), size
    else:
        begin, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < begin:
            return None
    if begin >= end:
        raise ValueError(f"nothing of {size} bytes is in {value!r}")
    return begin, end
