"""A session that the browser keeps and only we can sign; nothing of it is stored, and a new token ends them all."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable

from ..http import Pair

LASTS = 12 * 3600  # seconds


class Sessions:
    """Makes and checks session cookies.

    Args:
        token: The administrator's token, from which the signing key is derived.
        clock: Seconds since the epoch.
    """

    def __init__(self, token: str, *, clock: Callable[[], float] = time.time) -> None:
        self._key = hmac.digest(token.encode(), b"nexus dashboard session 1", "sha256")
        self._clock = clock

    def cookie(self, *, secure: bool) -> Pair:
        """Return the header line that begins a session."""
        body = f"{int(self._clock()) + LASTS}.{secrets.token_urlsafe(12)}"
        return _line(f"{body}.{self._sign(body)}", LASTS, secure=secure)

    def no_cookie(self, *, secure: bool) -> Pair:
        """Return the header line that ends a session."""
        return _line("", 0, secure=secure)

    def holds(self, cookies: str, *, secure: bool) -> bool:
        """Return whether one of the request's cookies is a session of ours that has not ended."""
        name = _name(secure=secure)
        pairs = [part.strip().partition("=") for part in cookies.split(";")]
        return any(key == name and self._valid(value) for key, _, value in pairs)

    def _valid(self, value: str) -> bool:
        body, _, mark = value.rpartition(".")
        if not hmac.compare_digest(mark.encode(), self._sign(body).encode()):
            return False
        return int(body.partition(".")[0]) > self._clock()  # signed, so it is a number

    def _sign(self, body: str) -> str:
        return hmac.digest(self._key, body.encode(), "sha256").hex()


def _name(*, secure: bool) -> str:
    return "__Host-nexus" if secure else "nexus"  # browsers take the prefix only over https


def _line(value: str, lasts: int, *, secure: bool) -> Pair:
    mark = "; Secure" if secure else ""
    text = f"{_name(secure=secure)}={value}; Path=/; Max-Age={lasts}; HttpOnly; SameSite=Strict{mark}"
    return (b"set-cookie", text.encode())
