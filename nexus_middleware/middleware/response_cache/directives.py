"""What a request's own Cache-Control asks of the cache (RFC 9111, section 5.2.1); obeyed only where it is said."""

from __future__ import annotations

from ...http import Request
from ...rules.caching import fields
from ...rules.caching.entry import Entry

KNOWN = frozenset((b"no-cache", b"no-store", b"max-age", b"min-fresh", b"max-stale", b"only-if-cached"))


def asked(request: Request) -> dict[bytes, bytes]:
    """Return the directives of a request; Pragma counts where there are none (section 5.4)."""
    value = request.header(b"cache-control")
    if value is not None:
        return {name: said for name, said in fields.directives(value).items() if name in KNOWN}
    return {b"no-cache": b""} if b"no-cache" in (request.header(b"pragma") or b"").lower() else {}


def satisfied(said: dict[bytes, bytes], entry: Entry, now: float) -> bool:
    """Whether `entry` may answer a request that said this."""
    if b"no-cache" in said or b"no-store" in said:
        return False
    if b"max-age" in said and entry.age(now) > fields.seconds(said[b"max-age"]):
        return False
    left = entry.fresh - now
    if b"min-fresh" in said and left < fields.seconds(said[b"min-fresh"]):
        return False
    if left > 0:
        return True
    return entry.stale >= entry.fresh > 0 and b"max-stale" in said and -left <= _most(said[b"max-stale"])


def _most(text: bytes) -> float:
    return fields.seconds(text) if text else float("inf")
