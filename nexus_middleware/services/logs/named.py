"""The log of the whole process, and a function for each kind of event, so that like events have like fields."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Literal, TypeAlias

from ...rules.queries import shape
from ...settings import Settings
from .log import Log
from .standard import ToLog, lead
from .writer import flush_all

Severity: TypeAlias = Literal["low", "medium", "high", "critical"]
_CURRENT: list[Log] = []


def configure(settings: Settings, *, out: Callable[[str], Any] | None = None) -> Log:
    """Make the log of this process, and lead all loggers of structlog, the standard library, the server and RQ into it.

    This alone touches global logging: the handlers of the root logger and of the servers' are replaced, structlog is
    configured, and a SIGTERM that nobody handles writes what waits before it ends the process. Called again, the new
    settings hold. Afterwards `log_system("started", version="1.2")` and its like write there.

    Args:
        settings: `log_level`, `log_dir` and `log_clients`.
        out: Takes the text for standard output; None for standard output.
    """
    import structlog

    log = Log(settings, out=out)
    _CURRENT[:] = [log]
    structlog.configure(
        processors=log.processors,
        wrapper_class=structlog.make_filtering_bound_logger(0),
        cache_logger_on_first_use=False,  # a later `configure` holds for loggers that are there
    )
    lead(log)
    _write_before_the_end()
    return log


def adopt(log: Log) -> None:
    """Make `log` the process's, if none was configured: for a stack that has one."""
    if not _CURRENT:
        _CURRENT.append(log)


class Handler(ToLog):
    """For the logging configuration of a server, whose own lines, from the first on, are written into the log then.

    It is what `nexus_middleware.services.logs.Handler` names there. If nothing was configured, the log is made by the
    settings of the environment.
    """

    def __init__(self) -> None:
        super().__init__(_by_environment)


def _by_environment() -> Log:
    if not _CURRENT:
        _CURRENT.append(Log(Settings.from_env()))
    return _CURRENT[0]


def _write_before_the_end() -> None:
    """See that a SIGTERM without a handler loses no line; the handlers of servers stay as they are."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _end)


def _end(number: int, _frame: FrameType | None) -> None:
    flush_all()
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)


def get_logger(**bound: Any) -> Log:
    """Return the log of this process, with fields that each of its lines carries."""
    if not _CURRENT:
        _CURRENT.append(Log(Settings()))
    return _CURRENT[0].bind(**bound)


def log_info(event: str, **fields: Any) -> None:
    """Note what happened as it should."""
    get_logger().info(event, **fields)


def log_error(event: str, error: BaseException | None = None, **fields: Any) -> None:
    """Note a failure, with the traceback of `error`."""
    get_logger().error(event, error, **fields)


def log_warning(event: str, **fields: Any) -> None:
    """Note what somebody should look at."""
    get_logger().warning(event, **fields)


def log_debug(event: str, **fields: Any) -> None:
    """Note what helps to find a fault."""
    get_logger().debug(event, **fields)


def log_request(method: str, path: str, status: int, ms: float, **fields: Any) -> None:
    """Note a request that no layer sees; a status of 500 and more is an error."""
    log = get_logger(kind="request", method=method, path=path.partition("?")[0], status=status, ms=ms, client="")
    if status >= 500:
        log.error("request", None, **fields)
    else:
        log.info("request", **fields)


def log_query(query: str, ms: float, **fields: Any) -> None:
    """Note a database query: its shape and never its values, and the milliseconds it took."""
    get_logger().debug("query", kind="query", query=shape(query), ms=ms, **fields)


def log_api_call(service: str, endpoint: str, ms: float, status: int, **fields: Any) -> None:
    """Note a call to another service."""
    get_logger().info("api call", kind="api_call", service=service, endpoint=endpoint, ms=ms, status=status, **fields)


def log_user_action(user_id: str, action: str, **fields: Any) -> None:
    """Note what a user did."""
    get_logger().info(action, kind="user_action", user_id=user_id, **fields)


def log_auth(event: str, user_id: str = "", *, success: bool = True, **fields: Any) -> None:
    """Note a sign-in, a sign-out or the like; one that failed is a warning."""
    log = get_logger(kind="auth", user_id=user_id, success=success)
    log.info(event, **fields) if success else log.warning(event, **fields)


def log_payment(event: str, amount: float, currency: str, **fields: Any) -> None:
    """Note a payment."""
    get_logger().info(event, kind="payment", amount=amount, currency=currency, **fields)


def log_system(event: str, **fields: Any) -> None:
    """Note what happened to the process or the machine."""
    get_logger().info(event, kind="system", **fields)


def log_performance(name: str, ms: float, **fields: Any) -> None:
    """Note how long something took; it goes to `performance.log` too."""
    get_logger().info(name, kind="performance", ms=ms, **fields)


def log_security(event: str, *, severity: Severity = "medium", **fields: Any) -> None:
    """Note an attack or what looks like one: "low" is told as information, "high" and "critical" as errors."""
    log = get_logger(kind="security", severity=severity)
    if severity == "low":
        log.info(event, **fields)
    elif severity == "medium":
        log.warning(event, **fields)
    else:
        log.error(event, **fields)


def log_cache(action: str, key: str, **fields: Any) -> None:
    """Note what was done with a cached value."""
    get_logger().debug(action, kind="cache", cached=key, **fields)


def log_queue(queue: str, event: str, **fields: Any) -> None:
    """Note what happened to a job."""
    get_logger().info(event, kind="queue", queue=queue, **fields)
