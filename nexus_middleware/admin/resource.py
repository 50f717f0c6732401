"""One address of the API: which methods it takes, what right each needs, and the order in which that is checked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import StoreError
from ..http import Receive, Scope, Send
from .answers import API, Answer, Problem, down
from .download import downloaded
from .origins import SAFE, may_change

if TYPE_CHECKING:
    from .exchange import Exchange

ASKED_AGAIN = 0.6  # seconds after which a store that failed is asked again
LARGE = 2_048  # bytes from which on a body is packed
EXCHANGE = "nexus.exchange"  # where in the scope the request waits for its resource


@dataclass(frozen=True, slots=True)
class Action:
    """What a method does, and the right it needs."""

    right: str
    run: Callable[[Exchange], Awaitable[Answer]]


class Resource:
    """An ASGI app behind Starlette's router.

    Args:
        of: What it is about, for the sentence that says the store is down.
        actions: By method.
        public: Anyone may ask, and rights are not looked at.
    """

    def __init__(self, of: str, actions: Mapping[str, Action], *, public: bool = False) -> None:
        self._of, self.actions, self._public = of, dict(actions), public
        also = ["HEAD"] if "GET" in actions else []
        self.allow = ", ".join(sorted([*actions, *also, "OPTIONS"]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange: Exchange = scope[EXCHANGE]
        exchange.path_params = scope["path_params"]
        answer = await self._answer(exchange)
        if len(answer.body) >= LARGE:
            answer = answer.packed(exchange.headers.get("accept-encoding", ""))
        await answer.send(send, without_body=exchange.method == "HEAD")

    async def _answer(self, exchange: Exchange) -> Answer:
        if self._public:
            exchange.access.check_open()
        else:
            await exchange.access.admit(exchange)
        if exchange.method == "OPTIONS":
            return Answer(204, headers=(*API, (b"allow", self.allow.encode())))
        action = self.actions.get("GET" if exchange.method == "HEAD" else exchange.method)
        if action is None:
            raise Problem(405, "method_not_allowed", "this address does not take that method", {"Allow": self.allow})
        self._check(exchange, action)
        try:
            if exchange.method in ("GET", "HEAD") and exchange.downloads:
                return await downloaded(exchange, action.run)
            return await _run(action, exchange)
        except StoreError as error:
            raise down(self._of) from error

    def _check(self, exchange: Exchange, action: Action) -> None:
        if exchange.method not in SAFE and not may_change(
            exchange.headers, exchange.scheme, explicit=exchange.explicit
        ):
            raise Problem(403, "cross_site", "only a page of this origin, or a token in a header, may change something")
        if not self._public and action.right not in exchange.rights:
            raise Problem(403, "forbidden", f"this needs the right {action.right}")


async def _run(action: Action, exchange: Exchange) -> Answer:
    """Run it; a change, which somebody waits for, once more if the store was only late."""
    try:
        return await action.run(exchange)
    except StoreError:
        if exchange.method in SAFE:
            raise
    await asyncio.sleep(ASKED_AGAIN)
    return await action.run(exchange)
