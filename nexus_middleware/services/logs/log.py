"""The log: one line for each event and each request, as JSON in files and on standard output."""

from __future__ import annotations

import ipaddress
import sys
import time
from collections.abc import Callable, Iterable, MutableMapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...errors import SettingsError
from ...settings import LogClients, LogLevel, Settings
from .lines import LEVELS, NAMES, brief, packed, stamp, tidy, told
from .tail import Tail, read
from .writer import Writer


class Threshold:
    """The level from which on lines are written: one for a log and all that were bound from it."""

    def __init__(self, level: LogLevel) -> None:
        self.set(level)

    def set(self, level: LogLevel) -> None:
        """Change it.

        Raises:
            SettingsError: there is no such level.
        """
        if level not in LEVELS:
            raise SettingsError(f"level={level!r} must be one of {', '.join(LEVELS)}")
        self.level: LogLevel = level
        lowest = LEVELS[level]
        self.number = LEVELS["info"] if level == "http" else lowest  # events have no level of their own there
        self.requests = lowest <= LEVELS["info"]  # are told of, unless only worse is asked for


class Log:
    """Where events go; no method waits for a disk, except that an error is written before it returns.

    What a line holds is plain data then: secrets are hidden by the name they have and by how they look, in nested data,
    URLs and tracebacks; long values are cut. Lines of a request or a job carry its `request_id` and `traceparent`.

    >>> log = Log(Settings(), out=lambda text: None)
    >>> log.info("course published", course="sums")
    >>> log.bind(user=42).warning("slow upload", seconds=9.5)
    >>> log.level = "debug"

    Args:
        settings: `log_level`, `log_dir` and `log_clients`.
        out: Takes the text for standard output; None for standard output.
    """

    def __init__(self, settings: Settings, *, out: Callable[[str], Any] | None = None) -> None:
        tty = out is None and sys.stdout is not None and sys.stdout.isatty()
        folder = Path(settings.log_dir) if settings.log_dir else None
        self._threshold = threshold = Threshold(settings.log_level)
        shown = CLIENTS[settings.log_clients]

        def pack(batch: Iterable[Any]) -> list[str]:
            return packed(batch, shown) if threshold.requests else []

        self.writer = Writer(folder, show=brief if tty else None, out=out, pack=pack)
        self.access: Callable[[Any], None] = self.writer.put  # of one request, by `RequestLogger`
        self._logger = _logger(self.processors)

    @property
    def level(self) -> LogLevel:
        """The level from which on lines are written: error, warn, info, http or debug. To set it changes it at once.

        Raises:
            SettingsError: there is no such level.
        """
        return self._threshold.level

    @level.setter
    def level(self, level: LogLevel) -> None:
        self._threshold.set(level)

    def bind(self, **fields: Any) -> Log:
        """Return a log that adds `fields` to each of its lines."""
        child = object.__new__(Log)
        child.__dict__ = {**self.__dict__, "_logger": self._logger.bind(**fields)}
        return child

    def debug(self, event: str, **fields: Any) -> None:
        """Note what helps to find a fault."""
        if self._threshold.number <= 10:
            self._logger.debug(event, **fields)

    def info(self, event: str, **fields: Any) -> None:
        """Note what happened as it should."""
        if self._threshold.number <= 20:
            self._logger.info(event, **fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Note what somebody should look at."""
        if self._threshold.number <= 30:
            self._logger.warning(event, **fields)

    def error(self, event: str, error: BaseException | None = None, **fields: Any) -> None:
        """Note a failure, with the traceback of `error`."""
        self._logger.error(event, exc_info=error, **fields)

    def security(self, event: str, **fields: Any) -> None:
        """Note who was refused, or what an administrator did."""
        self.warning(event, **{**fields, "kind": "security"})

    def tail(
        self,
        *,
        level: LogLevel = "debug",
        text: str = "",
        request_id: str = "",
        since: float = 0.0,
        limit: int = 200,
    ) -> Tail:
        """Return the newest lines that fit, newest first, of all processes if there are files, else of this one.

        Reads the files from their end, a block at a time, and no more than 4 MiB of them.

        Args:
            level: This one and worse.
            text: Of the line as it is written, in whatever case.
            request_id: Of the request, or the job that it queued.
            since: Seconds since the epoch.
            limit: Lines, 1,000 at the most.
        """
        self.writer.flush()
        return read(self.writer, level=level, text=text, request_id=request_id, since=since, limit=limit)

    @property
    def processors(self) -> list[Any]:
        """What structlog runs to get a line into this log: `logs.configure` gives it to all of structlog's loggers."""
        import structlog

        threshold, writer = self._threshold, self.writer

        def write(_logger: Any, method: str, line: MutableMapping[str, Any]) -> str:
            level = NAMES.get(method, method)
            if LEVELS.get(level, 20) >= threshold.number:
                made = _made(level, line)
                if level == "error":
                    writer.put_now(made)
                else:
                    writer.put(made)
            raise structlog.DropEvent

        return [structlog.contextvars.merge_contextvars, write]


def _made(level: str, line: MutableMapping[str, Any]) -> dict[str, Any]:
    error = line.pop("exc_info", None)
    if error is True or isinstance(error, tuple):
        error = sys.exc_info()[1] if error is True else error[1]
    head = {"at": stamp(time.time()), "level": level, "event": line.pop("event", "")}
    made = tidy({**head, **{name: value for name, value in line.items() if name not in ("at", "level")}})
    if isinstance(error, BaseException):
        made["exception"] = told(error)
    return made


def _logger(processors: list[Any]) -> Any:
    import structlog

    return structlog.wrap_logger(
        None,
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(0),
        cache_logger_on_first_use=True,
    ).bind()


@lru_cache(maxsize=4_096)
def shortened(client: str) -> str:
    """Return the network of an address in its place: a /24, or a /48.

    >>> shortened("203.0.113.7"), shortened("2001:db8:1:2::3"), shortened("unix")
    ('203.0.113.0', '2001:db8:1::', 'unix')
    """
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False).network_address)


CLIENTS: dict[LogClients, Callable[[str], str] | None] = {
    "whole": None,
    "network": shortened,
    "none": lambda client: "",
}
