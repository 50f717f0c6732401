"""What a browser tells of a broken Content-Security-Policy, in both of its forms, cut down to what may be kept."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec

KINDS = (b"application/csp-report", b"application/reports+json", b"application/json")
MOST = 20  # reports in one body
LONGEST = 120  # characters of any part
EXTENSIONS = ("chrome-extension", "moz-extension", "safari-extension", "safari-web-extension", "ms-browser-extension")


class Violation(msgspec.Struct, frozen=True):
    """One kind of violation: reports of the same page, directive and origin are the same."""

    directive: str  # "script-src-elem"
    blocked: str  # an origin, or inline, eval, data:, extension: …
    page: str  # path of the page, without query
    disposition: str  # enforce, or report: nothing was blocked


def violations(body: bytes) -> list[Violation] | None:
    """Read the body of a report, of `report-uri` (CSP 3, section 5.3) or of the Reporting API; None if it is neither.

    Kept are no query, no fragment, no user's name, nothing but the origin of what was blocked, and no part of a script.

    >>> violations(b'{"csp-report": {"violated-directive": "img-src", "blocked-uri": "https://x.example/a?b",'
    ...            b' "document-uri": "https://shop.example/cart?id=7"}}')
    [Violation(directive='img-src', blocked='https://x.example', page='/cart', disposition='enforce')]
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if isinstance(value, dict) and isinstance(value.get("csp-report"), dict):
        return [_violation(value["csp-report"])]
    if not isinstance(value, list):
        return None
    told = [report for report in value[:MOST] if isinstance(report, dict) and report.get("type") == "csp-violation"]
    return [_violation(report["body"]) for report in told if isinstance(report.get("body"), dict)]


def _violation(report: dict[str, Any]) -> Violation:
    def said(*names: str) -> str:
        return next((text for name in names if isinstance(text := report.get(name), str) and text), "")

    directive = said("effectiveDirective", "effective-directive", "violated-directive").split(" ")[0]
    return Violation(
        _plain(directive) or "unknown",
        _origin(said("blockedURL", "blocked-uri")),
        _path(said("documentURL", "document-uri")),
        "report" if said("disposition") == "report" else "enforce",
    )


def _origin(text: str) -> str:
    scheme, colon, _ = text.partition(":")
    if not colon:
        return _plain(text) or "inline"  # a word: inline, eval, wasm-eval, self …
    scheme = scheme.lower()
    if scheme in EXTENSIONS:
        return "extension:"
    if scheme not in ("http", "https", "ws", "wss"):
        return _plain(f"{scheme}:")
    try:
        parts = urlsplit(text)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return f"{scheme}:"
    return _plain(f"{scheme}://{parts.hostname or ''}{port}")


def _path(text: str) -> str:
    try:
        return _plain(urlsplit(text).path)
    except ValueError:
        return ""


def _plain(text: str) -> str:
    """Return printable ASCII of a bounded length."""
    return "".join([c if c.isascii() and c.isprintable() else "?" for c in text[:LONGEST]])
