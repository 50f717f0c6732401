"""What a layer sees of a request and may say back: plain values, no I/O."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextvars import ContextVar
from http import HTTPStatus
from operator import itemgetter
from typing import Any, Protocol, TypeAlias
from wsgiref.types import WSGIApplication

import msgspec

Pair: TypeAlias = tuple[bytes, bytes]
Headers: TypeAlias = list[Pair]
Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
App: TypeAlias = ASGIApp | WSGIApplication
NAME = itemgetter(0)  # of a header line


class Texts(dict[Pair, tuple[str, str]]):
    """Header lines as WSGI wants them, by the line: ready for those that never change, decoded anew for others."""

    def __missing__(self, line: Pair) -> tuple[str, str]:
        name, value = line
        return name.decode("latin-1"), value.decode("latin-1")


TEXTS = Texts()


def fixed(name: bytes, value: bytes) -> Pair:
    """Return a line that a layer sends with every response, and have its text ready for WSGI."""
    line = name, value
    TEXTS[line] = TEXTS[line]
    return line


class Request(Protocol):
    """One request, the same whichever server interface it came through, shared by every layer it meets."""

    notes: dict[Any, Any]  # what layers leave for themselves and one another; a layer's own key is itself
    client: str  # the address of whoever asks, after trusted proxies; "" if unknown (a unix socket, say)
    scheme: str  # http, https, ws or wss, after trusted proxies
    body: bytes | None  # only for layers that say `reads_body`, and only of a body within the body limit
    degraded: bool  # the store was down, so some answers were None

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...  # whole, with the prefix of a mount, percent-decoded
    @property
    def mount(self) -> str: ...  # the part of the path that leads to where the app is mounted, "" for none
    @property
    def raw_path(self) -> str: ...  # as it was sent, percent-encoded; "" if the server does not tell
    @property
    def query(self) -> bytes: ...
    @property
    def headers(self) -> list[Pair]: ...  # every line, names in lower case
    @property
    def request_id(self) -> str: ...  # "" outside of `RequestID`
    @property
    def route(self) -> str: ...  # the template that the app's router matched, "/items/{id}"; "" if it told of none
    @property
    def again(self) -> bool: ...  # a repeat in the background, whose response nobody receives
    @property
    def trace(self) -> Any: ...  # what all layers have decided so far, a `Trace`
    def header(self, name: bytes) -> bytes | None: ...
    def lacks(self, names: frozenset[bytes]) -> bool: ...  # has none of these headers
    def set(self, name: bytes, value: bytes | None) -> None: ...  # for the layers inside and the app; None removes
    def set_origin(self, client: str, scheme: str, host: bytes | None) -> None: ...  # for those inside and the app
    def limit_body(self, limit: int, refuse: Refuse) -> None: ...  # bytes; `refuse` answers the one that is longer


class Origin(Protocol):
    """Where work began: a request, or the job that a request queued."""

    @property
    def request_id(self) -> str: ...
    def header(self, name: bytes) -> bytes | None: ...


FAILED = "failed"  # in `notes`: the app raised before it answered, so that the 500 is the door's own
# the request that runs here, set by `RequestID`; and, in a job, where that came from
CURRENT: ContextVar[Request | None] = ContextVar("nexus_request", default=None)
ORIGIN: ContextVar[Origin | None] = ContextVar("nexus_origin", default=None)
Refuse: TypeAlias = "Callable[[Request, int], Reply]"


class Head(msgspec.Struct, eq=False):
    """Status and headers of a response on its way out; edited in place, names in lower case."""

    status: int
    headers: Headers

    def get(self, name: bytes) -> bytes:
        """Return all lines of `name`, joined as RFC 9110, section 5.2 says; b"" if there is none."""
        return b", ".join([value for key, value in self.headers if key == name])

    def add(self, name: bytes, value: bytes) -> None:
        """Add a line."""
        self.headers.append((name, value))

    def set(self, name: bytes, value: bytes) -> None:
        """Replace every line of `name` by one."""
        if name in map(NAME, self.headers):
            self.headers[:] = [pair for pair in self.headers if pair[0] != name]
        self.headers.append((name, value))

    def vary(self, name: bytes) -> None:
        """Say that the answer depends on a header of the request (RFC 9110, section 12.5.5)."""
        said = self.get(b"vary")
        if not said:
            self.headers.append((b"vary", name))
        elif not {name.lower(), b"*"} & {part.strip().lower() for part in said.split(b",")}:
            self.set(b"vary", said + b", " + name)

    def add_missing(self, lines: Mapping[bytes, bytes]) -> None:
        """Add those lines whose name has none yet."""
        if lines.keys().isdisjoint(map(NAME, self.headers)):  # nearly always
            self.headers += lines.items()
        else:
            present = dict(self.headers)
            self.headers += [pair for pair in lines.items() if pair[0] not in present]


class Reply(msgspec.Struct, frozen=True, gc=False):
    """A whole response, given instead of the app's."""

    status: int
    body: bytes = b""
    headers: tuple[Pair, ...] = ()
    again: bool = False  # when it has gone out, run the request once more from this layer inward, unseen
    length: int | None = None  # what content-length says where the body stays behind, as for HEAD
    sized: bool = False  # content-length is among the headers already, as in a reply that is given many times

    def head(self) -> Head:
        """Return the head of this response, content-length included."""
        if self.sized or self.status in (204, 304):
            return Head(self.status, [*self.headers])
        length = len(self.body) if self.length is None else self.length
        return Head(self.status, [*self.headers, (b"content-length", b"%d" % length)])


PROBLEM = (b"content-type", b"application/problem+json")


def problem(
    request: Request,
    status: int,
    detail: str,
    *,
    kind: str = "about:blank",
    title: str = "",
    headers: tuple[Pair, ...] = (),
    members: dict[str, Any] | None = None,
) -> Reply:
    """Return a refusal as problem+json (RFC 9457), which names the request by its id and path.

    Args:
        request: The request that is refused.
        status: The HTTP status.
        detail: One sentence for whoever reads the response; never a key, a rule's inside or what the client sent.
        kind: The problem's `type`, a URI.
        title: Of the type; the status's own phrase if empty.
        headers: More header lines, such as Retry-After.
        members: More members of the object.
    """
    value = {
        "type": kind,
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "request_id": request.request_id,
        **(members or {}),
    }
    body = msgspec.json.encode(value)
    return Reply(status, body, (PROBLEM, (b"cache-control", b"no-store"), *headers))
