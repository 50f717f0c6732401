"""A session that the browser keeps and only we can sign; nothing of it is stored, and a new token ends its sessions."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable

from ..http import Pair
from .tokens import Token

LASTS = 12 * 3600  # seconds


class Sessions:
    """Makes and checks session cookies.

    Args:
        tokens: The administrators' tokens, each of which signs the sessions that it began.
        clock: Seconds since the epoch.
    """

    def __init__(self, tokens: tuple[Token, ...], *, clock: Callable[[], float] = time.time) -> None:
        self._tokens = {token.name: token for token in tokens}
        self._clock = clock

    def cookie(self, token: Token, *, secure: bool) -> Pair:
        """Return the header line that begins a session of whoever has `token`."""
        body = f"{int(self._clock()) + LASTS}.{secrets.token_urlsafe(12)}.{token.name}"
        return _line(f"{body}.{_sign(token, body)}", LASTS, secure=secure)

    def no_cookie(self, *, secure: bool) -> Pair:
        """Return the header line that ends a session."""
        return _line("", 0, secure=secure)

    def owner(self, cookies: str, *, secure: bool) -> Token | None:
        """Return whose session one of the request's cookies is; None if none is one of ours that has not ended."""
        name = _name(secure=secure)
        pairs = [part.strip().partition("=") for part in cookies.split(";")]
        return next((token for key, _, value in pairs if key == name and (token := self._begun_by(value))), None)

    def _begun_by(self, value: str) -> Token | None:
        body, _, mark = value.rpartition(".")
        ends, _, rest = body.partition(".")
        token = self._tokens.get(rest.partition(".")[2])
        if token is None or not hmac.compare_digest(mark.encode(), _sign(token, body).encode()):
            return None
        return token if int(ends) > self._clock() else None  # signed, so it is a number


def _sign(token: Token, body: str) -> str:
    return hmac.digest(token.key, body.encode(), "sha256").hex()


def _name(*, secure: bool) -> str:
    return "__Host-nexus" if secure else "nexus"  # browsers take the prefix only over https


def _line(value: str, lasts: int, *, secure: bool) -> Pair:
    mark = "; Secure" if secure else ""
    text = f"{_name(secure=secure)}={value}; Path=/; Max-Age={lasts}; HttpOnly; SameSite=Strict{mark}"
    return (b"set-cookie", text.encode())
