"""Which paths a rule is about: patterns that no other spelling of a path slips past."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from posixpath import normpath
from urllib.parse import unquote

from ..errors import SettingsError

PLAIN = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)+|/").fullmatch


def canonical(path: str) -> str:
    """Return the one spelling of `path` that rules are compared with.

    Case, doubled and trailing slashes, dot segments, percent-encoding and `;parameters` make no difference, so that
    none of them gives a caller a fresh limit.

    >>> canonical("/Auth//%2e/login;v=1/")
    '/auth/login'
    """
    if not PLAIN(path):
        segments = [segment.partition(";")[0] for segment in unquote(path).split("/")]
        path = normpath("/" + "/".join(segments).lstrip("/"))
    return path.casefold()


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return what tells whether a path fits `pattern`: "/auth/*" is all below /auth and itself, "*" is every path.

    `*` stands for anything in the middle of a pattern too, slashes included.

    >>> matcher("/auth/*")("/AUTH/login/"), matcher("/auth/*")("/authors")
    (True, False)

    Raises:
        SettingsError: the pattern does not begin with / or *.
    """
    if pattern == "*":
        return lambda path: True
    fits = _compiled(pattern)
    return lambda path: fits(canonical(path)) is not None


def guard(pattern: str) -> Callable[[str], bool]:
    """Return the `matcher` for what must not be slipped past: a path that fits as it stands, dots and all, fits too.

    A router that leaves dot segments alone may serve "/api/../x" as something below /api.

    >>> guard("/api/*")("/api/../x"), matcher("/api/*")("/api/../x")
    (True, False)

    Raises:
        SettingsError: the pattern does not begin with / or *.
    """
    fits = _compiled(pattern)
    return lambda path: fits(path.casefold()) is not None or fits(canonical(path)) is not None


def exemption(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Return what tells whether a path is let off: it fits one of `patterns` as it stands and in its one spelling.

    Both, so that nobody dresses another path up as one that is let off.

    >>> exempt = exemption(["/static/*"])
    >>> exempt("/static/app.css"), exempt("/static/../login"), exempt("/login/../static/app.css")
    (True, False, False)

    Raises:
        SettingsError: a pattern does not begin with / or *.
    """
    fits = [_compiled(pattern) for pattern in patterns]
    if not fits:
        return lambda path: False
    return lambda path: any(fit(path.casefold()) and fit(canonical(path)) for fit in fits)


def _compiled(pattern: str) -> Callable[[str], re.Match[str] | None]:
    if pattern == "*":
        return re.compile(".*", re.DOTALL).fullmatch
    if not pattern.startswith(("/", "*")):
        raise SettingsError(f"path={pattern!r} must begin with / or be '*', as in '/auth/*'")
    below = pattern.endswith("/*")
    parts = [re.escape(part) for part in (pattern[:-2] if below else pattern.rstrip("/") or "/").casefold().split("*")]
    return re.compile("[^\0]*".join(parts) + ("(/.*)?" if below else ""), re.DOTALL).fullmatch
