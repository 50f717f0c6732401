"""Learn from trusted proxies who really asks, and how."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

from ..errors import SettingsError
from ..http import App, Request
from ..rules.forwarded import forwarded
from ..rules.networks import IPV6_PREFIX, Networks, checked_prefix, client_address
from .keys import IPV6
from .layer import Layer

LOG = logging.getLogger("nexus_middleware")
SECURE = {"http": "http", "https": "https", "ws": "ws", "wss": "wss"}
HOST = re.compile(rb"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?").fullmatch


class TrustedProxies(Layer[None]):
    """Take client address, scheme and host from what trusted proxies say, for every layer and for the app.

    It belongs outermost. Whoever is no trusted proxy is believed nothing: their own address is the client's, and
    their headers stay as they are. Without networks it warns once if X-Forwarded-For arrives.

    Args:
        app: What stands behind the proxies.
        networks: Of the proxies, "unix" for those behind a unix socket; ("*",) believes everyone, which is only right
            where nobody can reach this server but through a proxy that replaces the header.
        header: The one that is believed; X-Forwarded-Proto and -Host go with any but `forwarded`, which has its own.
        hops: Take the entry that many from the right, instead of walking over trusted ones.
        ipv6_prefix: Bits of the network that is one IPv6 caller to all limits inside.

    Raises:
        SettingsError: a network cannot be read, or a number does not fit.
    """

    def __init__(
        self,
        app: App,
        networks: Iterable[str] = (),
        *,
        header: str = "x-forwarded-for",
        hops: int | None = None,
        ipv6_prefix: int = IPV6_PREFIX,
    ) -> None:
        super().__init__(app)
        self._ipv6_prefix = checked_prefix(ipv6_prefix)
        if hops is not None and hops < 1:
            raise SettingsError(f"hops={hops} must be at least 1, the entry that the nearest proxy wrote")
        names = ["0.0.0.0/0", "::/0", "unix"] if "*" in (given := [*networks]) else given
        self._unix = "unix" in names
        self._networks = Networks([name for name in names if name != "unix"])
        self._names, self._header, self._hops = tuple(names), header.lower(), hops
        self._warned = False

    @property
    def networks(self) -> tuple[str, ...]:
        """Whom it believes."""
        return self._names

    @property
    def hops(self) -> int | None:
        """Which entry it takes, from the right."""
        return self._hops

    @property
    def warned(self) -> bool:
        """Whether X-Forwarded-For has arrived though no proxy is trusted."""
        return self._warned

    def before(self, request: Request, answer: None) -> None:
        if self._ipv6_prefix != IPV6_PREFIX:
            request.notes[IPV6] = self._ipv6_prefix
        peer = request.client or None
        if not (self._unix if peer is None else peer in self._networks):
            if not self._names and self._hops is None and not self._warned:
                self._warn(request)
            if self._hops is None or self._names:
                return
        client = client_address(peer, request.headers, trusted=self._names, header=self._header, hops=self._hops)
        scheme, host = self._origin(request)
        request.set_origin(client or "", scheme, host)

    def _origin(self, request: Request) -> tuple[str, bytes | None]:
        """Return scheme and host as the nearest proxy wrote them."""
        if self._header == "forwarded":
            said = (forwarded((request.header(b"forwarded") or b"").decode("latin-1")) or [{}])[-1]
            proto, host = said.get("proto", ""), said.get("host", "").encode("latin-1")
        else:
            proto = _last(request, b"x-forwarded-proto").decode("latin-1")
            host = _last(request, b"x-forwarded-host")
        scheme = SECURE.get(proto.lower(), request.scheme)
        if request.scheme in ("ws", "wss"):
            scheme = {"http": "ws", "https": "wss"}.get(scheme, scheme)
        return scheme, host if host and HOST(host) else None

    def _warn(self, request: Request) -> None:
        if request.header(b"x-forwarded-for") is not None:
            self._warned = True
            LOG.warning(
                "X-Forwarded-For arrives, but no proxy is trusted, so all calls through it count as the proxy's own: "
                "set NEXUS_TRUSTED_PROXIES to the proxy's network"
            )


def _last(request: Request, name: bytes) -> bytes:
    lines = [value for key, value in request.headers if key == name]
    return lines[-1].rpartition(b",")[2].strip() if lines else b""
