"""Text from outside: put in order, or checked, and never changed in its meaning."""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby
from typing import Any

import msgspec

from ..errors import SettingsError
from .fields import leaves
from .injection import detect_sql_injection, detect_xss

COMBINING = 30  # marks on one letter that ordinary text never has (Unicode Standard Annex 15, section 13)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Validation(msgspec.Struct, frozen=True):
    """Whether a body may be taken, and what is wrong with it: one sentence a field, without what the field held."""

    valid: bool
    errors: list[str]


def sanitize_input(text: str) -> str:
    r"""Return `text` without NUL and other control characters, in Unicode's form NFC, trimmed.

    Nothing else is changed: no quote is doubled, no `<` replaced. What a text means is decided where it is used: by a
    query's parameters, by a page's escaping.

    >>> sanitize_input(" O'Hara\x00 <3\tcafe\u0301\n")
    "O'Hara <3\tcafé"

    Args:
        text: Of any length. One with more than 30 combining marks on a letter is not normalised, since that may take
            the square of its length in time.
    """
    text = _CONTROL.sub("", text)
    if not text.isascii() and _longest_run(text) <= COMBINING:
        text = unicodedata.normalize("NFC", text)
    return text.strip()


def validate_request(body: Any) -> Validation:
    """Judge every text in `body`, a JSON value of dicts, lists and texts.

    >>> validate_request({"name": "O'Hara", "age": 7})
    Validation(valid=True, errors=[])
    >>> validate_request({"items": [{"q": "1 union select 2"}]}).errors
    ['items.0.q looks like SQL injection']
    """
    errors = [
        f"{name if name.isprintable() and len(name) <= 100 and not _found(name) else 'a field'} looks like {found}"
        for name, text in leaves(body)
        if (found := _found(text))
    ]
    return Validation(not errors, errors)


def sanitize_html(html: str) -> str:
    """Return `html` with only the tags and attributes that cannot run anything, as nh3 knows them.

    >>> sanitize_html("<b onclick=alert(1)>hi</b><script>alert(1)</script>")
    '<b>hi</b>'

    Raises:
        SettingsError: nh3 is not installed.
    """
    try:
        import nh3
    except ImportError as error:
        raise SettingsError("sanitize_html needs nh3: pip install 'nexus-middleware[html]'") from error
    return nh3.clean(html)


def _found(text: str) -> str:
    if detect_sql_injection(text):
        return "SQL injection"
    return "script" if detect_xss(text) else ""


def _longest_run(text: str) -> int:
    runs = groupby(map(unicodedata.combining, text), bool)
    return max((sum(1 for _ in run) for marked, run in runs if marked), default=0)
