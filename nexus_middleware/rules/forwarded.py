"""The entries that proxies leave in Forwarded (RFC 7239), X-Forwarded-For and the like."""

from __future__ import annotations

import re

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  # RFC 9110, section 5.6.2
VALUE = rf'{TOKEN}|"(?:[^"\\]|\\.)*"'
PARAMETER = re.compile(rf"[ \t]*({TOKEN})=({VALUE})[ \t]*")
ESCAPED = re.compile(r"\\(.)")


def nodes(value: str, most: int, *, structured: bool) -> list[str | None]:
    """Return the entries of a header, the one nearest to us first; None for one that cannot be read.

    Args:
        value: All lines, joined by commas.
        most: How many are wanted; the others are not looked at.
        structured: Whether it is Forwarded, whose `for` parameters are the entries.

    >>> nodes("203.0.113.9, ,10.0.0.2", 32, structured=False)
    ['10.0.0.2', '203.0.113.9']
    """
    if structured:
        elements = forwarded(value)
        if elements is None:
            return [None]
        return [element.get("for") for element in reversed(elements)][:most]
    entries = [entry.strip(" \t") for entry in reversed(value.rsplit(",", 4 * most))]
    return [entry or None for entry in entries if entry][:most]


def forwarded(value: str) -> list[dict[str, str]] | None:
    """Return the elements of a Forwarded header, leftmost first; None if it is malformed (RFC 7239, section 4).

    An element in which a parameter comes twice is returned empty: it says nothing that can be believed.

    >>> forwarded('for="[2001:db8::9]:4711";proto=https, for=192.0.2.1')
    [{'for': '[2001:db8::9]:4711', 'proto': 'https'}, {'for': '192.0.2.1'}]
    """
    elements: list[dict[str, str]] = [{}]
    twice: set[int] = set()
    at = 0
    while at < len(value):
        match = PARAMETER.match(value, at)
        if match is not None:
            name, text = match[1].lower(), match[2]
            if name in elements[-1]:
                twice.add(len(elements) - 1)
            elements[-1][name] = ESCAPED.sub(r"\1", text[1:-1]) if text.startswith('"') else text
            at = match.end()
        if at < len(value):
            if value[at] not in ",; \t":
                return None
            if value[at] == ",":
                elements.append({})
            at += 1
    return [{} if i in twice else element for i, element in enumerate(elements) if element]
