"""Fusing is an optimisation only: any stack gives the same bytes, lines, decisions and calls, fused or not.

And so is the code that a chain writes of its steps: walked by the loops of `Passage`, it gives the same.
"""

from types import SimpleNamespace
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexus_middleware import (
    CORS,
    APIKey,
    BodyLimit,
    IPFilter,
    RateLimit,
    RequestID,
    RequestLogger,
    ResponseCache,
    SecurityHeaders,
)
from nexus_middleware.middleware.layer import Layer
from nexus_middleware.stores.memory import MemoryStore
from tests.helpers import Answer, Clock, Origin

ID = ("x-request-id", "given")
SHOP = ("origin", "https://shop.example")
SIMPLE = {
    "id": RequestID,
    "headers": SecurityHeaders,
    "body": lambda app: BodyLimit(app, 10),
    "ip": lambda app: IPFilter(app, deny=["198.51.100.1"]),
    "cors": lambda app: CORS(app, origins=[SHOP[1]]),
    "key": lambda app: APIKey(app, {"one": "1", "two": "2"}, paths=["/a"], header="x-key"),
}


class Marked(Layer):
    """Leaves a header, and notes that it was done."""

    def __init__(self, app, name, noted):
        super().__init__(app)
        self.name, self.noted = name, noted

    def after(self, request, head):
        head.add(b"x-mark", self.name)

    def done(self, request, status):
        self.noted.append((self.name, request.path, status))


class Kit:
    """The layers that a stack is made of; what they share is made anew for each stack."""

    def __init__(self):
        self.clock, self.lines, self.noted = Clock(), [], []
        self.store = MemoryStore(clock=self.clock)

    def make(self, kind, app):
        if kind == "log":
            return RequestLogger(
                app, log=lambda x: self.lines.append((x.path, x.status, x.request_id)), clock=self.clock
            )
        if kind == "limit":
            return RateLimit(app, "3/minute", store=self.store)
        if kind == "tight":
            return RateLimit(app, "2/minute", store=self.store, mode="shadow")
        if kind == "cache":
            return ResponseCache(app, store=self.store, clock=self.clock)
        if kind == "mark":
            return Marked(app, b"m", self.noted)
        return SIMPLE[kind](app)


WALKED = SimpleNamespace(  # what `unrolled` writes out, left to the loops
    go_in=lambda *_, waits: lambda passage: passage.advance(),
    go_out=lambda *_: lambda passage, head: passage.dress(head),
    end=lambda steps: lambda *told: [said for _, step in steps if (said := step(*told)) is not None],
)
KINDS = st.lists(st.sampled_from(["log", "limit", "tight", "cache", "mark", *SIMPLE]), max_size=7)
REQUESTS = st.lists(
    st.tuples(
        st.sampled_from(["/a", "/b", "/fails"]),
        st.sampled_from(["203.0.113.1", "198.51.100.1"]),
        st.sampled_from([b"", b"short", b"much too long for it"]),
        st.sampled_from([[], [SHOP], [SHOP, ("access-control-request-method", "PUT")], [("origin", "null")]]),
        st.sampled_from([[], [("x-key", "1")], [("x-key", "2")], [("x-key", "wrong")]]),
    ),
    min_size=1,
    max_size=8,
)


def say(path, headers):
    return Answer(
        [path.encode(), b"!"],
        headers=[("cache-control", "max-age=60"), ("set-cookie", "a=1")]
        if path == "/b"
        else [("cache-control", "max-age=60")],
        fails=path == "/fails",
        reads=True,
    )


def outcome(door, kinds, requests, *, fused):
    kit, origin = Kit(), Origin(say)
    app, seen = door.app(origin), []
    layers = []
    for kind in reversed(kinds):
        layer = kit.make(kind, app)
        layers.append(layer)
        app = door.inner(layer) if fused else door.gap(layer)
    for path, client, sent, from_where, key in requests:
        method = "OPTIONS" if len(from_where) > 1 else "POST" if sent else "GET"
        try:
            came = door.get(layers[-1], path, client=client, body=sent, method=method, headers=[ID, *from_where, *key])
            seen.append((came.status, sorted(came.pairs), came.body))
        except RuntimeError as error:
            seen.append(str(error))
    return seen, sorted(kit.lines), sorted(kit.noted), [path for path, _ in origin.asked], origin.bodies


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=KINDS.filter(bool), requests=REQUESTS)
def test_any_stack_says_and_does_the_same_fused_or_not(door, kinds, requests):
    fused = outcome(door, kinds, requests, fused=True)
    assert fused == outcome(door, kinds, requests, fused=False)
    with patch("nexus_middleware.middleware.chain.unrolled", WALKED):
        assert fused == outcome(door, kinds, requests, fused=True)
