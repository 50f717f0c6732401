"""Who may use the dashboard and its API: whoever has a token, a session, or the leave of the host's own hook."""

from __future__ import annotations

import inspect
import logging
import time
from typing import TYPE_CHECKING

from ..rules.security_events import plain
from .answers import Problem, nothing_here
from .attempts import Attempts
from .rights import Hook, granted
from .sessions import Sessions
from .tokens import Token, owner, tokens_of

if TYPE_CHECKING:
    from ..runtime import Runtime
    from .exchange import Exchange

LOG = logging.getLogger("nexus_middleware")
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="nexus"'}
REMIND_AFTER = 60.0  # seconds between two log lines that say how to open the dashboard


class Access:
    """Decides what the sender of a request may do.

    Args:
        runtime: Its settings have the tokens.
        hook: Decides instead of the tokens.
    """

    def __init__(self, runtime: Runtime, hook: Hook | None) -> None:
        self._tokens, self._hook = tokens_of(runtime.settings), hook
        self.sessions = Sessions(self._tokens)
        self._attempts = Attempts(runtime.store, ipv6_prefix=runtime.settings.ipv6_prefix)
        self._reminded = float("-inf")

    @property
    def by_token(self) -> bool:
        """Whether it is a token, and so the sign-in page, that opens."""
        return self._hook is None and bool(self._tokens)

    def check_open(self) -> None:
        """Raise a 404 if nobody was given access at all."""
        if self._hook is not None or self._tokens:
            return
        if time.monotonic() - self._reminded > REMIND_AFTER:
            self._reminded = time.monotonic()
            LOG.warning("the dashboard is closed: set NEXUS_ADMIN_TOKEN, or give Nexus(app, access=…), to open it")
        raise nothing_here()

    async def admit(self, exchange: Exchange) -> None:
        """Note on `exchange` what its sender may do.

        Raises:
            Problem: nothing, and why.
        """
        self.check_open()
        if self._hook is not None:
            await self._ask_hook(self._hook, exchange)
        elif given := offered(exchange):
            _let_in(exchange, "token", await self.check_token(exchange, *given))
            exchange.explicit = True
        elif token := self.sessions.owner(exchange.cookies, secure=exchange.secure):
            _let_in(exchange, "session", token)
        else:
            raise unknown()
        exchange.runtime.security.spare(exchange.client)  # an administrator's own address is never banned

    async def check_token(self, exchange: Exchange, *given: bytes) -> Token:
        """Return the token that one of those `given` is; raise a 401 or 429 if none is right."""
        self._attempts.check(exchange.client)
        right = [token for text in given if (token := owner(self._tokens, text)) is not None]
        if right:
            return right[0]
        exchange.note("sign_in_failed", "a wrong token", action="refused")
        await self._attempts.failed(exchange.client)
        raise unknown()

    async def _ask_hook(self, hook: Hook, exchange: Exchange) -> None:
        allowed = hook(exchange.scope)
        exchange.rights = granted(await allowed if inspect.isawaitable(allowed) else allowed)
        if not exchange.rights:
            raise nothing_here()
        exchange.who, exchange.explicit = "hook", bool(offered(exchange)) and not exchange.cookies
        user = getattr(exchange.scope.get("user"), "display_name", "")  # as Starlette's own users are called
        exchange.name = plain(user)[:64] if isinstance(user, str) else ""


def _let_in(exchange: Exchange, who: str, token: Token) -> None:
    exchange.who, exchange.token, exchange.name, exchange.rights = who, token, token.name, token.rights


def offered(exchange: Exchange) -> list[bytes]:
    """Return the tokens that the headers offer."""
    scheme, _, bearer = exchange.headers.get("authorization", "").partition(" ")
    given = [bearer.strip()] if scheme.lower() == "bearer" else []
    return [text.encode("latin-1") for text in (*given, exchange.headers.get("x-api-key", "")) if text]


def unknown() -> Problem:
    """Return the 401, the same for every reason."""
    return Problem(401, "unauthenticated", "sign in, or send the token as Authorization: Bearer", CHALLENGE)
