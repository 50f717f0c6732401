"""What a stored response answers a request with: all of it, a part, its head, or that the client has it already."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from ...http import Reply, Request
from ...rules.caching.conditions import same, unchanged, without_body
from ...rules.caching.entry import Entry
from ...rules.caching.ranges import part
from ...stores.pages import Page

WISHES = frozenset((b"if-none-match", b"if-modified-since", b"range"))  # headers by which not all of it is answered


class Wants(NamedTuple):
    """What a client asked for of a page, and what it has of it."""

    head: bool
    none_match: bytes | None
    modified_since: bytes | None
    range: bytes | None
    if_range: bytes | None

    @property
    def plain(self) -> bool:
        """Whether it wants all of it, whatever it has."""
        return self.none_match is None and self.modified_since is None and self.range is None


def wants(request: Request) -> Wants:
    """Return what a request wants."""
    header = request.header
    return Wants(
        request.method == "HEAD",
        header(b"if-none-match"),
        header(b"if-modified-since"),
        header(b"range"),
        header(b"if-range"),
    )


def reply(entry: Entry, wanted: Wants, now: float, status: bytes, *, again: bool = False) -> Reply:
    """Return the answer; `status` is what Cache-Status says of it (RFC 9211)."""
    told = ((b"age", b"%d" % entry.age(now)), (b"cache-status", status))
    if not wanted.plain:
        if unchanged(entry, wanted.none_match, wanted.modified_since):
            return Reply(304, b"", (*without_body(entry.headers), *told), again)
        if wanted.range is not None and entry.status == 200 and not wanted.head and same(entry, wanted.if_range):
            return _part(entry, wanted.range, told, again=again)
    headers = (*entry.headers, *told)
    if wanted.head:
        return Reply(entry.status, b"", headers, again, len(entry.body))
    return Reply(entry.status, entry.body, headers, again)


def hit(request: Request, page: Page, entry: Entry, now: float) -> Reply:
    """Return the answer of a fresh entry: nearly always the one that was made of it within the same second."""
    plain = request.method == "GET" and request.lacks(WISHES)
    if plain and page.of is entry and now < page.until:
        return page.made  # type: ignore[no-any-return]
    answer = reply(entry, wants(request), now, b"nexus; hit; ttl=%d" % (entry.fresh - now))
    if plain:
        page.made = answer = _sized(answer)
        page.until = min(entry.fresh, entry.born + entry.age(now) + 1)
        page.of, page.route, page.only = entry, entry.route, not entry.vary and page.entries[:1] == [entry]
    return answer


def _sized(answer: Reply) -> Reply:
    """Return the same reply, with its content-length among its headers."""
    return msgspec.structs.replace(answer, headers=tuple(answer.head().headers), sized=True)


def _part(entry: Entry, asked: bytes, told: tuple[tuple[bytes, bytes], ...], *, again: bool) -> Reply:
    size = len(entry.body)
    try:
        bounds = part(asked, size)
    except ValueError:
        return Reply(416, b"", ((b"content-range", b"bytes */%d" % size), *told), again)
    if bounds is None:
        return Reply(entry.status, entry.body, (*entry.headers, *told), again)
    begin, end = bounds
    kept = [pair for pair in entry.headers if pair[0] != b"content-range"]
    line = (b"content-range", b"bytes %d-%d/%d" % (begin, end - 1, size))
    return Reply(206, entry.body[begin:end], (*kept, line, *told), again)
