"""Take secrets out of what is logged or shown: by the name they have, and by how they look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

HIDDEN = "[redacted]"
TEXT = 8_192  # characters kept of a string
ITEMS = 100  # kept of a list or a mapping
DEEPEST = 8  # levels of nesting

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
_GATE = re.compile(rf"(?i){_TELLING}|{_WHOLE}|://|bearer|basic|eyJ|PRIVATE|sk_|pk_|rk_|gh[pousr]_|AKIA|xox|\d{{3}}")


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
    if _GATE.search(text) is None:
        return text
    text = _USER.sub(HIDDEN + "@", text)
    text = _COOKIES.sub(rf"\1{HIDDEN}", text)
    text = _AFTER.sub(_hide, text)
    text = _BEARER.sub(rf"\1\2{HIDDEN}", text)
    text = _SHAPES.sub(HIDDEN, text)
    return _DIGITS.sub(lambda found: HIDDEN if _is_card(found[0]) else found[0], text)


def clean(value: Any, depth: int = 0) -> Any:
    """Return `value` as plain data that JSON can hold: secrets hidden, long strings, lists and nests cut.

    What is no plain data is asked for its fields, or shown by its `repr`.

    >>> clean({"user": 7, "login": {"password": "hunter2", "ok": True}})
    {'user': 7, 'login': {'password': '[redacted]', 'ok': True}}
    """
    kind = type(value)
    if kind is str:
        return _text(value)
    if value is None or kind is bool or kind is float:
        return value
    if kind is int:
        return value if -(2**63) <= value < 2**63 else f"a number of {value.bit_length()} bits"
    return _nested(value, depth) if depth < DEEPEST else "…"


def _nested(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        return _mapping(value, depth)
    if isinstance(value, list | tuple | set | frozenset):
        kept = [clean(item, depth + 1) for item, _ in zip(value, range(ITEMS), strict=False)]
        return kept if len(value) <= ITEMS else [*kept, f"… {len(value) - ITEMS} more"]
    if isinstance(value, bytes | bytearray):
        return _text(bytes(value[: 2 * TEXT]).decode("utf-8", "backslashreplace"))
    return _other(value, depth)


def _mapping(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, item in value.items():
        if len(kept) == ITEMS:
            kept["…"] = f"{len(value) - ITEMS} more"
            break
        text = name if isinstance(name, str) else str(_shown(name))
        kept[_text(text[:200])] = clean_field(text, item, depth + 1)
    return kept


def clean_field(name: str, value: Any, depth: int = 1) -> Any:
    """Return the `clean` value of what is called `name`; hidden if that says it is a secret, except for yes and no."""
    if secret(name) and value is not None and not isinstance(value, bool) and value != "":
        return HIDDEN
    return clean(value, depth)


def _other(value: Any, depth: int) -> Any:
    try:
        plain = msgspec.to_builtins(value, str_keys=True, enc_hook=_shown)
    except Exception:  # noqa: BLE001  # whatever an object does when it is looked at, the line is written
        plain = _shown(value)
    return clean(plain if type(plain) in PLAIN else str(plain), depth + 1)


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
