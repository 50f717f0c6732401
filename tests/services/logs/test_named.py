"""The functions by kind of event, and the log of the whole process."""

import json
import logging

import pytest

from nexus_middleware import Settings
from nexus_middleware.services import logs
from nexus_middleware.services.logs import named


@pytest.fixture
def told():
    """Configure the process's log, and return what it was told so far."""
    root = logging.getLogger()
    handlers, level, current = [*root.handlers], root.level, [*named._CURRENT]
    texts = []
    log = logs.configure(Settings(log_level="debug"), out=texts.append)

    def read():
        log.writer.flush()
        return [json.loads(line) for line in "".join(texts).splitlines()]

    yield read
    root.handlers[:], named._CURRENT[:] = handlers, current
    root.setLevel(level)


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        (lambda: logs.log_info("a", course=1), {"level": "info", "event": "a", "course": 1}),
        (lambda: logs.log_warning("a"), {"level": "warn"}),
        (lambda: logs.log_debug("a"), {"level": "debug"}),
        (lambda: logs.log_error("a", KeyError("x")), {"level": "error", "exception": "KeyError: 'x'"}),
        (
            lambda: logs.log_request("GET", "/a", 200, 1.5),
            {"kind": "request", "status": 200, "ms": 1.5, "level": "info"},
        ),
        (lambda: logs.log_request("GET", "/a", 503, 1.5), {"level": "error"}),
        (lambda: logs.log_query("SELECT 'secret'", 2), {"kind": "query", "query": "SELECT ?", "ms": 2}),
        (
            lambda: logs.log_api_call("bank", "/pay", 9, 200),
            {"kind": "api_call", "service": "bank", "endpoint": "/pay"},
        ),
        (lambda: logs.log_user_action("42", "enrolled"), {"kind": "user_action", "user_id": "42", "event": "enrolled"}),
        (lambda: logs.log_auth("sign-in", "42"), {"kind": "auth", "success": True, "level": "info"}),
        (lambda: logs.log_auth("sign-in", success=False), {"success": False, "level": "warn"}),
        (lambda: logs.log_payment("paid", 49.0, "EUR"), {"kind": "payment", "amount": 49.0, "currency": "EUR"}),
        (lambda: logs.log_system("started"), {"kind": "system"}),
        (lambda: logs.log_performance("import", 120), {"kind": "performance", "ms": 120}),
        (lambda: logs.log_security("probe", severity="low"), {"kind": "security", "level": "info"}),
        (lambda: logs.log_security("probe"), {"severity": "medium", "level": "warn"}),
        (lambda: logs.log_security("probe", severity="critical"), {"severity": "critical", "level": "error"}),
        (lambda: logs.log_cache("hit", "course:1"), {"kind": "cache", "cached": "course:1", "event": "hit"}),
        (lambda: logs.log_queue("email-queue", "done"), {"kind": "queue", "queue": "email-queue"}),
        (lambda: logs.get_logger(user=7).info("b"), {"user": 7, "event": "b"}),
    ],
)
def test_each_kind_of_event_has_its_fields(told, call, wanted):
    call()
    (line,) = told()
    assert wanted.items() <= line.items()


def test_what_the_standard_library_is_told_is_in_the_same_log(told):
    logger = logging.getLogger("some.library")
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        logger.log(level, "said %s", level)
    assert [(line["level"], line["event"], line["logger"]) for line in told()] == [
        ("debug", "said 10", "some.library"),
        ("info", "said 20", "some.library"),
        ("warn", "said 30", "some.library"),
        ("error", "said 40", "some.library"),
    ]
