"""Refuse callers by their address."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import NamedTuple

from ..errors import SettingsError
from ..http import App, Reply, Request, problem
from ..rules.bans import Ban
from ..rules.decisions import Ruling
from ..rules.networks import Networks
from ..stores import open_store
from ..stores.base import Store
from ..stores.blocks import Blocks
from ..stores.lists import Listed, addresses
from .layer import Layer, Mode


class Filter(NamedTuple):
    """Who may call, besides; `allow` None for all."""

    allow: Networks | None
    deny: Networks
    binds: bool  # False: only recorded

    def refuses(self, client: str) -> bool:
        """Whether that address may not call."""
        return client in self.deny or (self.allow is not None and client not in self.allow)


class Filters:
    """The place of filters that are replaced while the app runs."""

    value: tuple[Filter, ...] = ()


NONE = Filters()
LIVE_FILTER = "by the filter of the rules file"


class IPFilter(Layer[None]):
    """Answer 403 to addresses in the denied networks, and to all but the allowed ones, if there are any.

    `allow` and `deny` are lists of networks and addresses, the path of a file that has one a line, or a function that
    returns them. Files are read again when they change, functions asked again every 10 s.

    Args:
        app: What is protected.
        allow: Who alone may call; () for all. Who is in both lists may not call.
        deny: Who may not call.
        ban: Shut out for a time who is refused too often; never who is allowed, nor this machine itself.
        store: Where bans are, for all processes.
        blocked: What else says who may not call, such as `Security`; it must not wait.
        strike: Told the address and status of each response, such as `Security.strike`; instead of `ban`.
        also: Filters that are asked too, and may be others for each request.
        mode: "shadow" decides and records, but refuses nobody.

    Raises:
        SettingsError: a network or a file cannot be read.
    """

    def __init__(  # noqa: PLR0913  # each is one choice, by its keyword
        self,
        app: App,
        *,
        allow: Listed = (),
        deny: Listed = (),
        ban: Ban | None = None,
        store: Store | str = "memory://",
        blocked: Container[str] = (),
        strike: Callable[[str, int], None] | None = None,
        also: Filters | None = None,
        mode: Mode = "enforce",
    ) -> None:
        super().__init__(app, mode=mode)
        self._also = also or NONE
        self._allow, self._deny, self._blocked = addresses(allow, "allow"), addresses(deny, "deny"), blocked
        self._only = allow != ()
        if ban is not None:
            if blocked != () or strike is not None:
                raise SettingsError("ban= keeps a list of its own: give it, or blocked= and strike=, not both")
            bans = Blocks(open_store(store) if isinstance(store, str) else store, ban=ban)
            self._blocked, strike = bans, bans.strike
        self._strike = strike
        if strike is None:
            self.steps -= {"done"}  # a step less for every request

    def before(self, request: Request, answer: None) -> Reply | None:
        client = request.client
        if client in self._deny or client in self._blocked or (self._only and client not in self._allow):
            return problem(request, 403, "Your address may not call.")
        for one in self._also.value:
            if one.refuses(client):
                request.notes[self] = one
                return problem(request, 403, "Your address may not call.")
        return None

    def enforces(self, request: Request) -> bool:
        one: Filter | None = request.notes.get(self)
        return self.mode == "enforce" and (one is None or one.binds)

    def done(self, request: Request, status: int) -> None:
        client = request.client
        named = self._only and client in self._allow  # whom the list names is never banned
        if status >= 400 and self._strike is not None and not named and client not in self._blocked:
            self._strike(client, status)

    @property
    def only(self) -> bool:
        """Whether nobody may call but those whom a list names."""
        return self._only

    def rulings(self, request: Request) -> list[Ruling]:
        why = self.why(request)
        return [Ruling(why, False, self.enforces(request))] if why else []

    def why(self, request: Request) -> str:
        client = request.client
        if client in self._deny:
            return "in a denied network"
        if client in self._blocked:
            return self._blocked.why(client) if isinstance(self._blocked, Blocks) else "blocked"
        if self in request.notes:
            return LIVE_FILTER
        return "in no allowed network" if self._only and client not in self._allow else ""
