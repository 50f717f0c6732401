"""Database queries without what was asked for, so that like ones count together and no value is kept."""

from __future__ import annotations

import re

LONGEST = 500  # characters
_LITERALS = re.compile(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b|\$\d+|:\w+|%s")
_LISTS = re.compile(r"\(\s*\?(?:\s*,\s*\?)+\s*\)")
_SPACE = re.compile(r"\s+")


def shape(query: str) -> str:
    """Return `query` with every literal and placeholder as ?, on one line, cut at 500 characters.

    >>> shape("SELECT *  FROM users WHERE name = 'O''Hara' AND id IN (1, 2, 3)")
    'SELECT * FROM users WHERE name = ? AND id IN (?)'
    """
    text = _LITERALS.sub("?", query[: 10 * LONGEST])
    return _LISTS.sub("(?)", _SPACE.sub(" ", text)).strip()[:LONGEST]
