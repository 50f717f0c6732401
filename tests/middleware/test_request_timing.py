"""RequestTiming and RequestLogger: what is told of each request, once."""

import flask
import pytest

from nexus_middleware.middleware.body_limit import BodyLimit
from nexus_middleware.middleware.request_id import RequestID
from nexus_middleware.middleware.request_logger import RequestLogger
from nexus_middleware.middleware.request_timing import RequestTiming
from tests.helpers import Answer, Origin, WSGIDoor


def test_each_request_is_recorded_once_with_its_times_to_the_first_and_the_last_byte(door, clock):
    records = []
    slow = Origin(lambda path, headers: Answer([b"a", b"b"]))
    app = RequestTiming(
        door.app(slow), record=lambda request, *facts: records.append((request.path, *facts)), clock=clock
    )

    def tick(*_):
        clock.now += 1

    door.get(app, "/slow", on_chunk=tick)
    assert records == [("/slow", 200, 2.0, 0.0)]


@pytest.mark.parametrize(
    ("kind", "noted"),
    [("text/event-stream; charset=utf-8", "stream"), ("application/x-ndjson", "stream"), ("text/html", None)],
)
def test_a_stream_is_marked_if_it_lasts(door, clock, kind, noted):
    seen = []
    origin = Origin(lambda path, headers: Answer([b"a", b"b"], headers=[("content-type", kind)]))
    app = RequestTiming(
        door.app(origin), record=lambda request, *facts: seen.append(request.notes.get("noted")), clock=clock
    )

    def tick(*_):
        clock.now += 1

    door.get(app, on_chunk=tick)
    door.get(app)
    assert seen == [noted, None]


def test_a_request_whose_app_fails_is_recorded_as_a_500(door, clock):
    records = []
    app = RequestTiming(
        door.app(Origin(lambda path, headers: Answer(fails=True))),
        record=lambda request, status, seconds, first: records.append((status, first)),
        clock=clock,
    )
    with pytest.raises(RuntimeError):
        door.get(app)
    assert records == [(500, None)], "the app sent no first byte"


def test_the_time_to_the_first_byte_is_told_to_browsers_if_wanted(door, clock):
    app = RequestTiming(door.app(Origin()), server_timing=True, clock=clock)
    assert door.get(app).headers["server-timing"] == "app;dur=0.0"


def test_one_line_says_who_asked_what_and_how_it_ended(door, clock):
    lines = []
    app = RequestID(RequestLogger(door.app(Origin()), log=lines.append, clock=clock))
    door.get(app, "/a", method="POST", headers=[("user-agent", "curl/8" + "x" * 300), ("x-request-id", "r1")])

    line = lines[0]
    assert (line.method, line.path, line.status, line.client, line.request_id) == (
        "POST",
        "/a",
        200,
        "203.0.113.7",
        "r1",
    )
    assert (len(line.agent), line.seconds, line.at, len(lines)) == (200, 0.0, clock.now, 1)


def test_a_refused_request_is_logged_too_and_an_exempt_path_is_not(door, clock):
    lines = []
    app = RequestLogger(door.app(Origin(lambda path, headers: Answer(status=404))), log=lines.append, exempt=["/livez"])
    for path in ("/livez", "/x"):
        door.get(app, path)
    assert [(line.path, line.status) for line in lines] == [("/x", 404)]


def test_without_a_log_the_standard_librarys_takes_the_lines_with_nothing_that_breaks_them(door, caplog):
    caplog.set_level("INFO", "nexus_middleware.access")
    door.get(RequestLogger(door.app(Origin())), "/a\r\nb\x1b")
    assert len(caplog.messages) == 1
    assert caplog.messages[0].isprintable()
    assert '"path":"/a\\r\\nb\\u001b"' in caplog.messages[0]


def test_the_route_that_flask_matched_is_known_when_the_request_is_recorded():
    site, routes = flask.Flask("site"), []
    site.add_url_rule("/items/<int:number>", view_func=lambda number: f"{number}")
    inner = BodyLimit(site.wsgi_app)  # it gives the app an environ of its own

    app = RequestTiming(inner.wsgi, record=lambda request, *facts: routes.append(request.route))
    WSGIDoor().get(app, "/items/3")
    WSGIDoor().get(app, "/none")

    assert routes == ["/items/<int:number>", ""]
