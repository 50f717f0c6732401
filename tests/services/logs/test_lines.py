"""What reaches a file: no secret, nothing that steers, nothing endless; the request's id on every line of it."""

import json
import logging
import re

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from nexus_middleware import RequestID, RequestLogger, Settings, SettingsError
from nexus_middleware.http import ORIGIN
from nexus_middleware.services import logs
from nexus_middleware.services.logs import Log, named, standard
from nexus_middleware.services.logs.lines import LARGEST
from tests.helpers import Answer, Origin

STEERS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
NASTY = st.text(st.sampled_from('\r\n\x1b\x00\x07\x7f\x85\x9b\u202e\u2066\u200f\u2028\ufeff\ud800[2Jaé"\\{}:'))


def told(log, texts):
    log.writer.flush()
    return [json.loads(row) for row in "".join(texts).splitlines()]


def make(**settings):
    texts = []
    return Log(Settings(**settings), out=texts.append), texts


@settings(max_examples=50, deadline=None)
@given(event=NASTY, name=NASTY, value=NASTY)
def test_nothing_that_is_logged_makes_a_line_of_its_own_or_steers_who_reads_it(event, name, value):
    log, texts = make()
    log.info(
        event,
        **{f"f{name}": value, "nested": {name: [value, {value: name}], "bytes": value.encode("utf-8", "replace")}},
    )
    try:
        raise ValueError(value)
    except ValueError as error:
        log.error(event, error)
    log.writer.flush()
    text = "".join(texts)
    assert text.count("\n") == 2
    assert not STEERS.search(text)
    text.encode()
    assert [json.loads(row)["level"] for row in text.splitlines()] == ["info", "error"]


@settings(max_examples=50, deadline=None)
@given(path=NASTY, agent=NASTY)
def test_nor_does_what_a_client_sends(path, agent):
    from nexus_middleware.middleware.request_logger import AccessLine

    log, texts = make()
    log.access(AccessLine(0.0, "GET", f"/{path}", 200, 0.1, "203.0.113.7", "", agent))
    log.writer.flush()
    assert "".join(texts).count("\n") == 1
    assert not STEERS.search("".join(texts))


PASSWORDS = st.text("abcdefghjkmnpqrstuvwxyz23456789", min_size=12, max_size=30)


@settings(max_examples=30, deadline=None)
@given(PASSWORDS)
def test_no_secret_reaches_a_line_by_any_way_in(secret):
    log, texts = make(log_level="debug")

    def connect(password):
        raise ConnectionError(f"no answer from redis://:{password}@cache:6379/0?token={password}")

    log.bind(api_key=secret).info("a", user={"password": secret, "cards": [{"card_number": secret}]})
    log.info(
        f"GET /reset?token={secret}&x=1", headers=[("Authorization", f"Bearer {secret}"), ("cookie", f"a={secret}")]
    )
    log.warning("store", url=f"rediss://app:{secret}@cache/0")
    try:
        try:
            connect(secret)
        except ConnectionError as error:
            raise RuntimeError(f"secret={secret!r}") from error
    except RuntimeError as error:
        log.error("failed", error, detail=repr({"password": secret}))
    from nexus_middleware.middleware.request_logger import AccessLine

    log.access(AccessLine(0.0, "GET", f"/cb;token={secret}", 200, 0.1, "203.0.113.7", "", f"password={secret}"))
    assert len(told(log, texts)) == 5
    assert secret not in "".join(texts)
    assert "[redacted]" in "".join(texts)


def test_a_line_has_an_end_whatever_is_logged():
    log, texts = make()
    log.info("x" * 10**6, rows=[["y" * 10_000] * 100] * 100, **{f"f{n}": "z" * 8_000 for n in range(50)})
    loop = []
    loop.append(loop)
    log.info("loop", loop=loop, odd=object, function=make, number=10**100)

    def deep(n):
        return deep(n - 1) if n else 1 / 0

    try:
        deep(900)
    except ZeroDivisionError as error:
        log.error("deep", error)
    first, second, third = told(log, texts)
    assert first["cut"] > LARGEST and len(first["event"]) <= 1_000
    assert second["loop"] and "class 'object'" in second["odd"]
    assert len(third["exception"]) < 20_000 and third["exception"].endswith("ZeroDivisionError: division by zero")
    assert max(map(len, "".join(texts).splitlines())) <= LARGEST + 2_000


TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_every_line_of_a_request_has_its_id_and_its_trace(door):
    log, texts = make()

    def say(path, headers):
        log.info("from the app", step=1)
        structlog.contextvars.bind_contextvars(course=7)
        log.bind(user=3).warning("and again")
        structlog.contextvars.clear_contextvars()
        return Answer()

    app = RequestID(RequestLogger(door.app(Origin(say)), log=log.access))
    door.get(app, "/", headers=[("x-request-id", "abc.1"), ("traceparent", TRACEPARENT)])
    door.get(app, "/", headers=[("x-request-id", "abc.2"), ("traceparent", "00-\x1b[2J-nonsense")])
    lines = told(log, texts)
    assert [line["request_id"] for line in lines] == ["abc.1"] * 3 + ["abc.2"] * 3
    assert [line.get("traceparent") for line in lines] == [TRACEPARENT] * 3 + [None] * 3
    assert lines[1]["course"] == 7 and lines[1]["user"] == 3 and "course" not in lines[3]


