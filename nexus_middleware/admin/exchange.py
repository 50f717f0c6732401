"""One request to the dashboard or its API, as the handlers see it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import parse_qsl

import msgspec

from ..http import Receive, Scope
from ..rules.security_events import SEVERITY, Event, plain
from .answers import Problem

if TYPE_CHECKING:
    from ..runtime import Runtime
    from .access import Access
    from .panels import Panels
    from .tokens import Token

T = TypeVar("T")
MAX_BODY = 64 * 1024  # bytes; what we are sent is small


@dataclass(frozen=True, slots=True)
class House:
    """What all requests share."""

    runtime: Runtime
    access: Access
    panels: Panels


class Exchange:
    """A request, who sent it, and the services it may ask."""

    def __init__(self, house: House, scope: Scope, receive: Receive) -> None:
        self.runtime, self.access, self.panels = house.runtime, house.access, house.panels
        self.scope, self._receive = scope, receive
        self._whole: bytes | None = None  # the body, once it was read
        self.method: str = scope["method"]
        self.path_params: Mapping[str, str] = {}  # what the route found in the path
        self.rights: frozenset[str] = frozenset()
        self.who = "nobody"  # token, session or hook
        self.name = ""  # of the token, or of the host's user, if it has one
        self.token: Token | None = None  # what let the sender in, or began the session
        self.explicit = False  # the credential is one that no browser adds by itself

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """The first line of each name."""
        pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in self.scope["headers"]]
        return dict(reversed(pairs))

    @cached_property
    def cookies(self) -> str:
        """All cookies, of however many lines."""
        lines = [value.decode("latin-1") for name, value in self.scope["headers"] if name.lower() == b"cookie"]
        return "; ".join(lines)

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The first value of each parameter."""
        text = self.scope.get("query_string", b"").decode("latin-1")
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=20, errors="strict")
        except ValueError as error:
            raise Problem(400, "bad_query", "the query is no UTF-8, or has more than 20 fields") from error
        return dict(reversed(pairs))

    @property
    def downloads(self) -> bool:
        """Whether a list is asked for as a file."""
        return b"download=" in self.scope.get("query_string", b"") and "download" in self.query

    @property
    def secure(self) -> bool:
        """Whether the line is encrypted."""
        return self.scheme == "https"

    @property
    def scheme(self) -> str:
        """The scheme that the client used, http or https."""
        return cast("str", self.scope.get("scheme", "http"))

    @property
    def path(self) -> str:
        """The whole path, mount and all."""
        return cast("str", self.scope["path"])

    @property
    def client(self) -> str:
        """The address of whoever asks, after trusted proxies; "unknown" if it is."""
        trace = self.scope.get("state", {}).get("nexus")
        peer = self.scope.get("client")
        return (trace.client if trace else peer[0] if peer else "") or "unknown"

    @property
    def me(self) -> dict[str, Any]:
        """Who sent it, and what they may do."""
        return {"who": self.who, "name": self.name, "rights": sorted(self.rights), "address": self.client}

    @property
    def request_id(self) -> str:
        """The id that `RequestID` gave; "" without that layer."""
        trace = self.scope.get("state", {}).get("nexus")
        return trace.request_id if trace else ""

    def asking(self, query: Mapping[str, str]) -> Exchange:
        """Return the same request with another query, of which nothing is known by the client."""
        other = copy(self)
        known = {name: value for name, value in self.headers.items() if name != "if-none-match"}
        other.__dict__ |= {"query": query, "headers": known}
        return other

    def parameter(self, name: str) -> str:
        """Return a part of the path that the route names."""
        return self.path_params[name]

    async def json(self, kind: type[T]) -> T:
        """Read the body as `kind`."""
        body = await self._body()
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Problem(400, "bad_body", f"the body does not fit: {error}") from error

    async def _body(self) -> bytes:
        if self._whole is None:
            self._whole = await self._receive_all()
        return self._whole

    async def _receive_all(self) -> bytes:
        body, more = b"", True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Problem(400, "gone", "the client left before its body was whole")
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MAX_BODY:
                raise Problem(413, "body_too_long", f"the body is longer than {MAX_BODY} bytes")
        return body

    def audit(self, action: str, **fields: Any) -> None:
        """Note in the log, and among the events, what an administrator did; `target` is to what."""
        known = {"who": self.name or self.who, "client": self.client, "request_id": self.request_id}
        self.runtime.log.security(f"admin.{action}", **known, **fields)
        told = [
            action,
            *([str(fields["target"])] if "target" in fields else []),
            *(["by", self.name] if self.name else []),
        ]
        self.note("admin_action", plain(" ".join(told)), action="noted")

    def note(self, kind: str, detail: str, *, action: str) -> None:
        """Put on the list of security events what happened."""
        path, client = plain(self.path), self.client
        severity = SEVERITY[kind]
        event = Event(kind, time.time(), severity, client, self.method, path, action, detail=detail, layer="Admin")
        event.request_id = self.request_id
        self.runtime.security.note(event)
