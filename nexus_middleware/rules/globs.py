"""Patterns with *, ? and […], as Redis reads them."""

from __future__ import annotations

import re

SPECIAL = re.compile(r"([*?\[\]\\^-])")


def escape(text: str) -> str:
    r"""Return the pattern that fits `text` and nothing else.

    >>> escape("a*[b]")
    'a\\*\\[b\\]'
    """
    return SPECIAL.sub(r"\\\1", text)


def expression(pattern: str) -> str:
    r"""Return `pattern` as a regular expression, to be matched whole with `re.DOTALL`.

    >>> bool(re.fullmatch(expression("user:*:[0-9]\\?"), "user:7:3?"))
    True
    """
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "[" and (end := pattern.find("]", at + 1)) > at + 1:
            inside = pattern[at + 1 : end]
            sign, inside = ("^", inside[1:]) if inside.startswith("^") else ("", inside)
            parts.append("[" + sign + re.sub(r"([\\^\[])", r"\\\1", inside) + "]")
            at = end
        elif char == "\\" and at + 1 < len(pattern):
            at += 1
            parts.append(re.escape(pattern[at]))
        else:
            parts.append({"*": ".*", "?": "."}.get(char, re.escape(char)))
        at += 1
    return "".join(parts)
