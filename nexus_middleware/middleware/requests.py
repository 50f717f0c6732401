"""A request over a scope, and one over an environ; what layers leave on it is shared by all chains it meets."""

from __future__ import annotations

from functools import lru_cache
from operator import itemgetter
from typing import Any
from wsgiref.types import WSGIEnvironment

import msgspec

from ..http import Pair, Refuse, Scope

STATE = "nexus"  # `request.state.nexus` in the app
ENVIRON = "nexus.request"  # with a dot, as PEP 3333 wants what is not a string
BYTES = itemgetter(0)


class _Shared(msgspec.Struct, eq=False):
    """What both doors' requests have: a struct, because one is made for every request and its fields are read often."""

    notes: dict[Any, Any]
    method: str
    path: str
    client: str
    scheme: str
    again: bool
    body: bytes | None = None
    degraded: bool = False
    body_limits: tuple[tuple[int, Refuse], ...] = ()  # bytes that the door lets through; the tightest first

    @property
    def request_id(self) -> str:
        """The request's id, as `RequestID` gave it."""
        return self.notes.get("id", "")  # type: ignore[no-any-return]

    def limit_body(self, limit: int, refuse: Refuse) -> None:
        """Let at most `limit` bytes of the body through; the tightest limit of all layers holds."""
        mine = (limit, refuse)
        self.body_limits = tuple(sorted((*self.body_limits, mine), key=BYTES)) if self.body_limits else (mine,)


def asgi_request(scope: Scope, notes: dict[Any, Any]) -> ASGIRequest:
    """Return the request that `scope` tells of; a websocket's handshake is a GET."""
    client = scope.get("client")
    return ASGIRequest(
        notes,
        scope.get("method", "GET"),
        scope["path"],
        client[0] if client else "",
        scope.get("scheme", "http"),
        "nexus.again" in scope,
        scope=scope,
    )


class ASGIRequest(_Shared, kw_only=True, eq=False):
    """A `Request` over a scope."""

    scope: Scope
    found: dict[bytes, bytes] | None = None  # the header lines, once one was looked for

    @property
    def trace(self) -> Any:
        return self.scope["state"][STATE]

    @property
    def raw_path(self) -> str:
        return self.scope.get("raw_path", b"").decode("latin-1")  # type: ignore[no-any-return]

    @property
    def mount(self) -> str:
        return self.scope.get("root_path", "")  # type: ignore[no-any-return]

    @property
    def query(self) -> bytes:
        return self.scope.get("query_string", b"")  # type: ignore[no-any-return]

    @property
    def headers(self) -> list[Pair]:
        return self.scope["headers"]  # type: ignore[no-any-return]

    @property
    def route(self) -> str:
        """The template of the path as Starlette and FastAPI leave it in the scope, with the prefix of mounts."""
        own = scope = self.scope
        trace = own["state"].get(STATE)
        if trace is not None and trace.inside is not None:
            scope = trace.inside[-1].request.scope
        matched = scope.get("route")
        if matched is None:
            return self.notes.get("route", "")  # type: ignore[no-any-return]  # as a stored answer knows it
        template: str = getattr(matched, "path", "")
        if scope is own or not template:
            return template
        return scope.get("root_path", "").removeprefix(own.get("root_path", "")) + template  # type: ignore[no-any-return]

    def header(self, name: bytes) -> bytes | None:
        """Return the first line of `name`, in lower case."""
        found = self.found
        if found is None:
            found = self.found = dict(reversed(self.scope["headers"]))
        return found.get(name)

    def lacks(self, names: frozenset[bytes]) -> bool:
        """Return whether there is no line of any of `names`, in lower case."""
        found = self.found
        if found is None:
            found = self.found = dict(reversed(self.scope["headers"]))
        return names.isdisjoint(found)

    def set(self, name: bytes, value: bytes | None) -> None:
        """Change a header line for the layers inside and the app."""
        kept = [pair for pair in self.scope["headers"] if pair[0] != name]
        self.scope = {**self.scope, "headers": kept if value is None else [*kept, (name, value)]}
        self.found = None

    def set_origin(self, client: str, scheme: str, host: bytes | None) -> None:
        """Say who asks and how, as a trusted proxy knows it, for the layers inside and the app."""
        if host is not None:
            self.set(b"host", host)
        self.client, self.scheme = client, scheme
        self.scope = {**self.scope, "client": (client, 0) if client else None, "scheme": scheme}


