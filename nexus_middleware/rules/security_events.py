"""What is worth noting of a refused request: its kind, how serious it is, and what may be kept of it."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Severity: TypeAlias = Literal["low", "medium", "high", "critical"]
SEVERITY: dict[str, Severity] = {
    "rate_limited": "low",
    "blocked": "medium",
    "banned": "high",
    "sqli": "high",
    "xss": "high",
    "injection": "high",
    "bad_key": "medium",
    "too_large": "low",
    "bad_request": "low",
    "cors": "low",
    "csp": "low",
    "sign_in_failed": "high",
    "admin_action": "medium",
    "refused": "low",  # by a layer of the user's own
    # of the list of blocked addresses:
    "block": "medium",
    "unblock": "medium",
    "ban": "high",
}
COUNTED = tuple(SEVERITY)[:14]
BY_LAYER = {
    ("RateLimit", 429): "rate_limited",
    ("IPFilter", 403): "blocked",
    ("BodyLimit", 413): "too_large",
    ("BodyLimit", 400): "bad_request",
    ("APIKey", 401): "bad_key",
    ("CORS", 403): "cors",
    ("AllowedHosts", 400): "bad_request",
    ("AllowedHosts", 421): "bad_request",
    ("InputGuard", 400): "injection",
}
BY_STATUS = {413: "too_large", 429: "rate_limited"}  # of what the app, or the end of a streamed body, has refused
LONGEST = 200  # characters of any part


class Event(msgspec.Struct):
    """One thing that happened, or several that are alike within a second; `at` in seconds since the epoch."""

    kind: str
    at: float
    severity: Severity = "low"
    client: str = ""
    method: str = ""
    path: str = ""  # without the query
    action: str = "refused"  # would refuse (shadow mode), noted
    status: int = 0
    layer: str = ""
    detail: str = ""
    request_id: str = ""  # of the first
    times: int = 1

    @property
    def alike(self) -> tuple[str, ...]:
        """What is the same of those that are kept as one."""
        return (self.kind, self.client, self.method, self.path, self.action, self.layer, self.detail)


def kind_of(layer: str, status: int, why: str) -> str:
    """Return the kind of a refusal, by the layer that refused and what it says of it.

    >>> kind_of("InputGuard", 400, "query q: sqli union-select"), kind_of("Mine", 403, "")
    ('sqli', 'refused')
    >>> kind_of("IPFilter", 403, "banned"), kind_of("IPFilter", 403, "in a denied network")
    ('banned', 'blocked')
    """
    kind = BY_LAYER.get((layer, status), "refused")
    text = why.lower()
    if kind == "injection":
        return "xss" if "xss" in text else "sqli" if "sql" in text else kind
    return "banned" if kind == "blocked" and text == "banned" else kind


def plain(text: str, longest: int = LONGEST) -> str:
    r"""Return `text` in one line of printable characters, not longer than `longest`.

    >>> plain("/a\r\n\x1b[2J")
    '/a\\r\\n\\x1b[2J'
    """
    if text.isprintable() and len(text) <= longest:
        return text
    return "".join([c if c.isprintable() else repr(c)[1:-1] for c in text[:longest]])[:longest]
