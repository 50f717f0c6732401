"""GET /me, POST /sign-in and /sign-out."""

from __future__ import annotations

import msgspec

from ..answers import Answer, done, found, nothing_here
from ..described import says
from ..exchange import Exchange
from ..shapes import Done
from ..shapes.system import Me


class SignIn(msgspec.Struct):
    """What the sign-in page sends."""

    token: str


@says(Me)
async def me(exchange: Exchange) -> Answer:
    """Say who asks, and what they may do."""
    return found(exchange.me, exchange.panels.meta(), exchange.headers.get("if-none-match", ""))


@says(Done, body=SignIn)
async def sign_in(exchange: Exchange) -> Answer:
    """Begin a session for whoever has the token."""
    if not exchange.access.by_token:
        raise nothing_here()
    token = (await exchange.json(SignIn)).token
    known = await exchange.access.check_token(exchange, token.strip().encode("utf-8", "surrogatepass"))
    exchange.who, exchange.name = "session", known.name
    exchange.audit("sign_in")
    return done({"success": True}, (exchange.access.sessions.cookie(known, secure=exchange.secure),))


@says(Done)
async def sign_out(exchange: Exchange) -> Answer:
    """End the session of this browser."""
    return done({"success": True}, (exchange.access.sessions.no_cookie(secure=exchange.secure),))
