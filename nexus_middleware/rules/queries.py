"""Database queries without what was asked for, so that like ones count together and no value is kept."""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST = 500  # characters
READ = 10 * LONGEST  # characters of a query that are looked at
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_TEXTS = re.compile(r"\b[EeNnBbXx]?'(?:[^']|'')*(?:'|\Z)|'(?:[^']|'')*(?:'|\Z)|\$(\w*)\$.*?(?:\$\1\$|\Z)", re.DOTALL)
_TEXTS_WITH_BACKSLASHES = re.compile(r"'.*(?:'|\Z)", re.DOTALL)  # dialects differ: from the first quote to the last
_NUMBERS = re.compile(
    r"\b0[xX][0-9a-fA-F]+\b|(?<![\w.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b|\$\d+|(?<!:):\w+|%s|%\(\w+\)s"
)
_LISTS = re.compile(r"\(\s*\?(?:\s*,\s*\?)+\s*\)")
_ROWS = re.compile(r"\(\?\)(?:\s*,\s*\(\?\))+")
_SPACE = re.compile(r"\s+")


@lru_cache(maxsize=2_000)  # an app has few queries, and sends them with placeholders
def shape(query: str) -> str:
    """Return `query` with every literal and placeholder as ?, without comments, on one line, cut at 500 characters.

    >>> shape("SELECT *  FROM users WHERE name = 'O''Hara' AND id IN (1, 2, 3)")
    'SELECT * FROM users WHERE name = ? AND id IN (?)'
    >>> shape("INSERT INTO t VALUES ($1, $2), ($3, $4) -- by ada")
    'INSERT INTO t VALUES (?)'
    """
    text = query[:READ]
    texts = _TEXTS_WITH_BACKSLASHES if "\\" in text else _TEXTS
    text = _NUMBERS.sub("?", _COMMENTS.sub(" ", texts.sub("?", text)))
    text = _ROWS.sub("(?)", _LISTS.sub("(?)", text))
    return _SPACE.sub(" ", text).strip()[:LONGEST]
