"""What a line of the log is: plain data without secrets, as JSON that steers no terminal, or as a person reads it."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from ...http import CURRENT, ORIGIN
from ...rules.redaction import clean, clean_field, redact_text

LEVELS = {"debug": 10, "http": 15, "info": 20, "warn": 30, "error": 40}
NAMES = {"warning": "warn", "critical": "error", "exception": "error", "notset": "debug"}  # as others call them
TRACE = 16_384  # characters kept of a traceback: its beginning, and most of its end, where it says what went wrong
LARGEST = 65_536  # bytes of a line
TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}").fullmatch
EPSILON = 3e-4  # milliseconds: what a time since the epoch may lack as a float
PLAIN = re.compile(r"[A-Za-z0-9._-]{0,64}").fullmatch  # what `RequestID` makes or lets through
OWN = ("at", "level", "event", "exception")  # what is no secret by its name, and made here

# DEL, the second set of control characters, line and paragraph separators, what turns or hides text, and no characters
_STEERING = re.compile("[\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
_ENCODER = msgspec.json.Encoder(enc_hook=repr)


def tidy(line: dict[str, Any]) -> dict[str, Any]:
    """Return the line as it may be written, and with the id of the request or job that it is about."""
    kept: dict[str, Any] = {}
    for name, value in line.items():
        if name in OWN:
            kept[name] = value if name == "exception" else clean(value)
        else:
            kept[name if name.isascii() and len(name) < 200 else clean(name)] = clean_field(name, value)
    request = ORIGIN.get() or CURRENT.get()
    if request is not None:
        if request.request_id:
            kept.setdefault("request_id", request.request_id)
        trace = request.header(b"traceparent")
        if trace and TRACEPARENT(text := trace.decode("latin-1")):
            kept.setdefault("traceparent", text)
    return kept


def told(error: BaseException) -> str:
    """Return the traceback of an error, cut in the middle, without the secrets in its message and its source lines."""
    text = redact_text("".join(traceback.format_exception(error, limit=-60)).rstrip())
    if len(text) > TRACE:
        text = f"{text[: TRACE // 4]}\n… {len(text) - TRACE} characters more …\n{text[-TRACE * 3 // 4 :]}"
    return text.encode("utf-8", "backslashreplace").decode()


def encode(line: Any) -> str:
    r"""Return the line as JSON in which nothing steers a terminal or hides itself.

    >>> encode({"event": "a\r\n\x1b[2J\u202eb"})
    '{"event":"a\\r\\n\\u001b[2J\\u202eb"}'
    """
    text = _ENCODER.encode(line)
    if len(text) > LARGEST and isinstance(line, dict):
        known = {name: line[name] for name in ("at", "level", "kind", "request_id") if name in line}
        text = _ENCODER.encode({**known, "event": str(line.get("event", ""))[:1_000], "cut": len(text)})
    if text.isascii() and b"\x7f" not in text:
        return text.decode()
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text.decode())


def packed(batch: Iterable[Any], shown: Callable[[str], str] | None) -> list[str]:
    """Return the JSON of lines about requests, as `RequestLogger` tells of them.

    `shown` makes what is said of who has asked. Most of what is in a line was in another one before, and is ready.
    """
    found: list[str] = []
    last, start = -1, ""
    for line in batch:
        at = line.at
        second = int(at)
        if second != last:
            last, start = second, f'{{"at":"{_second(second)}.'
        client = line.client if shown is None else shown(line.client)
        more = ""
        if line.caller:
            more += f',"caller":{_told(line.caller)}'
        if line.trace and TRACEPARENT(line.trace):
            more += f',"traceparent":"{line.trace}"'
        known = line.request_id
        ident = f'"{known}"' if (known.isalnum() and known.isascii()) or PLAIN(known) else _told(known)
        found.append(
            f'{start}{int((at - second) * 1000 + EPSILON):03d}Z",{_asked(line.method, line.path)}{line.status},'
            f'"ms":{line.seconds * 1000:.2f},{_by(client, line.agent)},"request_id":{ident}{more}}}'
        )
    return found


@lru_cache(maxsize=4_096)
def _asked(method: str, path: str) -> str:
    return f'"level":"http","event":"request","kind":"request","method":{_told(method)},"path":{_told(path)},"status":'


@lru_cache(maxsize=4_096)
def _by(client: str, agent: str) -> str:
    return f'"client":{_told(client)},"agent":{_told(agent)}'


@lru_cache(maxsize=4_096)
def _told(text: str) -> str:
    return encode(clean(text))


def stamp(seconds: float) -> str:
    """Return a time as RFC 3339 has it, in UTC, to the millisecond.

    >>> stamp(0)
    '1970-01-01T00:00:00.000Z'
    """
    whole, micros = divmod(round(seconds * 1e6), 1_000_000)
    return f"{_second(whole)}.{micros // 1000:03}Z"


@lru_cache(maxsize=2)  # lines come in the order of time
def _second(whole: float) -> str:
    return datetime.fromtimestamp(whole, UTC).isoformat()[:19]


def brief(line: dict[str, Any]) -> str:
    r"""Return a line as a person reads it in a terminal; control characters are escaped, for they could steer it.

    >>> brief({"at": "1970-01-01T00:00:00.000Z", "level": "info", "event": "hello", "user": "a\x1b[2J"})
    "00:00:00 info    hello user='a\\x1b[2J'"
    """
    clock, level = str(line.get("at", ""))[11:19], line.get("level", "")
    if line.get("kind") == "request" and "ms" in line:
        said = f"{_plain(line['method'])} {_plain(line['path'])} {line['status']} {line['ms']:g} ms {line['client']}"
    else:
        shown = [name for name in line if name not in OWN]
        said = " ".join([_plain(line.get("event", "")), *[f"{_plain(name)}={line[name]!r}" for name in shown]])
        said += "".join(f"\n    {_plain(row)}"[:500] for row in str(line.get("exception", "")).splitlines())
    return f"{clock} {level:<7} {said}"


def _plain(value: Any) -> str:
    return repr(str(value))[1:-1]
