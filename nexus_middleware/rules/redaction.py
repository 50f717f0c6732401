"""Leave secrets out of what people are shown."""

from __future__ import annotations

import re
from typing import Any

SECRET = re.compile(
    r"passw|passphrase|secret|token|api[_-]?key|authorization|cookie|credential|private[_-]?key|card|cvv|iban|ssn",
    re.IGNORECASE,
)
SHOWN = "(redacted)"
LONGEST = 2_000  # characters of one text


def redacted(value: Any, *, depth: int = 8) -> Any:
    """Return JSON without what a name says is secret, and with long texts cut.

    >>> redacted({"user": 7, "card": {"number": "4111"}, "headers": [{"Authorization": "Bearer x"}]})
    {'user': 7, 'card': '(redacted)', 'headers': [{'Authorization': '(redacted)'}]}
    """
    if not depth:
        return "…"
    if isinstance(value, dict):
        return {
            str(key): SHOWN if SECRET.search(str(key)) else redacted(each, depth=depth - 1)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [redacted(each, depth=depth - 1) for each in value[:100]]
    if isinstance(value, str) and len(value) > LONGEST:
        return f"{value[:LONGEST]}… ({len(value)} characters)"
    return value
