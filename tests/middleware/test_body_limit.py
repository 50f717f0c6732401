"""BodyLimit: what is said of a body, what really comes, and who is told."""

import json

import pytest

from nexus_middleware import BodyLimit, DecisionLog, InputGuard, SettingsError
from tests.helpers import Answer, Origin


def reading():
    return Origin(lambda path, headers: Answer(reads=True))


def test_a_body_within_the_limit_reaches_the_app_whole(door):
    origin = reading()
    app = BodyLimit(door.app(origin), 10)

    assert door.get(app, method="POST", body=b"0123456789").status == 200
    assert door.get(app, method="POST", body=[b"01234", b"56789"]).status == 200
    assert origin.bodies == [b"0123456789"] * 2


def test_an_announced_body_over_the_limit_is_refused_before_the_app_runs(door):
    origin = reading()
    seen = door.get(BodyLimit(door.app(origin), 10), method="POST", body=b"01234567890")

    assert (seen.status, json.loads(seen.body)["title"], origin.asked) == (413, "Content Too Large", [])


def test_a_streamed_body_over_the_limit_is_refused_once_and_cut_for_the_app(door):
    origin = reading()
    seen = door.get(BodyLimit(door.app(origin), 10), method="POST", body=[b"0123456", b"7890"])

    assert (seen.status, origin.bodies) == (413, [])


def test_the_client_is_told_413_even_if_the_app_catches_the_cut(door):
    async def asgi(scope, receive, send):
        while (await receive())["type"] != "http.disconnect":
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"fine"})
        raise RuntimeError("nobody is there")

    def wsgi(environ, start_response):
        try:
            environ["wsgi.input"].read()
        except OSError:
            start_response("200 OK", [])
        return [b"fine"]

    app = BodyLimit(asgi if door.name == "asgi" else wsgi, 10)
    assert door.get(app, method="POST", body=[b"0123456", b"7890"]).status == 413


@pytest.mark.parametrize("length", ["-1", "1e9", "+5", "5, 5", "0x10", "", "\uff15"])
def test_a_length_that_is_none_is_a_bad_request(door, length):
    value = length if length.isascii() else length.encode().decode("latin-1")
    seen = door.get(BodyLimit(door.app(reading())), method="POST", body=[b"x"], headers=[("content-length", value)])
    assert seen.status == 400


def test_two_lengths_are_a_bad_request(asgi_door):
    headers = [("content-length", "1"), ("content-length", "1")]
    assert asgi_door.get(BodyLimit(reading().asgi), method="POST", body=[b"x"], headers=headers).status == 400


def test_the_longest_path_that_fits_sets_the_limit(door):
    app = BodyLimit(door.app(reading()), 5, paths={"/upload": 10, "/upload/big": 20})

    sizes = [("/", 6), ("/upload", 10), ("/upload", 11), ("/upload/big/1", 20), ("/uploads", 6)]
    assert [door.get(app, path, method="POST", body=b"x" * n).status for path, n in sizes] == [413, 200, 413, 200, 413]


@pytest.mark.parametrize(
    "spelling", ["/UPLOAD/", "//upload", "/%75pload", "/upload/../Small", "/small;x", "/x/../small"]
)
def test_no_spelling_of_a_path_has_a_higher_limit(door, spelling):
    app = BodyLimit(door.app(reading()), 50, paths={"/small/*": 5, "/upload": 5})

    assert door.get(app, spelling, method="POST", body=b"x" * 6).status == 413


def test_a_path_that_begins_with_no_slash_is_told_at_construction():
    with pytest.raises(SettingsError, match="'upload' must begin with /"):
        BodyLimit(None, paths={"upload": 5})


def test_in_shadow_nothing_is_refused(door):
    origin = reading()
    app = BodyLimit(door.app(origin), 5, mode="shadow")

    assert [door.get(app, method="POST", body=b).status for b in (b"0123456789", [b"01234", b"56789"])] == [200, 200]
    assert origin.bodies == [b"0123456789"] * 2


@pytest.mark.parametrize(("mode", "outcome"), [("enforce", "refused"), ("shadow", "would refuse")])
def test_a_streamed_body_over_the_limit_is_this_layer_s_refusal_in_the_record(door, mode, outcome):
    told = []
    app = DecisionLog(door.inner(BodyLimit(door.app(reading()), 5, mode=mode)), record=told.append)
    door.get(app, method="POST", body=[b"01234", b"56789"])

    assert [(x.outcome, x.decisions[-1].why) for x in told] == [(outcome, "more than 5 bytes came")]


@pytest.mark.parametrize("body", [b"0123456", [b"0123", b"456"]])
def test_a_limit_in_shadow_leaves_a_wider_one_that_binds_as_it_is(door, body):
    inner = BodyLimit(door.app(reading()), 5, mode="shadow")
    app = BodyLimit(door.inner(inner), 7)

    assert door.get(app, method="POST", body=body).status == 200
    assert door.get(app, method="POST", body=[b"0123", b"4567"]).status == 413


def test_a_body_that_the_app_leaves_unread_is_not_refused_for_a_reader_in_shadow(door):
    app = BodyLimit(door.inner(InputGuard(door.app(Origin()), mode="shadow")), 5)
    seen = door.get(app, method="POST", body=[b'{"a":', b'"0123"}'], headers=[("content-type", "application/json")])

    assert seen.status == 200


def test_a_limit_of_nothing_is_told_at_construction(door):
    with pytest.raises(SettingsError, match="limit=0 is in bytes and must be above 0"):
        BodyLimit(door.app(reading()), 0)
