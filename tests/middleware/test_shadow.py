"""Shadow: on any rules and any calls, no byte is another one, and what is counted is what would be if it were enforced."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nexus_middleware
from nexus_middleware import (
    CORS,
    AllowedHosts,
    APIKey,
    BodyLimit,
    CSPReports,
    DecisionLog,
    InputGuard,
    IPFilter,
    Layer,
    RateLimit,
    RequestID,
    ResponseCache,
    RPCLimit,
    RPCRule,
    Rule,
    SecurityHeaders,
    by_api_key,
    middleware,
)
from nexus_middleware.services.decisions import Decisions
from nexus_middleware.stores.memory import MemoryStore
from nexus_middleware.stores.redis import RedisStore
from tests.helpers import Answer, ASGIDoor, Clock, Origin, WSGIDoor

QUICK = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
LIMITS = st.builds("{}/{}".format, st.integers(1, 4), st.sampled_from(["second", "5seconds", "minute"]))
JSON, REPORT, KEY = ("content-type", "application/json"), ("content-type", "application/csp-report"), ("x-token", "b")
PREFLIGHT = (("origin", "https://evil.example"), ("access-control-request-method", "PUT"))
SHARED = (("access-control-allow-origin", "*"), ("cache-control", "max-age=60"))  # what the app itself says
BATCH = b'[{"id": 1, "method": "a"}, {"id": 2, "method": "b"}]'


class Call(NamedTuple):
    """One request, and the seconds before it."""

    method: str = "POST"
    path: str = "/"
    client: str = "203.0.113.7"
    headers: tuple[tuple[str, str], ...] = ()
    query: bytes = b""
    body: bytes | list[bytes] = b""
    pause: float = 0.0


CALLS = st.lists(
    st.builds(
        Call,
        st.sampled_from(["POST", "GET", "OPTIONS"]),
        st.sampled_from(["/", "/auth/login", "/api/items/7", "/csp-reports"]),
        st.sampled_from(["203.0.113.7", "2001:db8::1"]),
        st.sampled_from([(), (("x-token", "a"),), (KEY, JSON), (JSON,), (REPORT,), PREFLIGHT, PREFLIGHT[:1]]),
        st.sampled_from([b"", b"q=1' OR '1'='1"]),
        st.sampled_from([b"", b"0123456789", b'{"id": 1, "method": "tools/call"}', BATCH, [b"01234", b"56789"]]),
        st.sampled_from([0.0, 0.0, 0.3, 1.0, 61.0]),
    ),
    min_size=1,
    max_size=20,
)
RPC = RPCRule("1/minute", name="all")


class Judge(NamedTuple):
    """A layer that refuses, and what it refuses for sure."""

    kind: type[Layer]
    options: dict[str, Any]
    calls: list[Call]
    stores: bool = False

    def around(self, app, mode, store):
        """Make it."""
        options = {**self.options, "store": store} if self.stores else self.options
        return self.kind(app, **options, mode=mode)


JUDGES = {
    "filter": Judge(IPFilter, {"deny": ["203.0.113.0/24"]}, [Call()]),
    "hosts": Judge(AllowedHosts, {"hosts": ["other.example"]}, [Call()]),
    "body": Judge(BodyLimit, {"limit": 5}, [Call(body=b"0123456789")]),
    "streamed": Judge(BodyLimit, {"limit": 5}, [Call(path="/auth/login", body=[b"01234", b"56789"])]),
    "keys": Judge(APIKey, {"keys": {"shop": "b"}, "header": "x-token"}, [Call(path="/api/items/7")]),
    "guard": Judge(InputGuard, {}, [Call(query=b"q=1' OR '1'='1")]),
    "limit": Judge(RateLimit, {"limit": "1/minute"}, [Call(), Call()], stores=True),
    "calls": Judge(RPCLimit, {"rules": [RPC]}, [Call(headers=(JSON,))] * 2, stores=True),
    "batch": Judge(RPCLimit, {"rules": [RPC]}, [Call(headers=(JSON,), body=BATCH)], stores=True),
    "cors": Judge(CORS, {"origins": ["https://shop.example"]}, [Call("OPTIONS", headers=PREFLIGHT)]),
    "reports": Judge(CSPReports, {"record": lambda *_: None}, [Call(path="/csp-reports", headers=(REPORT,))]),
}
SHADOWS = {
    **{name: partial(judge.around, mode="shadow") for name, judge in JUDGES.items()},
    "call": lambda app, store: RPCLimit(app, [replace(RPC, mode="shadow")], store=store),
    "rule": lambda app, store: RateLimit(app, [Rule("1/minute", name="watched", mode="shadow")], store=store),
    "path": lambda app, store: InputGuard(app, paths={"*": "shadow"}),
}
ANSWERS = {  # that refuse nobody of themselves: what they say is what the app has said, or what their caller asks for
    "ResponseCache": "a stored answer is the app's; the 504 of only-if-cached is what a caller asks for (RFC 9111, 5.2.1.7)",
}
for _module in pkgutil.walk_packages(middleware.__path__, f"{middleware.__name__}."):
    importlib.import_module(_module.name)


def derived(kind):
    """Yield all classes that are made of a class, however far down."""
    for each in kind.__subclasses__():
        yield each
        yield from derived(each)


LAYERS = {kind.__name__: kind for kind in derived(Layer) if kind.__module__.startswith("nexus_")}


def replies(kind):
    """Whether a layer's module, or folder, makes answers of its own."""
    path = Path(inspect.getfile(kind))
    sources = [path] if path.parent.name == "middleware" else path.parent.glob("*.py")
    called = [node.func for x in sources for node in ast.walk(ast.parse(x.read_text())) if isinstance(node, ast.Call)]
    return any(getattr(each, "id", "") in ("Reply", "problem", "refusal") for each in called)


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_every_layer_that_refuses_knows_shadow_and_is_tried_in_it(name):
    kind = LAYERS[name]
    refuses = replies(kind) and name not in ANSWERS

    assert refuses is ("mode" in inspect.signature(kind).parameters)
    assert refuses is any(judge.kind is kind for judge in JUDGES.values())


