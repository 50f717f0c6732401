"""Lines of access logs, read: ours, the Common Log Format, and the Combined one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import TypeAlias

import msgspec

# host ident user [time] "request" status bytes, and in the Combined one "referer" "agent"
COMMON = re.compile(
    r'(\S+) \S+ (\S+) \[([^\]]{20,40})\] "([A-Za-z]+) (\S+)[^"]*" (\d{3}) \S+'
    r'(?: "(?:[^"\\]|\\.)*" "((?:[^"\\]|\\.)*)")?'
).match


class Visit(msgspec.Struct, gc=False):
    """What a line says of one request; `at` is when it came, in seconds since the epoch."""

    at: float
    client: str
    method: str
    path: str  # without the query, as the line has it
    status: int
    agent: str = ""
    user: str = ""  # whom the server had signed in, or the name of an API key; "" for nobody


class _Ours(msgspec.Struct, gc=False):
    at: datetime
    method: str
    path: str
    status: int
    client: str = ""
    ms: float = 0.0
    agent: str = ""
    caller: str = ""
    kind: str = "request"


Read: TypeAlias = Callable[[bytes], Visit | None]
_DECODE = msgspec.json.Decoder(_Ours).decode


def read_line(line: bytes) -> Visit | None:
    r"""Return the request that a line is about; None if it is about none, or cannot be read.

    >>> read_line(b'203.0.113.9 - ann [10/Oct/2026:13:55:36 +0200] "GET /a?b=1 HTTP/1.1" 200 2326').path
    '/a'
    """
    return _ours(line) if line.startswith(b"{") else _common(line)


def _ours(line: bytes) -> Visit | None:
    try:
        found = _DECODE(line)
    except (msgspec.DecodeError, ValueError):
        return None
    if found.kind != "request" or found.at.tzinfo is None:
        return None
    came = found.at.timestamp() - found.ms / 1000  # the line is written when the answer has gone out
    path = found.path.partition("?")[0]
    return Visit(came, found.client, found.method, path, found.status, found.agent, found.caller)


def _common(line: bytes) -> Visit | None:
    found = COMMON(line.decode("utf-8", "replace"))
    if found is None:
        return None
    client, user, written, method, target, status, agent = found.groups()
    moment = _moment(written)
    if moment is None:
        return None
    path = target.partition("?")[0]
    if "://" in path:  # an absolute target (RFC 9112, section 3.2.2)
        path = "/" + path.split("://", 1)[1].partition("/")[2]
    return Visit(moment, client, method.upper(), path, int(status), agent or "", "" if user == "-" else user)


@lru_cache(256)  # lines of one second stand together
def _moment(text: str) -> float | None:
    try:
        return datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z").timestamp()
    except ValueError:
        return None
