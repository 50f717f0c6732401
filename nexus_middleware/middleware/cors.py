"""Let the pages of other origins read the answers (Fetch standard, CORS protocol)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..errors import SettingsError
from ..http import App, Head, Headers, Reply, Request, problem
from .layer import Layer, Mode

ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?").fullmatch
TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+").fullmatch
DEFAULT_PORT = re.compile(r"(http:.*:80|https:.*:443)").fullmatch
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
HEADERS = (
    "accept",
    "accept-language",
    "authorization",
    "content-language",
    "content-type",
    "x-api-key",
    "x-request-id",
)
EXPOSED = ("ratelimit", "ratelimit-policy", "retry-after", "x-request-id")
ALLOW = b"access-control-allow-origin"
CREDENTIALS = b"access-control-allow-credentials"
EXPOSE = b"access-control-expose-headers"
OWN = frozenset((ALLOW, CREDENTIALS, EXPOSE))  # what this layer alone says


class CORS(Layer[None]):
    """Tell browsers which other origins' pages may read the answers, and answer their preflights.

    It decides alone: lines of this kind that the app has set are replaced. A page of another origin is not kept from
    sending what any form could send; its browser is only told not to show it the answer.

    Args:
        app: Whose answers are shared.
        origins: In full, as browsers write them: "https://shop.example", with the port if it is not the scheme's own;
            "*" for all. They are compared as a whole, in the same case. "null" is never allowed, not even by "*".
        methods: That a preflight allows; "*" for all.
        headers: Of requests, that a preflight allows; "*" for all but Authorization, which has to be named.
        credentials: Whether cookies may be sent along; then nothing may be "*".
        max_age: Seconds for which a browser may remember a preflight.
        expose: Headers of answers that scripts may read.
        mode: "shadow" records which preflights would have been refused; all that is said of sharing is the app's.

    Raises:
        SettingsError: an origin is none that a browser sends, or credentials are allowed to everyone.
    """

    def __init__(
        self,
        app: App,
        *,
        origins: Iterable[str] = (),
        methods: Iterable[str] = METHODS,
        headers: Iterable[str] = HEADERS,
        credentials: bool = False,
        max_age: int = 86400,
        expose: Iterable[str] = EXPOSED,
        mode: Mode = "enforce",
    ) -> None:
        super().__init__(app, mode=mode)
        named = [_origin(text) for text in _listed(origins)]
        lists = [
            _tokens(name, names) for name, names in (("methods", methods), ("headers", headers), ("expose", expose))
        ]
        if max_age < 0:
            raise SettingsError(f"max_age={max_age} is in seconds and must be 0 or more")
        if credentials and any("*" in names for names in (named, *lists)):
            raise SettingsError("credentials=True needs every origin, method and header by its name, not '*'")
        self._all = "*" in named
        self._origins = frozenset(text.encode() for text in named if text != "*")
        allowed, asked, exposed = (", ".join(names).encode() for names in lists)
        self._shared: Headers = [(CREDENTIALS, b"true")] if credentials else []
        self._exposed: Headers = [(EXPOSE, exposed)] if exposed else []
        lines = ((b"methods", allowed.upper()), (b"headers", asked.lower()))
        told = [(b"access-control-allow-" + name, value) for name, value in lines if value]
        self._preflight = Reply(204, b"", (*told, (b"access-control-max-age", b"%d" % max_age)))

    def before(self, request: Request, answer: None) -> Reply | None:
        if request.method != "OPTIONS" or request.header(b"access-control-request-method") is None:
            return None
        if (origin := request.header(b"origin")) is None:
            return None
        # Of an origin that takes no part, Fetch says: no such header, and preferably 403. To one that does, the lists
        # are told as they are: the browser compares, says in its console what is missing, and may remember them.
        # Access to private networks is asked for in a preflight too, and never granted.
        return self._preflight if self._allows(origin) else problem(request, 403, "This origin may not call.")

    def after(self, request: Request, head: Head) -> None:
        if not OWN.isdisjoint([name for name, _ in head.headers]):
            head.headers[:] = [pair for pair in head.headers if pair[0] not in OWN]
        head.vary(b"Origin")  # always: a cache must not give one origin what was said to another, or to none
        origin = request.header(b"origin")
        if origin is not None and self._allows(origin):
            head.add(ALLOW, b"*" if self._all else origin)
            head.headers += self._shared
            if request.method != "OPTIONS":
                head.headers += self._exposed

    def _allows(self, origin: bytes) -> bool:
        return origin in self._origins or (self._all and origin != b"null")

    def why(self, request: Request) -> str:
        origin = request.header(b"origin")
        if origin is None:
            return "no origin"
        return "an allowed origin" if self._allows(origin) else "an origin that is not allowed"


def _listed(names: Iterable[str]) -> list[str]:
    return [names] if isinstance(names, str) else [*names]


def _origin(text: str) -> str:
    if text == "*":
        return text
    if text == "null":
        raise SettingsError("origins: 'null' is what any sandboxed page sends, so it can never be allowed")
    if DEFAULT_PORT(text) or not ORIGIN(text):
        raise SettingsError(
            f"origins: {text!r} is not what a browser sends: write scheme, host in lower case (and ASCII) and a port "
            "that is not the scheme's own, nothing after it, as in 'https://shop.example'"
        )
    return text


def _tokens(option: str, names: Iterable[str]) -> list[str]:
    for name in (listed := _listed(names)):
        if not TOKEN(name):
            raise SettingsError(f"{option}: {name!r} is no name of a {'method' if option == 'methods' else 'header'}")
    return listed