def test_every_layer_that_is_public_is_looked_at():
    public = [getattr(nexus_middleware, name) for name in nexus_middleware.__all__]
    kinds = {kind.__name__ for kind in public if isinstance(kind, type) and issubclass(kind, Layer)} - {"Layer"}

    assert kinds <= LAYERS.keys()
    assert ANSWERS.keys() <= kinds


def run(door, layer, calls, clock):
    """Return every byte that came back, apart from ids and times."""
    told = []
    for method, path, client, headers, query, body, pause in calls:
        clock.now += pause
        seen = door.get(layer, path, client=client, headers=headers, query=query, body=body, method=method)
        told.append((seen.status, seen.pairs, seen.body))
    return told


def say(path, headers):
    """Answer for the app, which reads some bodies and leaves others."""
    return Answer(reads=path == "/auth/login", headers=[*SHARED])


@QUICK
@given(
    calls=CALLS, limit=LIMITS, names=st.sets(st.sampled_from(sorted(SHADOWS)), min_size=1), door=st.sampled_from("aw")
)
def test_no_byte_of_any_answer_is_another_one_for_layers_and_rules_in_shadow(calls, limit, names, door):
    said = []
    for shadows in ((), sorted(names)):
        clock, driver = Clock(), ASGIDoor() if door == "a" else WSGIDoor()
        store, origin = MemoryStore(clock=clock), Origin(say)
        cached = driver.inner(ResponseCache(driver.app(origin), clock=clock))
        rules = [Rule(limit, name="binds"), Rule("3/minute", key=by_api_key, name="keyed")]
        app = RateLimit(cached, rules, store=store, headers="both")
        for name in shadows:
            app = SHADOWS[name](driver.inner(app), store=store)
        app = DecisionLog(SecurityHeaders(driver.inner(BodyLimit(driver.inner(app), 9))), record=lambda record: None)
        try:
            said.append((run(driver, app, calls, clock), origin.asked, origin.bodies))
        finally:
            driver.close()
    assert said[0] == said[1]


