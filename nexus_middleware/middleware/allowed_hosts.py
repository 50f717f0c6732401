"""Refuse requests for hosts that are none of ours."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from ..errors import SettingsError
from ..http import App, Reply, Request, problem
from .layer import Layer, Mode

PATTERN = re.compile(r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]|\*").fullmatch
HOST = re.compile(rb"([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)\.?(?::\d{1,5})?|(\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?").fullmatch


class AllowedHosts(Layer[None]):
    """Answer 400 to a request whose Host is not among `hosts` (RFC 9110, section 7.2).

    An app that builds links from the Host would put into mails and caches whatever a caller claims; and a page of another
    site whose name leads to this machine would be of the same origin as the app. Put it inside `TrustedProxies`.

    >>> app = AllowedHosts(None, ["example.org", "*.example.org"])

    Args:
        app: What is protected.
        hosts: Names without a port; "*.example.org" is every name below example.org, and not itself; "*" is every one.
        mode: "shadow" records who would have been refused.

    Raises:
        SettingsError: there is none, or one is no name.
    """

    def __init__(self, app: App, hosts: Iterable[str], *, mode: Mode = "enforce") -> None:
        super().__init__(app, mode=mode)
        named = [name.lower() for name in ([hosts] if isinstance(hosts, str) else hosts)]
        if not named:
            raise SettingsError("hosts: there is none, so nobody could call; leave the layer out to allow every one")
        for name in named:
            if not PATTERN(name):
                raise SettingsError(
                    f"hosts: {name!r} is no host: write 'example.org' or '*.example.org', without a port"
                )
        self._all = "*" in named
        self._names = frozenset(name for name in named if not name.startswith("*"))
        self._below = tuple([name[1:] for name in named if name.startswith("*.")])
        self._fits = lru_cache(1024)(self._look)

    def before(self, request: Request, answer: None) -> Reply | None:
        host = request.header(b"host")
        if host is not None and self._fits(host) and [name for name, _ in request.headers].count(b"host") == 1:
            return None
        return problem(request, 400, "This host is not served here.")

    def _look(self, host: bytes) -> bool:
        match = HOST(host)
        if match is None:
            return False
        name = (match[1] or match[2]).decode("ascii").lower()
        return self._all or name in self._names or name.endswith(self._below)

    def why(self, request: Request) -> str:
        return f"Host {(request.header(b'host') or b'not given')[:100].decode('latin-1')!r}"
