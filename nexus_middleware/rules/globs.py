"""Patterns with *, ? and […], as Redis reads them."""

from __future__ import annotations

import re

GROUP = re.compile(r"\[(\^?)((?:\\.|[^]\\])+)\]", re.DOTALL)
MEMBER = re.compile(r"\\(.)|([^\\])(?:-(.))?", re.DOTALL)  # one that stands for itself, or from where to where
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
    >>> [bool(re.fullmatch(expression(r"[z-a\]]"), text)) for text in ("m", "]", "M", "-")]
    [True, True, False, False]
    """
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "[" and (group := GROUP.match(pattern, at)) is not None:
            parts.append(f"[{group[1]}{''.join([_member(*found.groups()) for found in MEMBER.finditer(group[2])])}]")
            at = group.end() - 1
        elif char == "\\" and at + 1 < len(pattern):
            at += 1
            parts.append(re.escape(pattern[at]))
        else:
            parts.append({"*": ".*", "?": "."}.get(char, re.escape(char)))
        at += 1
    return "".join(parts)


def _member(itself: str | None, first: str | None, last: str | None) -> str:
    if itself is not None or first is None:
        return re.escape(itself or "")
    low, high = sorted((first, last or first))  # Redis takes a range either way round
    return re.escape(low) if low == high else f"{re.escape(low)}-{re.escape(high)}"
