"""What the API says: JSON with a weak ETag, or a problem (RFC 9457) with a code that programs can tell apart."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec

from ..http import Pair, Send

NO_STORE: Pair = (b"cache-control", b"no-store")
JSON: Pair = (b"content-type", b"application/json")
API = ((b"x-api-version", b"1"), NO_STORE)
MAX_AGE_DOWN = "5"  # seconds after which a client may try again when the store is down


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response."""

    status: int
    body: bytes = b""
    headers: tuple[Pair, ...] = ()

    def packed(self, accepted: str) -> Answer:
        """Return it in gzip if that is accepted, and if it is JSON; a weak ETag stands for both forms."""
        if self.headers[:1] != (JSON,):
            return self
        vary = (b"vary", b"accept-encoding")
        if "gzip" not in accepted:
            return Answer(self.status, self.body, (*self.headers, vary))
        encoding = (b"content-encoding", b"gzip")
        return Answer(self.status, gzip.compress(self.body, 5, mtime=0), (*self.headers, vary, encoding))

    async def send(self, send: Send, *, without_body: bool = False) -> None:
        """Send it; `without_body` to a HEAD, whose head is the same."""
        bare = self.status in (204, 304)
        length: list[Pair] = [] if bare else [(b"content-length", b"%d" % len(self.body))]
        await send({"type": "http.response.start", "status": self.status, "headers": [*self.headers, *length]})
        await send({"type": "http.response.body", "body": b"" if bare or without_body else self.body})


@dataclass(eq=False)
class Problem(Exception):
    """An answer that says why not; raised from any depth of a handler."""

    status: int
    code: str  # for programs, and stable
    detail: str  # for people: one sentence
    headers: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, Any] = field(default_factory=dict)

    def answer(self, path: str, request_id: str) -> Answer:
        """Return it as problem+json."""
        value = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": path,
            "code": self.code,
            "requestId": request_id,
            **self.members,
        }
        extra = [(name.lower().encode(), text.encode("latin-1")) for name, text in self.headers.items()]
        kind = (b"content-type", b"application/problem+json")
        return Answer(self.status, msgspec.json.encode(value), (kind, *API, *extra))


def down(what: str) -> Problem:
    """Return the answer while the store is silent: no invented zeros."""
    text = f"Redis does not answer, so nothing is known of the {what} now"
    return Problem(503, "store_unavailable", text, {"Retry-After": MAX_AGE_DOWN})


def nothing_here() -> Problem:
    """Return the 404 that does not say whether there is something."""
    return Problem(404, "not_found", "there is nothing here")


def found(value: Mapping[str, Any], meta: Mapping[str, Any], if_none_match: str = "") -> Answer:
    """Return `value` with `meta` as JSON; 304 if the client has just this, apart from what `meta` says of the time."""
    tag = f'W/"{hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:20]}"'
    headers = (*API, (b"etag", tag.encode()))
    if tag in [part.strip() for part in if_none_match.split(",")]:
        return Answer(304, headers=headers)
    body = msgspec.json.encode({**value, "meta": meta})
    return Answer(200, body, (JSON, *headers))


def done(value: Mapping[str, Any], extra: tuple[Pair, ...] = ()) -> Answer:
    """Return what an action did."""
    return Answer(200, msgspec.json.encode(value), (JSON, *API, *extra))
