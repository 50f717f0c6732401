"""What a shared cache may keep, and for how long (RFC 9111): the part that needs no revalidation."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TypeAlias

import msgspec

from ..http import Pair

Pairs: TypeAlias = tuple[Pair, ...]
HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-connection proxy-authenticate te trailer transfer-encoding upgrade "
    b"content-length date age cache-status".split()
)
FORBIDDEN = frozenset((b"no-store", b"private", b"no-cache"))
CODINGS = (b"br", b"gzip", b"zstd")
DIRECTIVE = re.compile(rb'\s*([^\s=,;"]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,]*))?\s*(?:,|$)')


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A stored response; times are seconds since the epoch."""

    status: int
    headers: Pairs
    body: bytes
    stored: float
    age: float  # seconds old when it was stored
    lifetime: float  # seconds it is fresh, counted from age 0
    etag: bytes = b""

    def age_at(self, now: float) -> float:
        """Return its age in seconds (RFC 9111, section 4.2.3)."""
        return self.age + max(0.0, now - self.stored)

    def fresh(self, now: float) -> bool:
        """Whether it may be given without asking (RFC 9111, section 4.2)."""
        return self.age_at(now) < self.lifetime


def lifetime(status: int, headers: list[Pair], *, vary: frozenset[bytes], ttl: float | None, now: float) -> float:
    """Return for how many seconds a response to a plain GET may be stored; 0 if it may not.

    Args:
        status: Only 200 is stored.
        headers: Of the response, names in lower case.
        vary: The request headers that the key of the cache holds; a response that varies by others is not stored.
        ttl: Seconds for a response that says nothing of its freshness; None to store no such response.
        now: Seconds since the epoch, for `Expires`.
    """
    fields: dict[bytes, bytes] = {}
    for name, value in headers:
        fields[name] = fields[name] + b", " + value if name in fields else value
    named = {name.strip().lower() for name in fields.get(b"vary", b"").split(b",")} - {b""}
    if status != 200 or b"set-cookie" in fields or not named <= vary:
        return 0.0
    said = directives(fields.get(b"cache-control", b""))
    if said.keys() & FORBIDDEN:
        return 0.0
    for name in (b"s-maxage", b"max-age"):
        if name in said:
            return seconds(said[name])
    if b"expires" in fields:
        return max(0.0, _date(fields[b"expires"]) - (_date(fields[b"date"]) if b"date" in fields else now))
    return ttl or 0.0


def storable(headers: list[Pair]) -> Pairs:
    """Return the lines that are stored: not those of one connection (RFC 9111, section 3.1), nor what is told anew."""
    own = {token.strip().lower() for name, value in headers if name == b"connection" for token in value.split(b",")}
    return tuple([pair for pair in headers if pair[0] not in HOP_BY_HOP and pair[0] not in own])


def directives(value: bytes) -> dict[bytes, bytes]:
    """Split a Cache-Control field into its directives (RFC 9111, section 5.2), of which the first of a name holds.

    >>> directives(b'max-age=60, No-Cache="set-cookie"')
    {b'max-age': b'60', b'no-cache': b'set-cookie'}
    """
    found: dict[bytes, bytes] = {}
    for match in DIRECTIVE.finditer(value):
        found.setdefault(match[1].lower(), (match[2] or b"").strip(b'"'))
    return found


def seconds(text: bytes) -> float:
    """Return a number of seconds, or 0 if it is none (RFC 9111, section 4.2.1: what is invalid is stale)."""
    return float(min(int(text), 2**31)) if text.isdigit() else 0.0


def matches(wanted: bytes, etag: bytes) -> bool:
    """Whether `If-None-Match: wanted` names `etag`, compared weakly (RFC 9110, section 13.1.2)."""
    if not etag:
        return False
    return wanted.strip() == b"*" or _opaque(etag) in {_opaque(part.strip()) for part in wanted.split(b",")}


def coding(accepted: bytes | None) -> bytes:
    """Return what of Accept-Encoding makes a difference, in one spelling, so that few variants are kept."""
    tokens = {part.partition(b";")[0].strip().lower() for part in (accepted or b"").split(b",") if b"q=0" not in part}
    return b",".join([name for name in CODINGS if name in tokens])


def _opaque(etag: bytes) -> bytes:
    return etag.removeprefix(b"W/")


def _date(text: bytes) -> float:
    try:
        return parsedate_to_datetime(text.decode("latin-1")).timestamp()
    except ValueError:
        return 0.0
