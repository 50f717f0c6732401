"""A request over a scope, and one over an environ; what layers leave on it is shared by all chains it meets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from wsgiref.types import WSGIEnvironment

import msgspec

from ..http import Pair, Refuse, Scope

if TYPE_CHECKING:
    from .passage import Decision, Passage

STATE = "nexus"  # `request.state.nexus` in the app
ENVIRON = "nexus.request"  # with a dot, as PEP 3333 wants what is not a string


class Trace(msgspec.Struct, eq=False):
    """What the app may read of a request's way to it: `request.state.nexus`, or `environ["nexus.request"]`."""

    request: _Shared
    passages: list[Passage[Any]]  # through each chain, outermost first

    @property
    def request_id(self) -> str:
        """The request's id, as `RequestID` gave it; "" without that layer."""
        return self.request.request_id

    @property
    def api_key(self) -> str:
        """The name of the key that `APIKey` let in; "" for none."""
        return self.request.notes.get("api_key", "")  # type: ignore[no-any-return]

    @property
    def client(self) -> str:
        """The address of whoever asks, after trusted proxies; "" if it is unknown."""
        return self.passages[-1].request.client  # type: ignore[no-any-return]

    @property
    def degraded(self) -> bool:
        """Whether the store was down, so that some layers went on without it."""
        return any(passage.request.degraded for passage in self.passages)

    @property
    def decisions(self) -> list[Decision]:
        """What each layer decided, and why, outermost first."""
        return [decision for passage in self.passages for decision in passage.explain()]


class _Shared:
    notes: dict[Any, Any]
    client: str
    scheme: str
    body: bytes | None = None
    degraded = False
    body_limit: int | None = None  # bytes; what the door lets through to whoever reads the body
    refuse_body: Refuse | None = None

    @property
    def request_id(self) -> str:
        """The request's id, as `RequestID` gave it."""
        return self.notes.get("id", "")  # type: ignore[no-any-return]

    def limit_body(self, limit: int, refuse: Refuse) -> None:
        """Let at most `limit` bytes of the body through; the tightest limit of all layers holds."""
        if self.body_limit is None or limit < self.body_limit:
            self.body_limit, self.refuse_body = limit, refuse


class ASGIRequest(_Shared):
    """A `Request` over a scope."""

    scope: Scope
    _found: dict[bytes, bytes] | None = None

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        client = scope.get("client")
        self.client = client[0] if client else ""
        self.scheme = scope.get("scheme", "http")
        self.again = "nexus.again" in scope

    def enter(self, passage: Passage[Any]) -> None:
        """Join the trace of the request, or begin it."""
        state = self.scope.get("state")
        if state is None:
            state = self.scope["state"] = {}
        trace = state.get(STATE)
        if trace is None:
            state[STATE] = Trace(self, [passage])
            self.notes = {}
            passage.outermost = True
        else:
            self.notes = trace.request.notes
            trace.passages.append(passage)

    def leave(self) -> None:
        """End the trace: it holds the request, and a circle of objects is dear to free."""
        self.scope["state"].pop(STATE, None)

    @property
    def method(self) -> str:
        return self.scope.get("method", "GET")  # type: ignore[no-any-return]  # a websocket's handshake is a GET

    @property
    def path(self) -> str:
        return self.scope["path"]  # type: ignore[no-any-return]

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
        trace = self.scope["state"].get(STATE)
        scope = trace.passages[-1].request.scope if trace is not None else self.scope
        template = getattr(scope.get("route"), "path", "")
        mounted = scope.get("root_path", "")
        return mounted.removeprefix(self.scope.get("root_path", "")) + template if template else ""

    def header(self, name: bytes) -> bytes | None:
        """Return the first line of `name`, in lower case."""
        found = self._found
        if found is None:
            found = self._found = dict(reversed(self.scope["headers"]))
        return found.get(name)

    def set(self, name: bytes, value: bytes | None) -> None:
        """Change a header line for the layers inside and the app."""
        kept = [pair for pair in self.scope["headers"] if pair[0] != name]
        self.scope = {**self.scope, "headers": kept if value is None else [*kept, (name, value)]}
        self._found = None

    def set_origin(self, client: str, scheme: str, host: bytes | None) -> None:
        """Say who asks and how, as a trusted proxy knows it, for the layers inside and the app."""
        if host is not None:
            self.set(b"host", host)
        self.client, self.scheme = client, scheme
        self.scope = {**self.scope, "client": (client, 0) if client else None, "scheme": scheme}


class WSGIRequest(_Shared):
    """A `Request` over an environ."""

    environ: WSGIEnvironment
    matched = ""  # the route, once it is known

    def __init__(self, environ: WSGIEnvironment) -> None:
        self.environ = environ
        self.client = environ.get("REMOTE_ADDR", "")
        self.scheme = environ.get("wsgi.url_scheme", "http")
        self.again = "nexus.again" in environ
        self._first = environ

    def enter(self, passage: Passage[Any]) -> None:
        """Join the trace of the request, or begin it."""
        trace = self.environ.get(ENVIRON)
        if trace is None:
            self.environ[ENVIRON] = Trace(self, [passage])
            self.notes = {}
            passage.outermost = True
        else:
            self.notes = trace.request.notes
            trace.passages.append(passage)

    def leave(self) -> None:
        """End the trace: it holds the request, and a circle of objects is dear to free."""
        self._first.pop(ENVIRON, None)
        self.environ.pop(ENVIRON, None)

    @property
    def method(self) -> str:
        return self.environ["REQUEST_METHOD"]  # type: ignore[no-any-return]

    @property
    def path(self) -> str:
        path = self.environ.get("SCRIPT_NAME", "") + self.environ.get("PATH_INFO", "")
        return path.encode("latin-1").decode("utf-8", "replace") or "/"

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
        return trace.passages[-1].request.matched if trace is not None else self.matched

    def keep_route(self) -> None:
        """Take the route while it is there: Flask removes it before the body goes out."""
        self.matched = getattr(getattr(self.environ.get("werkzeug.request"), "url_rule", None), "rule", "")

    def header(self, name: bytes) -> bytes | None:
        """Return the line of `name`, in lower case; a server joins several by commas."""
        value = self.environ.get(_key(name))
        return None if value is None else value.encode("latin-1")

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


def _key(name: bytes) -> str:
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in _PLAIN else f"HTTP_{key}"


def _name(key: str) -> bytes:
    return key.removeprefix("HTTP_").lower().replace("_", "-").encode("latin-1")
