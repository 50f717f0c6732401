"""A layer's modes, and the record of what each layer decided."""

import pytest

from nexus_middleware.errors import SettingsError
from nexus_middleware.middleware.layer import Layer
from tests.helpers import Answer, Origin
from tests.middleware.test_chain import Watch


def test_a_layer_in_shadow_shows_nothing_and_says_what_it_would_have_done(door):
    origin, log = Origin(), []
    app = Watch(Watch(door.app(origin), "in", log, refuses=True, mode="shadow"), "out", log)
    seen = door.get(app)

    assert (seen.status, seen.headers.keys() & {"x-in", "x-out"}) == (200, {"x-out"})
    assert [(d.verdict, d.status, d.why) for d in origin.seen.decisions] == [
        ("passed", None, "because out"),
        ("would answer", 403, "because in"),
    ]


def test_a_layer_that_is_off_is_not_there(door):
    log = []
    app = Watch(Watch(door.app(Origin()), "in", log), "out", log, refuses=True, mode="off")

    assert door.get(app).status == 200
    assert [layer.name for layer in app.chain.layers] == ["in"]


def test_the_record_of_decisions_spans_the_chains_and_names_what_was_not_reached(door):
    requests, log = [], []
    inner = Watch(Watch(door.app(Origin()), "c", log), "b", log, refuses=True)
    app = Peek(door.gap(inner), requests)
    door.get(app)

    verdicts = [(d.layer, d.verdict, d.status) for d in requests[-1]]
    assert verdicts == [("Peek", "passed", None), ("Watch", "answered", 403), ("Watch", "not reached", None)]


class Peek(Layer[None]):
    def __init__(self, app, requests):
        super().__init__(app)
        self.requests = requests

    def before(self, request, answer):
        self.request = request

    def done(self, request, status):
        holder = request.scope["state"]["nexus"] if hasattr(request, "scope") else request.environ["nexus.request"]
        self.requests.append(holder.decisions)


def test_the_app_may_use_one_list_of_headers_again_and_again(door):
    pairs = [("x", "1")]
    app = Watch(door.app(Origin(lambda path, headers: Answer(headers=pairs))), "a", [])

    assert door.get(app).pairs == door.get(app).pairs
    assert pairs == [("x", "1")]


def test_a_wrong_mode_is_told_at_construction(door):
    with pytest.raises(SettingsError, match="mode='on' must be one of enforce, shadow, off"):
        Watch(door.app(Origin()), "a", [], mode="on")
