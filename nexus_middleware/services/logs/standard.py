"""What the standard library's loggers are told, servers' and RQ's among them, as lines of the log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from .log import Log

SERVERS = (  # they have handlers of their own, which would say everything twice and in another shape
    *("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "gunicorn.error", "gunicorn.access"),
    *("hypercorn.error", "hypercorn.access", "_granian", "granian.access", "rq", "rq.worker", "rq.scheduler"),
)
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "color_message", "taskName"}
_LEVELS = {"error": 40, "warn": 30, "info": 20, "http": 20, "debug": 10}


def lead(log: Log) -> None:
    """Replace the root logger's handlers and the servers' by one that writes into `log`."""
    root = logging.getLogger()
    root.handlers[:] = [ToLog(log)]
    root.setLevel(_LEVELS[log.level])
    for name in SERVERS:
        logger = logging.getLogger(name)
        if not logger.handlers and not logger.propagate:
            continue  # it was turned off, as by uvicorn's --no-access-log
        logger.handlers.clear()
        logger.propagate = True


class ToLog(logging.Handler):
    """Hands records to a `Log`."""

    def __init__(self, log: Log | Callable[[], Log]) -> None:
        super().__init__()
        self._log = log if callable(log) else lambda: log

    def emit(self, record: logging.LogRecord) -> None:
        """Write `record`; a record that cannot be read is told of, and fails nobody."""
        event, facts = _access(record)
        if not event:
            try:
                event = record.getMessage().rstrip()
            except Exception as error:  # noqa: BLE001  # arguments that do not fit, or whose text fails
                event, facts = str(record.msg), {"unread": repr(error)}
            facts |= {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
        facts = {name: value for name, value in facts.items() if name not in ("event", "error", "self")}
        log = self._log().bind(**{"logger": record.name, **facts})
        if record.levelno >= logging.ERROR:
            log.error(event, record.exc_info[1] if record.exc_info else None)
        elif record.levelno >= logging.WARNING:
            log.warning(event)
        elif record.levelno >= logging.INFO:
            log.info(event)
        else:
            log.debug(event)


def _access(record: logging.LogRecord) -> tuple[str, dict[str, Any]]:
    """Return what the servers say of a request in the shape of ours; "" for any other line."""
    args: Any = record.args
    try:
        if record.name == "uvicorn.access":
            client, method, path, _, status = args
            facts = {"client": client.rpartition(":")[0], "method": method, "path": path.partition("?")[0]}
            return "request", {"kind": "request", **facts, "status": int(status)}
        if record.name in ("gunicorn.access", "hypercorn.access"):
            client = args["h"].rpartition(":")[0] if record.name == "hypercorn.access" else args["h"]
            facts = {"client": client, "method": args["m"], "path": args["U"], "agent": args["a"]}
            return "request", {"kind": "request", **facts, "status": int(args["s"]), "ms": int(args["D"]) / 1000}
        if record.name == "granian.access":
            facts = {"client": args["addr"], "method": args["method"], "path": args["path"]}
            return "request", {"kind": "request", **facts, "status": args["status"], "ms": round(args["dt_ms"], 3)}
    except (TypeError, ValueError, KeyError, AttributeError):
        return "", {}  # a format of its own
    return "", {}