def test_a_job_s_lines_have_the_id_of_the_request_that_queued_it():
    class Made:
        request_id = "abc.1"

        def header(self, name):
            return TRACEPARENT.encode()

    log, texts = make()
    token = ORIGIN.set(Made())
    log.info("in the job")
    ORIGIN.reset(token)
    log.info("outside")
    inside, outside = told(log, texts)
    assert (inside["request_id"], inside["traceparent"]) == ("abc.1", TRACEPARENT)
    assert "request_id" not in outside


def test_the_level_is_changed_while_it_runs_for_all_that_were_bound_before(door):
    log, texts = make(log_level="warn")
    child = log.bind(part="import")
    app = RequestLogger(door.app(Origin()), log=log.access)
    child.info("hidden")
    door.get(app, "/hidden")
    log.writer.flush()
    log.level = "debug"
    child.debug("shown")
    door.get(app, "/shown")
    log.writer.flush()
    log.level = "error"
    child.warning("hidden")
    child.error("shown")
    assert [line.get("path", line["event"]) for line in told(log, texts)] == ["shown", "/shown", "shown"]
    assert child.level == "error"
    with pytest.raises(SettingsError, match="level='loud' must be one of debug, http, info, warn, error"):
        log.level = "loud"


@pytest.mark.parametrize(("setting", "client"), [("whole", "203.0.113.7"), ("network", "203.0.113.0"), ("none", "")])
def test_addresses_are_told_as_the_settings_say(door, setting, client):
    log, texts = make(log_clients=setting)
    door.get(RequestLogger(door.app(Origin()), log=log.access), "/")
    assert told(log, texts)[0]["client"] == client


@pytest.fixture
def process():
    """Configure the process's log, and return what it was told so far; all is put back."""
    import signal

    root = logging.getLogger()
    handlers, level, current = [*root.handlers], root.level, [*named._CURRENT]
    servers = [(logger, logger.level, logger.propagate) for logger in map(logging.getLogger, standard.SERVERS)]
    for logger, *_ in servers:  # a server that ran in this process may have left its own
        logger.setLevel(logging.NOTSET)
        logger.propagate = True
    ending = signal.getsignal(signal.SIGTERM)
    texts = []
    log = logs.configure(Settings(log_level="debug"), out=texts.append)
    yield lambda: told(log, texts)
    root.handlers[:], named._CURRENT[:] = handlers, current
    root.setLevel(level)
    for logger, own, propagate in servers:
        logger.setLevel(own)
        logger.propagate = propagate
    structlog.reset_defaults()
    signal.signal(signal.SIGTERM, ending)


def test_servers_and_libraries_write_in_the_same_shape(process):
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7, extra={"color_message": "…"})
    args = ("203.0.113.7:4000", "GET", "/a?token=hunter2", "1.1", 200)
    logging.getLogger("uvicorn.access").info('%s - "%s %s HTTP/%s" %d', *args)
    atoms = {"h": "203.0.113.7", "m": "GET", "U": "/a", "s": "200", "D": 1500, "a": "probe", "q": "token=hunter2"}
    logging.getLogger("gunicorn.access").info("%(h)s %(m)s", atoms)
    logging.getLogger("rq.worker").warning("odd %s", "thing", extra={"job": "7"})
    structlog.get_logger("shop").info("bought", password="hunter2")
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
        structlog.get_logger().exception("failed")
    broken = logging.makeLogRecord({"name": "broken", "msg": "%d", "args": ("no number",), "levelno": 20})
    logging.getLogger().handlers[0].emit(broken)
    lines = process()
    for line in lines:
        assert [*line][:3] == ["at", "level", "event"]
    server, uvicorn, gunicorn, rq, shop, raised, failed, broken = lines
    assert server["event"] == "Started server process [7]" and "color_message" not in server
    same = {"kind": "request", "method": "GET", "path": "/a", "status": 200, "client": "203.0.113.7"}
    assert uvicorn.items() >= same.items() and gunicorn.items() >= (same | {"ms": 1.5}).items()
    assert (rq["level"], rq["event"], rq["job"], rq["logger"]) == ("warn", "odd thing", "7", "rq.worker")
    assert shop["password"] == "[redacted]"
    assert all("ZeroDivisionError" in line["exception"] and line["level"] == "error" for line in (raised, failed))
    assert "unread" in broken and raised["event"] == "Exception in ASGI application"
    assert "hunter2" not in json.dumps(lines)


def test_a_server_s_access_log_that_was_turned_off_stays_off():
    logger = logging.getLogger("uvicorn.access")
    root = logging.getLogger()
    before, own = [*root.handlers], [*logger.handlers]
    logger.propagate, logger.handlers[:] = False, []
    try:
        standard.lead(make()[0])
        assert not logger.hasHandlers()
    finally:
        root.handlers[:], logger.handlers[:], logger.propagate = before, own, True


def test_the_log_of_a_stack_is_the_process_s_until_another_is_configured(tmp_path, monkeypatch):
    from nexus_middleware.runtime import Runtime

    monkeypatch.setattr(named, "_CURRENT", [])
    runtime = Runtime(Settings(log_dir=str(tmp_path), log_level="error"))
    assert runtime.log
    logs.log_error("failed", course=7)
    assert json.loads((tmp_path / "error.log").read_text())["course"] == 7