def judged(judge, mode, calls, door):
    """Return what a layer said of each call, whether that was enforced or not, and the counts by rule."""
    clock, driver, decisions = Clock(), door(), Decisions()
    word = "answered" if mode == "enforce" else "would answer"
    layer = judge.around(driver.app(Origin(say)), mode, MemoryStore(clock=clock))
    told = []

    def record(record):
        decisions.note(record)
        told.append([(d.status, d.why) for d in record.decisions if d.verdict == word])

    app = DecisionLog(driver.inner(layer), record=record, sample=1.0)
    try:
        run(driver, app, calls, clock)
    finally:
        driver.close()
    return told, [
        (x["layer"], x["rule"], x["refused" if mode == "enforce" else "wouldRefuse"]) for x in decisions.counts()
    ]


@QUICK
@given(calls=CALLS, door=st.sampled_from([ASGIDoor, WSGIDoor]))
@pytest.mark.parametrize("name", sorted(JUDGES))
def test_a_layer_in_shadow_would_refuse_and_count_what_it_refuses_where_it_is_enforced(name, calls, door):
    judge = JUDGES[name]

    assert judged(judge, "enforce", calls, door) == judged(judge, "shadow", calls, door)


@pytest.mark.parametrize("mode", ["enforce", "shadow"])
@pytest.mark.parametrize("name", sorted(JUDGES))
def test_what_a_layer_refuses_is_counted_in_either_mode(name, mode, door):
    judge = JUDGES[name]
    _, counts = judged(judge, mode, judge.calls, type(door))

    assert [(layer, count) for layer, _, count in counts] == [(judge.kind.__name__, 1)]


def _counted(store, told):
    """What is left of a rule after each call, and whether it would have let it pass."""
    return [
        [(x.count, x.allowed) for decision in record.decisions for x in decision.rules if x.rule == "watched"]
        for record in told
    ]


@QUICK
@given(calls=CALLS, limit=LIMITS, strategy=st.sampled_from(["sliding-window", "gcra"]), kept=st.booleans())
@pytest.mark.parametrize("where", ["memory", "redis"])
def test_a_rule_in_shadow_counts_what_it_would_count_if_it_were_enforced(
    where, redis_url, calls, limit, strategy, kept
):
    """Of the same calls, an app that answers the refused ones too makes no difference to the counter."""
    counts = []
    rule = Rule(limit, name="watched", count_when=(lambda request, status: status < 400) if kept else None)
    for mode in ("enforce", "shadow"):
        clock, door, told = Clock(), ASGIDoor(), []
        store = MemoryStore(clock=clock) if where == "memory" else RedisStore(redis_url, budget=5, clock=clock)
        if isinstance(store, RedisStore):
            store.client.flushall()
        app = RateLimit(
            door.app(Origin(lambda path, headers: Answer(status=200))),
            [replace(rule, mode=mode)],
            strategy=strategy,
            store=store,
        )
        app = RequestID(DecisionLog(app, record=told.append, sample=1.0))
        try:
            run(door, app, calls, clock)
            counts.append(_counted(store, told))
        finally:
            door.close()
            store.close()
    assert counts[0] == counts[1]
    assert len(counts[0]) == len(calls)


@QUICK
@given(calls=CALLS, limits=st.lists(LIMITS, min_size=1, max_size=3), watched=LIMITS)
def test_a_rule_in_shadow_leaves_what_the_others_count_alone(calls, limits, watched):
    said = []
    for also in ([], [Rule(watched, name="watched", mode="shadow")]):
        clock, door, told = Clock(), ASGIDoor(), []
        rules = [*[Rule(limit, name=f"r{n}") for n, limit in enumerate(limits)], *also]
        app = RateLimit(door.app(Origin()), rules, store=MemoryStore(clock=clock))
        app = DecisionLog(app, record=told.append, sample=1.0)
        try:
            run(door, app, calls, clock)
        finally:
            door.close()
        said.append([[x for d in record.decisions for x in d.rules if x.rule != "watched"] for record in told])
    assert said[0] == said[1]
