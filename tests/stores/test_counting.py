"""Counting: both stores agree to the microsecond, and no window ever holds more than the limit."""

from collections import deque

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexus_middleware.rules.windows import Limit
from nexus_middleware.stores.commands import Get, GiveBack, Hit, Tell
from nexus_middleware.stores.memory import MemoryStore
from nexus_middleware.stores.redis import RedisStore
from tests.helpers import Clock

GAPS = st.lists(st.floats(0, 5).map(lambda gap: round(gap, 3)), max_size=120)
QUICK = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def admitted(store, clock, limit, gaps):
    times = []
    for gap in gaps:
        clock.now += gap
        if store.run([Hit((("k", limit),))])[0][0].allowed:
            times += [clock.now] * limit.cost
    return times


@given(amount=st.integers(1, 400), cost=st.integers(1, 3), gaps=GAPS)
def test_no_window_ever_admits_more_than_the_limit(amount, cost, gaps):
    clock, limit = Clock(), Limit(max(amount, cost), 7.0, cost)
    times = admitted(MemoryStore(clock=clock), clock, limit, gaps)

    for i, time in enumerate(times):
        assert sum(1 for other in times[: i + 1] if other > time - 7.0 + 1e-6) <= limit.amount


@given(amount=st.integers(1, 128), gaps=GAPS)
def test_up_to_a_limit_of_128_the_count_is_exact(amount, gaps):
    clock, log, best = Clock(), deque(), []
    micros = int(clock.now * 1e6)
    now = clock.now
    for gap in gaps:
        now += gap
        micros = int(now * 1e6)
        while log and log[0] <= micros - 7_000_000:
            log.popleft()
        if len(log) < amount:
            log.append(micros)
            best.append(now)
    assert admitted(MemoryStore(clock=clock), clock, Limit(amount, 7.0), gaps) == best


@pytest.mark.parametrize("strategy", ["sliding-window", "gcra"])
@QUICK
@given(
    limits=st.lists(
        st.tuples(st.integers(1, 300), st.sampled_from([1.0, 7.0, 60.0]), st.integers(1, 3)), min_size=1, max_size=3
    ),
    gaps=GAPS,
    binding=st.booleans(),
)
def test_memory_and_redis_agree_to_the_microsecond(redis_url, strategy, limits, gaps, binding):
    clock = Clock()
    memory, shared = MemoryStore(clock=clock), RedisStore(redis_url, budget=5, clock=clock)
    shared.client.flushall()
    hits = [
        Hit(((f"k{i}", Limit(max(amount, cost), window, cost, strategy)),), binding=binding or i != 0)
        for i, (amount, window, cost) in enumerate(limits)
    ]
    both = Hit(tuple(pair for hit in hits for pair in ((f"joint:{hit.limits[0][0]}", hit.limits[0][1]),)))
    try:
        for gap in gaps:
            clock.now += gap
            for trip in (hits, [both]):
                assert memory.run(trip) == shared.run(trip)
    finally:
        shared.close()


def test_several_limits_of_one_hit_are_counted_all_or_none(any_store, clock):
    hit = Hit((("short", Limit(2, 1.0)), ("long", Limit(3, 60.0))))

    answers = [any_store.run([hit])[0] for _ in range(3)]
    assert [[x.remaining for x in answer] for answer in answers] == [[1, 2], [0, 1], [0, 1]]
    clock.now += 1
    assert [[x.allowed for x in any_store.run([hit])[0]] for _ in range(2)] == [[True, True], [True, False]]


def test_what_follows_a_refused_hit_is_judged_and_not_counted_unless_the_hit_does_not_bind(any_store):
    outer, inner = Limit(1, 60.0), Limit(5, 60.0)

    for _ in range(3):
        answers = any_store.run([Hit((("a", outer),)), Hit((("b", inner),))])
    assert [answer[0].remaining for answer in answers] == [0, 4]
    for _ in range(3):
        answers = any_store.run([Hit((("c", outer),), binding=False), Hit((("d", inner),))])
    assert [answer[0].remaining for answer in answers] == [0, 2]


def test_a_burst_comes_back_after_exactly_one_window(any_store, clock):
    hit = Hit((("k", Limit(1000, 60.0)),))
    for _ in range(1000):
        any_store.run([hit])

    clock.now += 59.999
    assert not any_store.run([hit])[0][0].allowed
    clock.now += 0.001
    assert any_store.run([hit])[0][0].remaining == 999


def test_a_million_one_off_callers_stay_under_the_cap(clock):
    store, limit = MemoryStore(clock=clock, max_callers=1000), Limit(10, 60.0)
    for i in range(20_000):
        store.run([Hit(((f"k{i}", limit),))])
    assert len(store._counts.kept) <= 1000


def test_a_key_in_redis_stays_small_and_ends_by_itself(redis_url):
    store = RedisStore(redis_url, budget=5)
    for _ in range(700):
        store.run([Hit((("k", Limit(100_000, 60.0)),)), Hit((("e", Limit(128, 60.0)),))])
    assert all(store.client.strlen(f"nexus:1:{key}") <= 2048 for key in "ke")
    assert all(0 < store.client.pttl(f"nexus:1:{key}") <= 60_000 for key in "ke")
    store.close()


