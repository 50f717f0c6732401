"""Take secrets out of what is logged or shown: by the name they have, and by how they look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec

HIDDEN = "[redacted]"
TEXT = 8_192  # characters kept of a string
ITEMS = 100  # kept of a list or a mapping
DEEPEST = 8  # levels of nesting
ALL = 65_536  # characters kept of a nest, in all

# The names of what nobody shall read. Some words are telling wherever they stand; others, such as "key", only whole.
_TELLING = "passw|passphrase|secret|token|api[-_ ]?key|private[-_ ]?key|authoriz|cookie|credential|signature"
_WHOLE = "key|ssn|card|pwd|pass|auth|cvv|cvc|pin|otp|iban"
_SECRET = re.compile(rf"(?i:{_TELLING})|(?<![A-Za-z])(?i:{_WHOLE})s?(?![A-Za-z])")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

# The same names in running text, with what follows them: `token=…`, `"password": "…"`, `Authorization: Basic …`.
_AFTER = re.compile(
    rf"(?:(?i:{_TELLING})|(?:(?<![A-Za-z])(?i:{_WHOLE})|(?<=[a-z0-9])(?:Key|Card|Ssn|Pwd|Pin))s?(?![A-Za-z]))"
    r"[\w.-]{0,40}\\{0,3}[\"']?\]?\s{0,3}(?:=>|[:=]|%3[DdAa]|(?<=[\"']),)\s{0,3}(?:b(?=[\"']))?(?!\[redacted)"
    r"(?P<value>(?P<quote>\\{0,3}[\"']).*?(?:(?P=quote)|$)|(?i:bearer|basic|digest)\s+\S+|[^\s&;,\"'<>)\]}\\]+)",
    re.MULTILINE,
)
_COOKIES = re.compile(r"(?i)(?<![A-Za-z])((?:set-)?cookie[\"']?\s{0,3}[:=]\s{0,3})[^\r\n]+")
_BEARER = re.compile(r"(?i)\b(bearer|basic)(\s{1,3}|%20|\+)[\w.~+/=-]{6,}")
_USER = re.compile(
    r"(?<=://)(?:[^\s/?#\"'<>@]{1,256}|[^\s/?#\"'<>:]{0,99}:[^\s?#\"'<>]{0,256})@"
)  # of a URL; a password may hold / and @
_SHAPES = re.compile(
    r"eyJ[\w-]{8,300}\.[\w-]{8,}\.[\w-]*"  # a JSON web token
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?"
    r"|\b(?:sk|pk|rk)_(?:live|test)_\w{8,}|\bgh[pousr]_\w{20,}|\bAKIA[0-9A-Z]{16}\b|\bxox[abprs]-[\w-]{10,}"
    r"|(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])"  # a social security number
)
_DIGITS = re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.])")
_WORDS = (  # without one of these, or some digits, a text holds nothing to hide: most are looked at no further
    *(
        "pass",
        "secret",
        "token",
        "key",
        "auth",
        "cookie",
        "credential",
        "signature",
        "card",
        "ssn",
        "pwd",
        "cvv",
        "cvc",
    ),
    *(
        "pin",
        "otp",
        "iban",
        "://",
        "bearer",
        "basic",
        "eyj",
        "sk_",
        "pk_",
        "rk_",
        "ghp_",
        "gho_",
        "ghu_",
        "ghs_",
        "ghr_",
    ),
    *("akia", "xox"),
)
_SOME_DIGITS = re.compile(r"\d(?:[ -]?\d){8}")


@lru_cache(maxsize=4_096)
def secret(name: str) -> bool:
    """Whether what has this name is nobody's to read.

    >>> [secret(name) for name in ("password", "X-API-Key", "refreshToken", "card_number", "key", "monkey", "passenger")]
    [True, True, True, True, True, False, False]
    """
    return _SECRET.search(_HUMP.sub("_", name[:200])) is not None


def redact_text(text: str) -> str:
    """Return `text` without the secrets in it: in URLs, queries, headers, JSON and source lines of a traceback.

    Takes time in proportion to its length.

    >>> redact_text("redis://:hunter2@cache:6379/0 and GET /a?token=abc&page=2")
    'redis://[redacted]@cache:6379/0 and GET /a?token=[redacted]&page=2'
    """
    low = text.lower()
    if not any(word in low for word in _WORDS) and _SOME_DIGITS.search(text) is None:
        return text
    text = _USER.sub(HIDDEN + "@", text)
    text = _COOKIES.sub(rf"\1{HIDDEN}", text)
    text = _AFTER.sub(_hide, text)
    text = _BEARER.sub(rf"\1\2{HIDDEN}", text)
    text = _SHAPES.sub(HIDDEN, text)
    return _DIGITS.sub(lambda found: HIDDEN if _is_card(found[0]) else found[0], text)


def clean(value: Any) -> Any:
    """Return `value` as plain data that JSON can hold: secrets hidden, long strings, lists and nests cut.

    What is no plain data is asked for its fields, or shown by its `repr`. About 64 KiB of text are kept in all.

    >>> clean({"user": 7, "login": {"password": "hunter2", "ok": True}, "headers": [("cookie", "a=b")]})
    {'user': 7, 'login': {'password': '[redacted]', 'ok': True}, 'headers': [['cookie', '[redacted]']]}
    """
    return _text(value) if type(value) is str else _Cleaner().clean(value, 0)


def clean_field(name: str, value: Any) -> Any:
    """Return the `clean` value of what is called `name`; hidden if that says it is a secret, except for yes and no."""
    return HIDDEN if _hides(name, value) else clean(value)


def _hides(name: str, value: Any) -> bool:
    return secret(name) and value is not None and not isinstance(value, bool) and value != ""


class _Cleaner:
    """Cleans one value, up to so many characters and things in it."""

    def __init__(self) -> None:
        self._left = ALL

    def clean(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            text = _text(str.__str__(value)) if self._left > 0 else "…"
            self._left -= len(text) + 16
            return text
        if value is None or isinstance(value, bool | float):
            return value
        if isinstance(value, int):
            return int(value) if -(2**63) <= value < 2**63 else f"a number of {value.bit_length()} bits"
        self._left -= 16
        return self._nested(value, depth) if depth < DEEPEST and self._left > 0 else "…"

    def _nested(self, value: Any, depth: int) -> Any:
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, list | tuple | set | frozenset):
            return self._sequence([*value] if len(value) <= ITEMS else [*islice(value, ITEMS)], len(value), depth)
        if isinstance(value, bytes | bytearray):
            return self.clean(bytes(value[: 2 * TEXT]).decode("utf-8", "backslashreplace"), depth)
        return self._other(value, depth)

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, item in islice(value.items(), ITEMS):
            text = name if isinstance(name, str) else _shown(name)
            kept[_text(text[:200])] = HIDDEN if _hides(text, item) else self.clean(item, depth + 1)
        if len(value) > ITEMS:
            kept["…"] = f"{len(value) - ITEMS} more"
        return kept

    def _sequence(self, items: list[Any], size: int, depth: int) -> list[Any]:
        if size == 2 and isinstance(items[0], str | bytes):  # a pair, such as of headers
            name = items[0] if isinstance(items[0], str) else items[0].decode("latin-1")
            if _hides(name, items[1]):
                return [self.clean(name, depth + 1), HIDDEN]
        kept = [self.clean(item, depth + 1) for item in items]
        return kept if size <= ITEMS else [*kept, f"… {size - ITEMS} more"]

    def _other(self, value: Any, depth: int) -> Any:
        try:
            plain = msgspec.to_builtins(value, str_keys=True, enc_hook=_shown)
        except Exception:  # noqa: BLE001  # whatever an object does when it is looked at, the line is written
            plain = _shown(value)
        return self.clean(plain if type(plain) in PLAIN else str(plain), depth + 1)


PLAIN = (str, int, float, bool, type(None), list, dict)


def _shown(value: Any) -> str:
    try:
        return repr(value)[: TEXT + 1]
    except Exception:  # noqa: BLE001
        return f"<{type(value).__name__} that cannot be shown>"


def _text(text: str) -> str:
    if len(text) > TEXT:
        text = f"{redact_text(text[: TEXT + 200])[:TEXT]}… {len(text) - TEXT} more"  # a secret at the cut is seen whole
    elif len(text) > 3:
        text = redact_text(text)
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()  # no half surrogates


def _hide(found: re.Match[str]) -> str:
    quote = found["quote"] or ""
    return found[0][: found.start("value") - found.start()] + quote + HIDDEN + quote


def _is_card(text: str) -> bool:
    """Whether the digits have the check sum of a payment card (ISO/IEC 7812, Luhn)."""
    digits = [int(char) for char in reversed(text) if char.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0 and len(set(digits)) > 1
