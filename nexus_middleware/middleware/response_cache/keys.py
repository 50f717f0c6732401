"""What a stored response is known by: its URL, and whose it is where a rule says so."""

from __future__ import annotations

from urllib.parse import quote, unquote

from ...http import Request
from ...rules.caching.policy import CachePolicy

SAFE = "/!$&'()*+,;=:@-._~"


class Keys:
    """Makes keys: the URL, a line break, and what else makes another answer. A URL holds no line break.

    The host is the one of the Host header, as `TrustedProxies` leaves it, and never X-Forwarded-Host.
    """

    def __init__(self, policy: CachePolicy) -> None:
        self._sorts = policy.sort_query
        self._names = frozenset(name for name in policy.ignore_query if not name.endswith("*"))
        self._prefixes = tuple([name[:-1] for name in policy.ignore_query if name.endswith("*")])
        self._plain = not (self._sorts or self._names or self._prefixes)

    def of(self, request: Request, whose: str = "") -> str:
        """Return the key of a request."""
        host = request.header(b"host") or b""
        path, raw, more = request.path, request.raw_path, f"\n{whose}" if whose else ""
        if raw != path:
            path, more = _encoded(path, raw, more)
        url = f"{request.scheme}://{host.decode('latin-1').lower()}{path}"
        query = request.query
        if not query:
            return url + more if more else url
        text = query.decode("latin-1")
        if not self._plain:
            text = self._shortened(text)
        return f"{url}?{text}{more}" if text else url + more

    def _shortened(self, query: str) -> str:
        parts = [part for part in query.split("&") if not self._ignored(part.partition("=")[0])]
        return "&".join(sorted(parts) if self._sorts else parts)

    def _ignored(self, name: str) -> bool:
        name = unquote(name)
        return name in self._names or (bool(self._prefixes) and name.startswith(self._prefixes))


def _encoded(path: str, raw: str, more: str) -> tuple[str, str]:
    """Return the path as it was sent; where somebody further out has changed it, what it was makes another key."""
    if not raw:
        return quote(path, safe=SAFE), more
    if "?" not in raw and unquote(raw) == path:
        return raw, more
    return quote(path, safe=SAFE), f"\n{raw}{more}"
