"""Reserve and Settle: both stores answer alike, whatever is asked in whatever order."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexus_middleware.stores.commands import Reserve, Settle
from nexus_middleware.stores.memory import MemoryStore
from nexus_middleware.stores.redis import RedisStore
from tests.helpers import Clock

steps = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "settle"]),
        st.sampled_from("abcd"),
        st.integers(1, 60),
        st.sampled_from([0.0, 0.25, 1.0, 7.0, 61.0]),
    ),
    max_size=40,
)


@pytest.mark.parametrize("window", [60.0, 7.0])
@given(steps=steps)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_memory_and_redis_agree_to_the_microsecond(redis_server, steps, window):
    redis_server.client.flushall()
    clock = Clock()
    stores = [MemoryStore(clock=clock), RedisStore(redis_server.url, budget=5, clock=clock)]
    for kind, name, amount, pause in steps:
        clock.now += pause
        command = (
            Reserve("k", name, amount, 100, window, 5.0) if kind == "reserve" else Settle("k", name, amount, window)
        )
        one, other = (store.run([command])[0] for store in stores)
        assert one == other
    stores[1].close()


@given(steps=steps)
def test_no_window_holds_more_than_the_limit_but_for_what_cost_more_than_was_reserved(steps):
    clock, window = Clock(), 60.0
    store = MemoryStore(clock=clock)
    held, spent = {}, []
    for number, (kind, name, amount, pause) in enumerate(steps):
        clock.now += pause
        if kind == "reserve":
            if store.run([Reserve("k", f"{name}{number}", amount, 100, window, 1000.0)])[0].granted:
                held.setdefault(name, []).append((f"{name}{number}", amount))
        elif held.get(name):
            reservation, reserved = held[name].pop()
            cost = min(amount, reserved)
            store.run([Settle("k", reservation, cost, window)])
            spent.append((clock.now, cost))
    for end, _ in spent:
        assert sum(cost for at, cost in spent if end - window < at <= end) <= 100


def test_an_account_is_gone_when_nothing_of_it_counts_any_more(any_store, request, clock):
    any_store.run([Reserve("k", "a", 10, 100, 60.0, 5.0), Settle("k", "a", 10, 60.0)])

    if "redis" in request.node.name:
        client = request.getfixturevalue("redis_server").client
        (key,) = client.scan_iter()
        assert 60_000 < client.pttl(key) <= 62_000
    else:
        clock.now += 121
        assert any_store.run([Reserve("k", "b", 100, 100, 60.0, 5.0)])[0].left == 0
