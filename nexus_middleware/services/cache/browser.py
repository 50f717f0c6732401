"""A look at single keys, for people: which there are, how long they live, and what they hold without its secrets."""

from __future__ import annotations

import math

import msgspec

from ...rules.globs import escape
from ...rules.redaction import clean, redact_text
from ...stores.base import Store
from ...stores.commands import Kept, Look, Peek, Scan
from .entries import MARK, unpacked
from .operations import Steps

MOST_TRIPS = 20  # of one page, however few of the keys fit
WALKED = 500  # keys in one trip
LARGEST = 16 * 1024  # bytes of a value that are shown


class KeyFacts(msgspec.Struct, frozen=True):
    """What is known of a key without its value."""

    key: str
    kind: str  # "value" or "number"; of what else lies there, the word of Redis
    size: int  # bytes it takes in the store
    ttl: float | None  # seconds to live; None: for good


class KeyPage(msgspec.Struct, frozen=True):
    """Some of the keys; a `cursor` other than 0 asks for more of them, also where a page is empty."""

    items: list[KeyFacts]
    cursor: int


class KeyValue(msgspec.Struct, frozen=True):
    """A value as it may be shown: JSON as text, secrets hidden, cut at 16 KiB."""

    key: str
    size: int
    ttl: float | None
    text: str
    truncated: bool
    tags: list[str]
    cost: float | None  # milliseconds that its fetch took; None if that is not known


def keys(store: Store, prefix: str, start: str, cursor: int, count: int) -> Steps[KeyPage]:
    """Return about `count` of the keys that begin with `start`, by SCAN from `cursor` on."""
    if not store.waits:  # what is kept in this process comes at once: it is cut here
        found = sorted((yield [Scan(prefix, escape(start) + "*")])[0][1])
        page, cursor = found[cursor : cursor + count], cursor + count
        return KeyPage((yield from _facts(prefix, page)), cursor if cursor < len(found) else 0)
    names: list[str] = []
    for _ in range(MOST_TRIPS):
        cursor, more = (yield [Scan(prefix, escape(start) + "*", cursor, max(count, WALKED) if not names else count)])[
            0
        ]
        names += more
        if cursor == 0 or len(names) >= count:
            break
    return KeyPage((yield from _facts(prefix, [*dict.fromkeys(names)])), cursor)


def _facts(prefix: str, names: list[str]) -> Steps[list[KeyFacts]]:
    if not names:
        return []
    looks: list[Kept | None] = yield [Look(name) for name in names]
    texts = [name for name, kept in zip(names, looks, strict=True) if kept is not None and kept.kind == "string"]
    firsts: dict[str, bytes | None] = (
        dict(zip(texts, (yield [Peek(name, 1) for name in texts]), strict=True)) if texts else {}
    )
    pairs = zip(names, looks, strict=True)
    return [_known(name.removeprefix(prefix), kept, firsts.get(name)) for name, kept in pairs if kept is not None]


def _known(key: str, kept: Kept, first: bytes | None) -> KeyFacts:
    number = first is not None and first[:1].isdigit()
    kind = ("number" if number else "value") if kept.kind == "string" else kept.kind
    return KeyFacts(key, kind, kept.size, None if math.isinf(kept.ttl) else round(kept.ttl, 3))


def value(prefix: str, key: str, limit: int) -> Steps[KeyValue | None]:
    """Return the value of `key`, if it has one; no more than `limit` bytes of it leave the store."""
    kept: Kept | None = (yield [Look(prefix + key)])[0]
    if kept is None:
        return None
    ttl = None if math.isinf(kept.ttl) else round(kept.ttl, 3)
    if kept.kind != "string":
        return KeyValue(key, kept.size, ttl, f"a {kept.kind}, which is no value of the cache", False, [], None)
    raw: bytes = (yield [Peek(prefix + key, limit + 1)])[0] or b""
    whole = len(raw) <= limit
    entry = unpacked(raw) if whole or b"\n" in raw or not raw.startswith(MARK) else None
    body = entry.body if entry else b""
    text = _pretty(body) if whole else redact_text(body[:limit].decode("utf-8", "replace"))
    cost = round(entry.cost * 1000, 2) if entry and entry.cost else None
    tags = [*entry.tags] if entry else []
    return KeyValue(key, kept.size, ttl, text[:LARGEST], not whole or len(text) > LARGEST, tags, cost)


def _pretty(body: bytes) -> str:
    try:
        plain = clean(msgspec.json.decode(body))
    except msgspec.DecodeError:  # put there by something else
        return redact_text(body.decode("utf-8", "replace"))
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode()