def wsgi_request(environ: WSGIEnvironment, notes: dict[Any, Any]) -> WSGIRequest:
    """Return the request that `environ` tells of."""
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return WSGIRequest(
        notes,
        environ["REQUEST_METHOD"],
        (path if path.isascii() else path.encode("latin-1").decode("utf-8", "replace")) or "/",
        environ.get("REMOTE_ADDR", ""),
        environ.get("wsgi.url_scheme", "http"),
        "nexus.again" in environ,
        environ=environ,
    )


class WSGIRequest(_Shared, kw_only=True, eq=False):
    """A `Request` over an environ."""

    environ: WSGIEnvironment
    matched: str = ""  # the route, once it is known

    @property
    def trace(self) -> Any:
        return self.environ[ENVIRON]

    raw_path = ""  # what servers add beyond PEP 3333 is not what the app routes by

    @property
    def mount(self) -> str:
        return self.environ.get("SCRIPT_NAME", "").encode("latin-1").decode("utf-8", "replace")  # type: ignore[no-any-return]

    @property
    def query(self) -> bytes:
        return self.environ.get("QUERY_STRING", "").encode("latin-1")  # type: ignore[no-any-return]

    @property
    def headers(self) -> list[Pair]:
        pairs = [(_name(key), text.encode("latin-1")) for key, text in self.environ.items() if key[:5] == "HTTP_"]
        named = ((key, self.environ.get(key)) for key in _PLAIN)
        return [*pairs, *((_name(key), text.encode("latin-1")) for key, text in named if text)]

    @property
    def route(self) -> str:
        """The template of the path as Flask leaves it in the environ, known from the head of the response on."""
        trace = self.environ.get(ENVIRON)
        inside = None if trace is None else trace.inside
        return (self.matched if inside is None else inside[-1].request.matched) or self.notes.get("route", "")

    def keep_route(self) -> None:
        """Take the route while it is there: Flask removes it before the body goes out."""
        self.matched = getattr(getattr(self.environ.get("werkzeug.request"), "url_rule", None), "rule", "")

    def header(self, name: bytes) -> bytes | None:
        """Return the line of `name`, in lower case; a server joins several by commas."""
        value = self.environ.get(_key(name))
        return None if value is None else value.encode("latin-1")

    def lacks(self, names: frozenset[bytes]) -> bool:
        """Return whether there is no line of any of `names`, in lower case."""
        environ = self.environ
        for key in _keys(names):  # noqa: SIM110  # a generator costs more than all that it looks up
            if key in environ:
                return False
        return True

    def set(self, name: bytes, value: bytes | None) -> None:
        """Change a header line for the layers inside and the app."""
        kept = {key: text for key, text in self.environ.items() if key != _key(name)}
        self.environ = kept if value is None else {**kept, _key(name): value.decode("latin-1")}

    def set_origin(self, client: str, scheme: str, host: bytes | None) -> None:
        """Say who asks and how, as a trusted proxy knows it, for the layers inside and the app."""
        if host is not None:
            self.set(b"host", host)
        self.client, self.scheme = client, scheme
        self.environ = {**self.environ, "REMOTE_ADDR": client, "wsgi.url_scheme": scheme}


_PLAIN = ("CONTENT_TYPE", "CONTENT_LENGTH")


@lru_cache(1024)  # names are asked for by layers, and are few
def _key(name: bytes) -> str:
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in _PLAIN else f"HTTP_{key}"


@lru_cache(64)
def _keys(names: frozenset[bytes]) -> tuple[str, ...]:
    return tuple([_key(name) for name in names])


def _name(key: str) -> bytes:
    return key.removeprefix("HTTP_").lower().replace("_", "-").encode("latin-1")
