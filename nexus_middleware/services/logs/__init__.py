"""Structured logs: a `Log` for each who wants one, and one for the whole process."""

from __future__ import annotations

from .lines import LEVELS, brief, stamp
from .log import Log
from .named import (
    Handler,
    adopt,
    configure,
    get_logger,
    log_api_call,
    log_auth,
    log_cache,
    log_debug,
    log_error,
    log_info,
    log_payment,
    log_performance,
    log_query,
    log_queue,
    log_request,
    log_security,
    log_system,
    log_user_action,
    log_warning,
)
from .shared import SharedLevel
from .tail import Tail

__all__ = [
    "LEVELS",
    "Handler",
    "Log",
    "SharedLevel",
    "Tail",
    "adopt",
    "brief",
    "configure",
    "get_logger",
    "log_api_call",
    "log_auth",
    "log_cache",
    "log_debug",
    "log_error",
    "log_info",
    "log_payment",
    "log_performance",
    "log_query",
    "log_queue",
    "log_request",
    "log_security",
    "log_system",
    "log_user_action",
    "log_warning",
    "stamp",
]
