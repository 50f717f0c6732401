"""Conditional requests: what a client has already, what the app is asked, what a 304 renews (RFC 9111, section 4.3)."""

from __future__ import annotations

import re
from dataclasses import replace

import msgspec

from . import fields
from .entry import Entry, Pairs
from .policy import TAGS, CachePolicy, Exchange, admit

TAG = re.compile(rb'(?:W/)?"[^"]*"|[^\s,]+')  # one without quotes is none, but some send such
# what a 304 says of a body, it says of one that it does not bring
LEFT = frozenset(b"content-length content-encoding content-type content-range content-location content-md5".split())
BODYLESS = frozenset(b"content-length content-encoding content-type content-range content-language".split())


def unchanged(entry: Entry, none_match: bytes | None, modified_since: bytes | None) -> bool:
    """Whether the client has the body of `entry` already (RFC 9110, section 13.2.2: the tag goes before the date)."""
    if none_match is not None:
        return matches(none_match, entry.etag)
    since = fields.date(modified_since) if modified_since is not None else None
    if since is None:
        return False
    modified = fields.date(entry.modified)
    return (entry.born if modified is None else modified) <= since


def matches(wanted: bytes, etag: bytes) -> bool:
    """Whether `If-None-Match: wanted` names `etag`, compared weakly (RFC 9110, section 13.1.2).

    >>> matches(b'"1", W/"2,3"', b'"2,3"'), matches(b'"1", "2"', b'"3"')
    (True, False)
    """
    if not etag:
        return False
    return wanted.strip() == b"*" or _opaque(etag) in {_opaque(part) for part in TAG.findall(wanted)}


def same(entry: Entry, if_range: bytes | None) -> bool:
    """Whether `If-Range` lets a part of `entry` be sent (RFC 9110, section 13.1.5: compared strongly)."""
    if if_range is None:
        return True
    weak = if_range.startswith(b"W/") or entry.etag.startswith(b"W/")
    return not weak and if_range in (entry.etag, entry.modified) and if_range != b""


def questions(entry: Entry) -> dict[bytes, bytes]:
    """Return the headers that ask the app whether `entry` still holds (RFC 9111, section 4.3.1)."""
    asked = {b"if-none-match": entry.etag, b"if-modified-since": entry.modified}
    return {name: value for name, value in asked.items() if value}


def renewed(entry: Entry, exchange: Exchange, policy: CachePolicy) -> Entry | None:
    """Return `entry` as a 304 renews it (RFC 9111, sections 3.2 and 4.3.4); None if it may be kept no longer.

    The app was asked for this entry and no other, so the 304 is about it, whatever tag it has.
    """
    news = [pair for pair in exchange.headers if pair[0] not in LEFT]
    names = {name for name, _ in news}
    headers = [*[pair for pair in entry.headers if pair[0] not in names], *news]
    tags = [(TAGS[0], tag.encode("latin-1")) for tag in entry.tags] if names.isdisjoint(TAGS) else []
    made = admit(replace(exchange, status=entry.status, headers=[*headers, *tags]), policy)
    return None if isinstance(made, str) else msgspec.structs.replace(made, body=entry.body)


def without_body(headers: Pairs) -> Pairs:
    """Return the headers of a 304: nothing of the body that it does not have (RFC 9110, section 15.4.5)."""
    return tuple([pair for pair in headers if pair[0] not in BODYLESS])


def _opaque(etag: bytes) -> bytes:
    return etag.removeprefix(b"W/")
