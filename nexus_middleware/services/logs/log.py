"""The log: one line for each event and each request, as JSON in files and on standard output."""

from __future__ import annotations

import sys
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...settings import Settings
from .writer import Writer

LEVELS = {"debug": 10, "http": 15, "info": 20, "warn": 30, "error": 40}


class Log:
    """Where events go; no method waits for a disk.

    >>> log = Log(Settings(), out=lambda text: None)
    >>> log.info("course published", course="sums")
    >>> log.bind(user=42).warning("slow upload", seconds=9.5)

    Args:
        settings: `log_level` and `log_dir`.
        out: Takes the text for standard output; None for standard output.
    """

    def __init__(self, settings: Settings, *, out: Callable[[str], Any] | None = None) -> None:
        tty = out is None and sys.stdout is not None and sys.stdout.isatty()
        folder = Path(settings.log_dir) if settings.log_dir else None
        self.writer = Writer(folder, show=brief if tty else None, out=out, unpack=unpacked)
        lowest = LEVELS[settings.log_level]
        told = lowest <= LEVELS["info"]  # of requests, unless only worse is asked for
        self.access: Callable[[Any], None] = self.writer.put if told else _untold  # of one request, by `RequestLogger`
        self._logger = _logger(self.writer, lowest)

    def bind(self, **fields: Any) -> Log:
        """Return a log that adds `fields` to each of its lines."""
        child = object.__new__(Log)
        child.__dict__ = {**self.__dict__, "_logger": self._logger.bind(**fields)}
        return child

    def debug(self, event: str, **fields: Any) -> None:
        """Note what helps to find a fault."""
        self._logger.debug(event, **fields)

    def info(self, event: str, **fields: Any) -> None:
        """Note what happened as it should."""
        self._logger.info(event, **fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Note what somebody should look at."""
        self._logger.warning(event, **fields)

    def error(self, event: str, error: BaseException | None = None, **fields: Any) -> None:
        """Note a failure, with the traceback of `error`."""
        self._logger.error(event, exc_info=error, **fields)

    def security(self, event: str, **fields: Any) -> None:
        """Note who was refused, or what an administrator did."""
        self._logger.warning(event, kind="security", **fields)


def _untold(line: Any) -> None:
    """Take a line that nobody wants."""


def _logger(writer: Writer, lowest: int) -> Any:
    import structlog

    def write(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> str:
        writer.put({**line})
        raise structlog.DropEvent

    return structlog.wrap_logger(
        None,
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            write,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(-(-lowest // 10) * 10),  # it knows no level between its own
    ).bind()


def unpacked(line: Any) -> dict[str, Any]:
    """Return the line about one request, as `RequestLogger` tells of it."""
    return {
        "at": stamp(line.at),
        "level": "http",
        "event": "request",
        "kind": "request",
        "method": line.method,
        "path": line.path,
        "status": line.status,
        "ms": round(line.seconds * 1000, 2),
        "client": line.client,
        "request_id": line.request_id,
        "agent": line.agent,
        **({"caller": line.caller} if line.caller else {}),
    }


def stamp(seconds: float) -> str:
    """Return a time as RFC 3339 has it, in UTC, to the millisecond.

    >>> stamp(0)
    '1970-01-01T00:00:00.000Z'
    """
    whole, micros = divmod(round(seconds * 1e6), 1_000_000)
    return f"{_second(whole)}.{micros // 1000:03}Z"


@lru_cache(maxsize=2)  # lines come in the order of time
def _second(whole: int) -> str:
    return datetime.fromtimestamp(whole, UTC).isoformat()[:19]


def brief(line: dict[str, Any]) -> str:
    r"""Return a line as a person reads it in a terminal; control characters are escaped, for they could steer it.

    >>> brief({"at": "1970-01-01T00:00:00.000Z", "level": "info", "event": "hello", "user": "a\x1b[2J"})
    "00:00:00 info    hello user='a\\x1b[2J'"
    """
    clock, level = str(line.get("at", ""))[11:19], line.get("level", "")
    if line.get("kind") == "request":
        path = repr(line["path"])[1:-1]
        said = f"{repr(line['method'])[1:-1]} {path} {line['status']} {line['ms']:g} ms {line['client']}"
    else:
        rest = [f"{key}={value!r}" for key, value in line.items() if key not in ("at", "level", "event", "exception")]
        said = " ".join([repr(line.get("event", ""))[1:-1], *rest])
        said += "".join(f"\n    {row!r}"[:500] for row in str(line.get("exception", "")).splitlines())
    return f"{clock} {level:<7} {said}"
