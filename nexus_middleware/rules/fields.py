"""What a client sends, taken apart: the names and values of queries, forms and cookies, the texts within JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import unquote_plus

import msgspec

Field = tuple[str, str]  # a name, such as "title" or "items.0.title", and a text

MOST = 10_000  # values of a document, parts of a form; the rest of a form is one more

_BOUNDARY = re.compile(rb'boundary\s?=\s?(?:"([^"]{1,70})"|([^\s;,"]{1,70}))', re.IGNORECASE).search
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_PARAMETERS = re.compile(rb'[;\s](filename\*?|name)\s?=\s?"?([^";\r\n]*)', re.IGNORECASE).findall


def pairs(text: str, *, most: int | None = None) -> Iterator[Field]:
    """Yield the fields of a query or a form, percent-decoded; what has no name is a value, cut at `most` characters.

    >>> [*pairs("q=a+b%21&x=&just")]
    [('q', 'a b!'), ('x', ''), ('', 'just')]
    """
    for part in text.split("&", MOST):
        name, equals, value = part[:most].partition("=")
        yield (unquote_plus(name), unquote_plus(value)) if equals else ("", unquote_plus(name))


def cookies(text: str) -> Iterator[Field]:
    """Yield the cookies of a Cookie header (RFC 6265, section 4.2.1)."""
    for part in text.split(";"):
        name, _, value = part.strip().partition("=")
        yield name, value


def leaves(value: Any, *, most: int | None = None) -> Iterator[Field]:
    """Yield every text in a JSON value, keys too, each with its way from the root.

    >>> [*leaves({"a": ["x", {"b": "y"}], "n": 1})]
    [('a', 'a'), ('a.0', 'x'), ('a.1.b', 'b'), ('a.1.b', 'y'), ('n', 'n')]

    Args:
        value: Of dicts, lists, texts and whatever else JSON has.
        most: How many values are looked at; None for all.
    """
    way: list[tuple[str, Iterator[tuple[Any, Any]]]] = [("", iter([("", value)]))]
    steps = count(1)
    while way:
        prefix, items = way[-1]
        for key, inner in items:
            if next(steps) == most:
                return
            name = f"{prefix}.{key}" if prefix else str(key)
            if isinstance(key, str) and key:
                yield name, key
            if isinstance(inner, str):
                yield name, inner
            elif isinstance(inner, dict | list | tuple):
                way.append((name, iter(inner.items() if isinstance(inner, dict) else enumerate(inner))))
                break
        else:
            way.pop()


def json_fields(body: bytes) -> Iterator[Field]:
    """Yield the texts of a JSON document; nothing if it is none, which is the app's to say."""
    return leaves(_json(body), most=MOST)


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _json_of_python(body)


def _json_of_python(body: bytes) -> Any:
    """Read what is JSON for Python's own reader alone: UTF-16, a byte order mark, NaN."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def parts(body: bytes, content_type: bytes) -> Iterator[Field]:
    """Yield the text fields of a multipart form, and the names of its files; not what is in the files (RFC 7578)."""
    found = _BOUNDARY(content_type)
    if found is None:
        return
    for part in body.split(b"--" + (found[1] or found[2]), MOST)[1:]:
        head, *content = _BLANK_LINE.split(part, 1)
        told = {key.lower(): value.decode("utf-8", "replace") for key, value in _PARAMETERS(head)}
        file = told.get(b"filename", told.get(b"filename*"))
        if file is not None:
            yield told.get(b"name", ""), file
        elif content:
            yield told.get(b"name", ""), content[0].rstrip(b"\r\n").decode("utf-8", "replace")
