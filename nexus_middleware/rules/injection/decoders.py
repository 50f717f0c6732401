r"""The spellings under which one text may reach a database or a page: percent, entities, \x, wide letters, blanks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from html.entities import html5
from urllib.parse import unquote

ROUNDS = 2  # of percent-decoding: a proxy's and the app's
_ASCII_NAMES = {name.rstrip(";").lower(): char for name, char in html5.items() if len(char) == 1 and char.isascii()}
_NUMBERED = re.compile(r"&#(?:x0*+([0-9a-f]{1,6})|0*+([0-9]{1,7}));?")
_NAMED = re.compile(r"&([a-z]{2,20});?")
_WORTH = re.compile(
    r"%[0-9a-fu]|&(?:#|[a-z])|\\[xu0-7]|\+a[a-z0-9/]{1,6}-|[\x00-\x08\x0b\x0e-\x1f\x7f-\xff\u02b0-\u02ff\u180e\u2000-\u33ff\ufb00-\uffff\U0001d400-\U0001d7ff]"
).search
_PERCENT_U = re.compile(r"%u([0-9a-f]{4})")
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]{1,6})\}|([0-7]{3}))")
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1f\x7f\xad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufffd]+")
_WIDE = re.compile("[\xa0-\xff\u02b0-\u02ff\u2000-\u33ff\ufb00-\uffef\U0001d400-\U0001d7ff]").search
_RANGES = ((0xA0, 0x100), (0x2B0, 0x300), (0x2000, 0x3400), (0xFB00, 0xFFF0), (0x1D400, 0x1D800))
# What databases and old browsers take for ASCII, and NFKC does not.
_MARKS = {"'": "\u2018\u2019\u201b\u02bc\xb4\u2032", '"': "\u201c\u201d\u201e\u2033", "<": "\xbc", ">": "\xbe"} | {
    "-": "\u2013",
    "--": "\u2014",
}


def spellings(text: str) -> Iterator[str]:
    r"""Yield `text` in lower case, then what is left after each layer of encoding, each spelling once.

    Takes time in proportion to the text, whatever it holds.

    >>> [*spellings("%2527%20OR 1"), *spellings(r"\x3cb&#62;")]
    ['%2527%20or 1', '%27 or 1', "' or 1", '\\x3cb&#62;', '\\x3cb>', '<b>']
    """
    text = text.lower()
    yield text
    if not _WORTH(text):
        return
    seen = {text}
    for layer in _LAYERS:
        text = layer(text)
        if text not in seen:
            seen.add(text)
            yield text


def plain(text: str) -> str:
    """Return the letters that `text` shows: wide, circled and other look-alikes in ASCII, without what is not seen."""
    text = _UNSEEN.sub("", text)
    return text.translate(_alike()) if _WIDE(text) else text


def _percent(text: str) -> str:
    if "%" not in text:
        return text
    text = _PERCENT_U.sub(lambda found: chr(int(found[1], 16)), text)
    return unquote(text, errors="replace").lower()


def _entities(text: str) -> str:
    if "&" not in text:
        return text
    text = _NUMBERED.sub(lambda found: _char(int(found[1], 16) if found[1] else int(found[2]), found[0]), text)
    return _NAMED.sub(lambda found: _ASCII_NAMES.get(found[1], found[0]), text).lower()


def _escapes(text: str) -> str:
    return _ESCAPE.sub(_escaped, text).lower() if "\\" in text else text


def _escaped(found: re.Match[str]) -> str:
    octal = found[4]
    return _char(int(octal, 8) if octal else int(found[1] or found[2] or found[3], 16), found[0])


def _char(code: int, written: str) -> str:
    return chr(code) if code < 0x110000 else written


def _utf7(text: str) -> str:
    return text.replace("+adw-", "<").replace("+ad4-", ">") if "+ad" in text else text


_LAYERS: tuple[Callable[[str], str], ...] = (*[_percent] * ROUNDS, _entities, _escapes, _utf7, plain)


@cache
def _alike() -> dict[int, str]:
    """Return what NFKC makes of single letters, where that is ASCII; of whole texts it can take the square of time."""
    table: dict[int, str] = {}
    for first, end in _RANGES:
        for code in range(first, end):
            ascii_ = unicodedata.normalize("NFKC", chr(code))
            if ascii_.isascii() and len(ascii_) == 1:
                table[code] = ascii_.lower()
    return table | {ord(char): mark for mark, chars in _MARKS.items() for char in chars}
