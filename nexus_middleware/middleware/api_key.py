"""Let in only callers who bring a key."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from ..errors import SettingsError
from ..http import App, Head, Reply, Request, problem
from ..rules.paths import guard
from ..stores.lists import Listed, Source
from .layer import Layer, Mode

DIGEST = re.compile(r"(?:([A-Za-z0-9._-]{1,64})=)?sha256:([0-9a-fA-F]{64})").fullmatch
NAME = re.compile(r"[A-Za-z0-9._ @-]{1,64}").fullmatch
HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+").fullmatch
UNTIL = re.compile(r"(.*\S)\s+until\s+(\S+)", re.DOTALL).fullmatch
NOTE, EXPIRED = "api_key", "expired"  # in `request.notes`: the name of the key, for `by_api_key`, logs and caches


class APIKey(Layer[None]):
    """Answer 401 to calls of some paths that bring none of the keys.

    Keys are compared as SHA-256 digests, all of them each time, so that the time taken tells nothing of them. Give a
    digest instead of a key, and the key itself stands nowhere on the server.

    >>> app = APIKey(None, {"shop": "sha256:" + "0" * 64}, paths=("/api/*", "/export"))

    Args:
        app: What is protected.
        keys: By name, `{"shop": "…"}`, or a list. A key is plain text or `sha256:` and its digest in hex; in a list a
            digest may have a name, `shop=sha256:…`. One without is called by the first 8 digits of its digest. A name
            may have several, so that a new key works before the old one is taken out. "… until 2027-01-31" opens to the
            end of that day (UTC), "… until 2027-01-31T12:00+01:00" to that time. "file:/run/secrets/keys" has one a
            line, and is read again when it changes; a function that returns them is asked every 10 s.
        paths: "/api/*" is all below /api and itself, in every spelling of it and below any mount; "*" is every path.
        header: That brings the key.
        mode: "shadow" records who would have been refused; others are not told whose key it is.
        clock: Seconds since the epoch, by which keys expire.

    Raises:
        SettingsError: there is no key or no path, or a key cannot be one. What was given is not repeated.
    """

    def __init__(
        self,
        app: App,
        keys: Mapping[str, str | Iterable[str]] | Listed,
        *,
        paths: Iterable[str] = ("/api/*",),
        header: str = "x-api-key",
        mode: Mode = "enforce",
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(app, mode=mode)
        self._clock = clock
        named = isinstance(keys, Mapping)
        self._keys = Source([] if named else keys, "keys", lambda listed: _read(keys if named else listed))
        self._guards = [guard(path) for path in ([paths] if isinstance(paths, str) else paths)]
        if not self._guards:
            raise SettingsError("paths=() protects nothing: name paths, or '*' for all")
        if not HEADER(header):
            raise SettingsError(f"header={header!r} is no name of a header")
        self._header = header.lower().encode()
        self._challenge = ((b"www-authenticate", b'ApiKey realm="api", header="%s"' % self._header),)

    def before(self, request: Request, answer: None) -> Reply | None:
        if not self._guarded(request):
            return None
        given = request.header(self._header)
        known = None if given is None or self._twice(request) else self._known(given)
        if known is not None and self._clock() >= known.until:
            request.notes[self, EXPIRED], known = known.name, None  # who calls is told no more than with any wrong key
        if known is None:
            return problem(request, 401, "This needs a key that is known.", headers=self._challenge)
        request.notes[self] = known.name
        if self.mode == "enforce":  # else nobody else's doing may change
            request.notes[NOTE] = known.name
        return None

    def after(self, request: Request, head: Head) -> None:
        if self._guarded(request):
            head.vary(self._header)  # caches on the way do not know that the header is a credential

    def _guarded(self, request: Request) -> bool:
        path = request.path
        inside = path.removeprefix(request.mount)
        return any(guards(path) or (inside != path and guards(inside)) for guards in self._guards)

    def _twice(self, request: Request) -> bool:
        """Whether there are two lines, of which the app may read another one than this layer."""
        return [name for name, _ in request.headers].count(self._header) > 1

    def _known(self, given: bytes) -> _Key | None:
        digest, found = hashlib.sha256(given).digest(), None
        for key in self._keys.value:
            if hmac.compare_digest(digest, key.digest):
                found = key  # and on: to stop here would tell how far down the list it is
        return found

    def why(self, request: Request) -> str:
        if not self._guarded(request):
            return "needs no key"
        if (name := request.notes.get(self)) is not None:
            return f"key {name}"
        if (name := request.notes.get((self, EXPIRED))) is not None:
            return f"key {name} has expired"
        return "no key" if request.header(self._header) is None else "unknown key"


class _Key(NamedTuple):
    digest: bytes
    name: str
    until: float  # seconds since the epoch; infinity for good


def _read(keys: Any) -> list[_Key]:
    pairs = _named(keys) if isinstance(keys, Mapping) else [("", key) for key in keys]
    found = [_key(name, key) for name, key in pairs]
    if not found:
        raise SettingsError("keys: there is none, and without one nobody could call; leave the layer out to need none")
    if len({key.digest for key in found}) < len(found):
        raise SettingsError("keys: a key is given twice, so it would not tell who calls")
    if not all(NAME(key.name) for key in found):
        raise SettingsError("keys: a name must be of up to 64 letters, digits, spaces, '.', '_', '@' and '-'")
    return found


def _named(keys: Mapping[str, str | Iterable[str]]) -> list[tuple[str, str]]:
    return [(name, key) for name, given in keys.items() for key in ([given] if isinstance(given, str) else given)]


def _key(name: str, given: str) -> _Key:
    ends = UNTIL(given)
    digest, name = _digest(name, ends[1] if ends else given)
    return _Key(digest, name, _end(ends[2]) if ends else math.inf)


def _end(text: str) -> float:
    """Return when a key ends: at the end of a day, or at a time; both of UTC unless the time has another zone."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(
            "keys: after 'until' comes the last day, 2027-01-31, or a time, 2027-01-31T12:00+01:00"
        ) from error
    if len(text) <= len("2027-01-31"):
        when += timedelta(days=1)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _digest(name: str, key: str) -> tuple[bytes, str]:
    if told := DIGEST(key):
        digest, name = bytes.fromhex(told[2]), name or told[1] or ""
    elif "sha256:" in key:
        raise SettingsError("keys: after 'sha256:' come the 64 digits of the digest, in hex, and nothing else")
    elif not key or not key.isprintable() or key != key.strip():
        raise SettingsError(
            "keys: a key must not be empty, nor begin or end with a space, nor hold what is not printed"
        )
    else:
        digest = hashlib.sha256(key.encode()).digest()
    return digest, name or digest.hex()[:8]
