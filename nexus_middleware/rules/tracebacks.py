"""What may be kept of an exception: its message without the values in it."""

from __future__ import annotations

import re

_VALUES = re.compile(
    r"""'[^']*'|"[^"]*"|`[^`]*`   # quoted
    |\S*[@=]\S*                   # addresses, settings, parts of URLs
    |\w+://\S+
    |\b\d{4,}\b
    |[^\s]{24,}                   # keys, tokens
    """,
    re.VERBOSE,
)


def masked(message: str) -> str:
    """Return the message of an exception with … in place of what may be a user's or a secret.

    >>> masked("invalid literal for int() with base 10: 'ada@example.org'")
    'invalid literal for int() with base 10: …'
    >>> masked("no answer from redis://:s3cret@10.0.0.1:6379 in 5 s")
    'no answer from … in 5 s'
    """
    return _VALUES.sub("…", message[:5_000])
