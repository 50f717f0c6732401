"""Refuse callers by their address."""

from __future__ import annotations

from collections.abc import Container, Iterable

from ..http import App, Reply, Request, problem
from ..rules.networks import Networks
from .layer import Layer, Mode


class IPFilter(Layer[None]):
    """Answer 403 to addresses in the denied networks, and to all but the allowed ones, if there are any.

    Args:
        app: What is protected.
        allow: Networks or addresses that alone may call; () for all. Who is in both lists may not call.
        deny: Networks or addresses that may not call.
        blocked: What else says who may not call, such as a list that changes while the app runs; it must not wait.
        mode: "shadow" decides and records, but refuses nobody.

    Raises:
        SettingsError: a network cannot be read.
    """

    def __init__(
        self,
        app: App,
        *,
        allow: Iterable[str] = (),
        deny: Iterable[str] = (),
        blocked: Container[str] = (),
        mode: Mode = "enforce",
    ) -> None:
        super().__init__(app, mode=mode)
        self._allow, self._deny, self._blocked = Networks(allow), Networks(deny), blocked
        self._only = len(self._allow) > 0

    def before(self, request: Request, answer: None) -> Reply | None:
        client = request.client
        if client in self._deny or client in self._blocked or (self._only and client not in self._allow):
            return problem(request, 403, "Your address may not call.")
        return None

    def why(self, request: Request) -> str:
        client = request.client
        if client in self._deny:
            return "in a denied network"
        if client in self._blocked:
            return "blocked"
        return "in no allowed network" if self._only and client not in self._allow else ""
