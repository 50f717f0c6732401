"""The tokens that open the dashboard: whose each is, and what it may do."""

from __future__ import annotations

import hashlib
import hmac

import msgspec

from ..settings import Settings
from .rights import RIGHTS, granted

SESSION = b"nexus dashboard session 1"


class Token(msgspec.Struct, frozen=True):
    """One token, of which the secret itself is not kept."""

    name: str  # whose it is; "" for the one of `admin_token`
    rights: frozenset[str]
    digest: bytes
    key: bytes  # signs the sessions that it has begun

    @classmethod
    def of(cls, secret: str, name: str = "", rights: frozenset[str] = RIGHTS) -> Token:
        """Return the token whose owner sends `secret`."""
        raw = secret.encode()
        return cls(name, rights, hashlib.sha256(raw).digest(), hmac.digest(raw, SESSION, "sha256"))


def tokens_of(settings: Settings) -> tuple[Token, ...]:
    """Return the tokens that the settings name.

    >>> [(token.name, len(token.rights)) for token in tokens_of(Settings(admin_tokens=("ada:read_only=a secret",)))]
    [('ada', 1)]
    """
    unnamed = (Token.of(settings.admin_token),) if settings.admin_token else ()
    return (*unnamed, *[_named(text) for text in settings.admin_tokens])


def owner(tokens: tuple[Token, ...], given: bytes) -> Token | None:
    """Return the token that was given, if it is one of these; all are compared, so that the time tells nothing."""
    digest = hashlib.sha256(given).digest()
    found = [token for token in tokens if hmac.compare_digest(token.digest, digest)]
    return found[0] if found else None


def _named(text: str) -> Token:
    whose, _, secret = text.partition("=")
    name, _, allowed = whose.partition(":")
    return Token.of(secret, name, granted(allowed or "all"))
