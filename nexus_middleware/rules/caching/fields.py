"""What header fields say: directives, seconds, dates, lists (RFC 9110 and 9111); what is malformed says nothing."""

from __future__ import annotations

import calendar
import re

DIRECTIVE = re.compile(  # or what is none, whole: to look for one within it again would take the square of its length
    rb'\s*+([^\s=,;"]++)(?:\s*+=\s*+("(?:[^"\\]|\\.)*+"|[^\s,]*+))?\s*+(?:,|$)|[\s=;"]++|[^\s=,;"]++|,'
)
MEMBER = re.compile(rb"([a-z*][a-z0-9_.*-]*)(?:=(-?[0-9]{1,15}|\?[01]|[A-Za-z*][!-+\--:<-~]*|\"[ !#-\[\]-~]*\"))?")
PARAMETERS = re.compile(rb"(?:;[ ]*[a-z*][a-z0-9_.*-]*(?:=(?:[!-+\--:<-~]+))?)*")
LARGEST = 2**31  # seconds: RFC 9111, section 1.2.2
MONTHS = {name: i + 1 for i, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split())}
_TIME = rb"(\d\d):(\d\d):(\d\d)"
_DATES = [
    re.compile(rb"(?:mon|tue|wed|thu|fri|sat|sun), (\d\d) ([a-z]{3}) (\d{4}) " + _TIME + rb" gmt"),
    re.compile(rb"(?:mon|tues|wednes|thurs|fri|satur|sun)day, (\d\d)-([a-z]{3})-(\d\d) " + _TIME + rb" gmt"),
]
_ASCTIME = re.compile(rb"(?:mon|tue|wed|thu|fri|sat|sun) ([a-z]{3}) ([ \d]\d) " + _TIME + rb" (\d{4})")


def directives(value: bytes) -> dict[bytes, bytes]:
    """Split a Cache-Control field into its directives (RFC 9111, section 5.2), of which the first of a name holds.

    >>> directives(b'max-age=60, No-Cache="set-cookie"')
    {b'max-age': b'60', b'no-cache': b'set-cookie'}
    """
    found: dict[bytes, bytes] = {}
    for match in DIRECTIVE.finditer(value):
        if match[1]:
            found.setdefault(match[1].lower(), (match[2] or b"").strip(b'"'))
    return found


def targeted(value: bytes) -> dict[bytes, bytes] | None:
    """Split a targeted field such as CDN-Cache-Control (RFC 9213, section 2.1); None if it is no valid dictionary.

    >>> targeted(b"max-age=60, no-store;x=1")
    {b'max-age': b'60', b'no-store': b''}
    >>> targeted(b"max-age=60, &&&")
    """
    found: dict[bytes, bytes] = {}
    for part in value.split(b","):
        match = MEMBER.match(part.strip())
        if match is None or not PARAMETERS.fullmatch(part.strip(), match.end()):
            return None
        said = match[2] or b""
        if match[1] in (b"max-age", b"s-maxage") and not said.isdigit():
            return None  # of the wrong type: RFC 9213 has them as integers
        found[match[1]] = said
    return found or None


def seconds(text: bytes) -> float:
    """Return a number of seconds, or 0 if it is none (RFC 9111, section 4.2.1: what is invalid is stale)."""
    return float(min(int(text.lstrip(b"0")[:12] or b"0"), LARGEST)) if text.isdigit() else 0.0


def age(value: bytes) -> float:
    """Return the seconds that an Age field tells: of several the first, and 0 of what is no number."""
    return seconds(value.partition(b",")[0].strip())


def date(value: bytes) -> float | None:
    """Return the seconds since the epoch of an HTTP date in any of its three forms; None if it is none.

    >>> date(b"Sun, 06 Nov 1994 08:49:37 GMT") == date(b"Sunday, 06-Nov-94 08:49:37 GMT")
    True
    >>> date(b"Sun, 06 Nov 1994 08:49:37 UTC")
    """
    text = value.lower()
    for form in _DATES:
        if match := form.fullmatch(text):
            day, month, year, *time = match.groups()
            return _epoch(int(year), month, int(day), time)
    if match := _ASCTIME.fullmatch(text):
        month, day, *time, year = match.groups()
        return _epoch(int(year), month, int(day), time)
    return None


def members(value: bytes) -> list[bytes]:
    """Split a list at its commas, of which none is within quotes; without the empty ones."""
    return [part for part in (part.strip() for part in value.split(b",")) if part]


def _epoch(year: int, month: bytes, day: int, time: list[bytes]) -> float | None:
    if year < 100:
        year += 1900 if year >= 70 else 2000
    hour, minute, second = map(int, time)
    if month not in MONTHS or not 1 <= day <= 31 or hour > 23 or minute > 59 or second > 60:
        return None
    return float(calendar.timegm((year, MONTHS[month], day, hour, minute, second)))
