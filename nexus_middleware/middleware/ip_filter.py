"""Refuse callers by their address."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address, ip_network

from ..errors import SettingsError
from ..http import App, Reply, Request, problem
from .layer import Layer, Mode


class IPFilter(Layer[None]):
    """Answer 403 to addresses in the denied networks, and to all others than the allowed ones, if there are any."""

    def __init__(self, app: App, *, allow: Iterable[str] = (), deny: Iterable[str] = (), mode: Mode = "enforce") -> None:
        super().__init__(app, mode=mode)
        self._allow, self._deny = ([_network(text) for text in networks] for networks in (allow, deny))
        self._refused = lru_cache(4096)(self._look)

    def _look(self, client: str) -> bool:
        try:
            address = ip_address(client)
        except ValueError:
            return bool(self._allow)
        if any(address in network for network in self._deny):
            return True
        return bool(self._allow) and not any(address in network for network in self._allow)

    def before(self, request: Request, answer: None) -> Reply | None:
        return problem(request, 403, "Your address may not call.") if self._refused(request.client) else None


def _network(text: str):  # noqa: ANN202
    try:
        return ip_network(text, strict=False)
    except ValueError as error:
        raise SettingsError(f"{text!r} is no address or network, such as 192.0.2.0/24 or 2001:db8::/32") from error
