"""Which stored responses a change on the server makes wrong (RFC 9111, section 4.4)."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

SAFE = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))


def invalidated(method: str, status: int, url: str, locations: tuple[bytes, ...]) -> list[str]:
    """Return the URLs of the same origin that a successful response to an unsafe or unknown method makes wrong.

    >>> invalidated("POST", 201, "http://a.example/items", (b"/items/7", b"http://b.example/"))
    ['http://a.example/items', 'http://a.example/items/7']

    Args:
        method: Of the request.
        status: Of the response; an error changes nothing.
        url: What was asked for.
        locations: What Location and Content-Location say, b"" for nothing.
    """
    if method in SAFE or not 200 <= status < 400:
        return []
    found = [url]
    for location in locations:
        try:
            other = urljoin(url, location.decode("latin-1")) if location else url
            alike = urlsplit(other)[:2] == urlsplit(url)[:2]
        except ValueError:  # no URL at all
            continue
        if alike:
            found.append(other.partition("#")[0])
    return [*dict.fromkeys(found)]
