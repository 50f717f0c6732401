"""Whether a request that changes something comes from our own page, or from a program that brought its own credential."""

from __future__ import annotations

from collections.abc import Mapping

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def own_page(headers: Mapping[str, str], scheme: str) -> bool:
    """Return whether a browser vouches that the page which sent this is of this very origin.

    Browsers say so by Sec-Fetch-Site, on plain http by Origin alone; "null" may be anyone's.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin", "").lower()
    return bool(headers.get("host")) and origin == f"{scheme}://{headers['host'].lower()}"


def may_change(headers: Mapping[str, str], scheme: str, *, explicit: bool) -> bool:
    """Return whether a request with an unsafe method is one that its sender meant.

    Args:
        headers: Names in lower case.
        scheme: http or https, as the client used it.
        explicit: The credential is one that no browser adds by itself: a token in a header.
    """
    if explicit:
        return True
    if not own_page(headers, scheme):
        return False
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or "x-requested-with" in headers