@pytest.mark.parametrize("strategy", ["sliding-window", "gcra"])
def test_by_a_clock_that_a_test_holds_no_key_ends_because_the_server_s_goes_on(redis_url, clock, strategy):
    store, asked = RedisStore(redis_url, budget=5, clock=clock), (("k", Limit(9, 1.0, strategy=strategy)),)
    (said,) = store.run([Hit(asked)])[0]
    for again in ([Hit(asked)], [GiveBack(((*asked[0], said),))], [Tell(((*asked[0], ((0, 1),)),))]):
        assert store.client.pttl("nexus:1:k") > 60_000
        store.run(again)
    assert store.client.pttl("nexus:1:k") > 60_000
    store.close()


def test_a_request_of_two_limiters_and_a_get_is_one_script_and_one_read(redis_url):
    store = RedisStore(redis_url, budget=5)
    trip = [Hit((("a", Limit(9, 60.0)),)), Hit((("b", Limit(9, 60.0)),)), Get("page")]
    store.run(trip)
    store.client.config_resetstat()
    for _ in range(10):
        store.run(trip)

    calls = {name: row["calls"] for name, row in store.client.info("commandstats").items()}
    assert (calls["cmdstat_evalsha"], calls["cmdstat_get"]) == (10, 30)  # the script itself reads twice
    assert calls.get("cmdstat_script|load", 0) == 0
    store.close()


def test_a_server_that_has_lost_the_script_is_given_it_again(redis_url):
    store, hit = RedisStore(redis_url, budget=5), Hit((("k", Limit(9, 60.0)),))
    store.run([hit])
    store.client.script_flush()

    assert store.run([hit])[0][0].remaining == 7
    store.close()


@pytest.mark.parametrize("strategy", ["sliding-window", "gcra"])
@QUICK
@given(
    limit=st.tuples(st.integers(1, 300), st.sampled_from([1.0, 7.0, 60.0]), st.integers(1, 3)),
    steps=st.lists(st.tuples(st.floats(0, 5).map(lambda gap: round(gap, 3)), st.integers(0, 9)), max_size=80),
)
def test_both_stores_agree_on_what_is_given_back(redis_url, strategy, limit, steps):
    clock, (amount, window, cost) = Clock(), limit
    memory, shared = MemoryStore(clock=clock), RedisStore(redis_url, budget=5, clock=clock)
    shared.client.flushall()
    counted = Limit(max(amount, cost), window, cost, strategy)
    taken = []
    try:
        for gap, back in steps:
            clock.now += gap
            answers = memory.run([Hit((("k", counted),))])
            assert answers == shared.run([Hit((("k", counted),))])
            taken += [answers[0][0]] if answers[0][0].at else []
            if back < len(taken):
                trip = [GiveBack((("k", counted, taken.pop(back)),))]
                assert memory.run(trip) == shared.run(trip) == [None]
    finally:
        shared.close()


@pytest.mark.parametrize("strategy", ["sliding-window", "gcra"])
def test_a_call_that_is_given_back_was_never_counted(any_store, clock, strategy):
    hit = Hit((("k", Limit(2, 60.0, strategy=strategy)),))
    first = any_store.run([hit])[0][0]
    clock.now += 1
    any_store.run([hit])
    any_store.run([GiveBack((("k", hit.limits[0][1], first),))])

    assert [any_store.run([hit])[0][0].allowed for _ in range(2)] == [True, False]


def test_of_calls_that_are_left_none_leaves_before_its_time(any_store, clock):
    hit = Hit((("k", Limit(2, 60.0)),))
    any_store.run([hit])
    clock.now += 30
    second = any_store.run([hit])[0][0]
    any_store.run([GiveBack((("k", hit.limits[0][1], second),))])
    any_store.run([hit])

    clock.now += 29.999
    assert any_store.run([hit])[0][0].reset_after == 0.001
    clock.now += 0.001
    assert [any_store.run([hit])[0][0].allowed for _ in range(2)] == [True, False]


@pytest.mark.parametrize("strategy", ["sliding-window", "gcra"])
def test_what_has_run_out_cannot_be_given_back(any_store, clock, strategy):
    hit = Hit((("k", Limit(1, 60.0, strategy=strategy)),))
    first = any_store.run([hit])[0][0]
    clock.now += 60
    any_store.run([hit])
    any_store.run([GiveBack((("k", hit.limits[0][1], first),))])

    assert not any_store.run([hit])[0][0].allowed


def test_the_last_call_given_back_leaves_no_key(redis_url):
    store, hit = RedisStore(redis_url, budget=5), Hit((("k", Limit(9, 60.0)),))
    store.run([GiveBack((("k", hit.limits[0][1], store.run([hit])[0][0]),))])

    assert store.client.keys() == []
    store.close()


def test_a_million_one_off_callers_stay_under_the_cap_with_gcra_too(clock):
    store, limit = MemoryStore(clock=clock, max_callers=1000), Limit(10, 60.0, strategy="gcra")
    for i in range(20_000):
        store.run([Hit(((f"k{i}", limit),))])
    assert len(store._counts.kept) <= 1000
