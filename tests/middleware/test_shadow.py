"""Shadow: on any rules and any calls, no byte is another one, and what is counted is what would be if it were enforced."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexus_middleware import (
    AllowedHosts,
    APIKey,
    BodyLimit,
    InputGuard,
    IPFilter,
    RateLimit,
    RequestID,
    RPCLimit,
    RPCRule,
    Rule,
    SecurityHeaders,
)
from nexus_middleware.middleware.decision_log import DecisionLog
from nexus_middleware.stores.memory import MemoryStore
from nexus_middleware.stores.redis import RedisStore
from tests.helpers import Answer, ASGIDoor, Clock, Origin, WSGIDoor

QUICK = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
LIMITS = st.builds("{}/{}".format, st.integers(1, 4), st.sampled_from(["second", "5seconds", "minute"]))
CALLS = st.lists(
    st.tuples(
        st.sampled_from(["/", "/auth/login", "/api/items/7"]),
        st.sampled_from(["203.0.113.7", "2001:db8::1"]),
        st.sampled_from([(), (("x-api-key", "a"),), (("x-api-key", "b"), ("content-type", "application/json"))]),
        st.sampled_from([b"", b"q=1' OR '1'='1"]),
        st.sampled_from([b"", b"0123456789", b'{"id": 1, "method": "tools/call"}']),
        st.sampled_from([0.0, 0.0, 0.3, 1.0, 61.0]),
    ),
    min_size=1,
    max_size=20,
)
JUDGES = {  # every layer that refuses, by the class that it is
    "filter": lambda app, mode, store: IPFilter(app, deny=["203.0.113.0/24"], mode=mode),
    "hosts": lambda app, mode, store: AllowedHosts(app, ["other.example"], mode=mode),
    "body": lambda app, mode, store: BodyLimit(app, 5, mode=mode),
    "keys": lambda app, mode, store: APIKey(app, {"shop": "b"}, mode=mode),
    "guard": lambda app, mode, store: InputGuard(app, mode=mode),
    "limit": lambda app, mode, store: RateLimit(app, "1/minute", store=store, mode=mode),
    "calls": lambda app, mode, store: RPCLimit(app, [RPCRule("1/minute", name="all")], store=store, mode=mode),
}
WATCHED = Rule("1/minute", name="watched", mode="shadow")
SHADOWS = {
    **{name: lambda app, store, make=make: make(app, "shadow", store) for name, make in JUDGES.items()},
    "call": lambda app, store: RPCLimit(app, [RPCRule("1/minute", name="watched", mode="shadow")], store=store),
    "rule": lambda app, store: RateLimit(app, [WATCHED], store=store),
}


def run(door, layer, calls, clock):
    """Return every byte that came back, apart from ids and times."""
    told = []
    for path, client, headers, query, body, pause in calls:
        clock.now += pause
        seen = door.get(layer, path, client=client, headers=headers, query=query, body=body, method="POST")
        told.append((seen.status, seen.pairs, seen.body))
    return told


@QUICK
@given(
    calls=CALLS, limit=LIMITS, names=st.sets(st.sampled_from(sorted(SHADOWS)), min_size=1), door=st.sampled_from("aw")
)
def test_no_byte_of_any_answer_is_another_one_for_layers_and_rules_in_shadow(calls, limit, names, door):
    said = []
    for shadows in ((), sorted(names)):
        clock, driver = Clock(), ASGIDoor() if door == "a" else WSGIDoor()
        store = MemoryStore(clock=clock)
        app = RateLimit(driver.app(Origin()), [Rule(limit, name="binds")], store=store, headers="both")
        for name in shadows:
            app = SHADOWS[name](app if door == "a" else app.wsgi, store)
        app = DecisionLog(SecurityHeaders(app), record=lambda record: None)
        try:
            said.append(run(driver, app, calls, clock))
        finally:
            driver.close()
    assert said[0] == said[1]


@QUICK
@given(calls=CALLS, door=st.sampled_from([ASGIDoor, WSGIDoor]))
@pytest.mark.parametrize("name", sorted(JUDGES))
def test_a_layer_in_shadow_would_refuse_what_it_refuses_where_it_is_enforced(name, calls, door):
    verdicts = []
    for mode, word in (("enforce", "answered"), ("shadow", "would answer")):
        clock, driver, told = Clock(), door(), []
        layer = JUDGES[name](driver.app(Origin()), mode, MemoryStore(clock=clock))
        app = DecisionLog(layer if door is ASGIDoor else layer.wsgi, record=told.append, sample=1.0)
        try:
            run(driver, app, calls, clock)
        finally:
            driver.close()
        kind = type(layer).__name__
        verdicts.append(
            [[(d.status, d.why) for d in x.decisions if (d.layer, d.verdict) == (kind, word)] for x in told]
        )
    assert verdicts[0] == verdicts[1]


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
