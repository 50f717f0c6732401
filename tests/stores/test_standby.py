"""Standby: how one process goes on alone, whom it refuses at no trip, and what it tells the store afterwards."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexus_middleware.errors import StoreError
from nexus_middleware.rules.windows import Allowance, Limit
from nexus_middleware.stores.commands import Alive, Hit, Tell
from nexus_middleware.stores.memory import MemoryStore
from nexus_middleware.stores.redis import RedisStore
from nexus_middleware.stores.standby import CALLERS, GONE, GRACE, HEARTBEAT, REFUSED, Standby
from tests.helpers import Clock

LIMIT = Limit(40, 60.0)
QUICK = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def hit(key="k", limit=LIMIT):
    return Hit(((key, limit),))


def admitted(standby, n, question=None):
    return sum(standby.run(question or hit())[0].allowed for _ in range(n))


@pytest.fixture
def standby(clock):
    """One of four processes."""
    standby = Standby(tells=True, clock=clock)
    standby.delivered([Alive("a", GONE)], [(4, 60.0)])
    return standby


def test_alone_a_process_admits_its_share(standby, clock):
    assert admitted(standby, 50) == 10
    clock.now += 60
    assert admitted(standby, 50) == 10


def test_of_what_the_store_had_counted_only_the_rest_is_shared_out(standby, clock):
    standby.heard(hit(), (Allowance(True, 13, 1.0, 1),))
    clock.now += 30
    assert admitted(standby, 50) == 3
    clock.now += 30
    assert admitted(standby, 50) == 7


def test_a_limit_below_the_number_of_processes_admits_one_each(standby):
    assert admitted(standby, 5, hit("small", Limit(2, 60.0))) == 1
    assert admitted(standby, 5, hit("dear", Limit(4, 60.0, cost=3))) == 1


def test_the_server_s_word_on_its_workers_holds_until_the_store_knows(monkeypatch, clock):
    monkeypatch.setenv("WEB_CONCURRENCY", "8")
    assert admitted(Standby(clock=clock), 50) == 5


def test_fewer_processes_are_believed_in_only_after_a_while(standby, clock):
    standby.delivered([Alive("a", GONE)], [(3, 60.0)])
    assert standby.peers == 4, "this process itself is new"
    clock.now += GONE + 1
    standby.delivered([Alive("a", GONE)], [(1, 1.0)])
    assert standby.peers == 4, "the list is new: the store has lost its data, or was away"
    standby.delivered([Alive("a", GONE)], [(1, GONE + 1.0)])
    assert standby.peers == 1


def test_a_refusal_is_believed_until_it_ends_and_not_for_ever(standby, clock):
    standby.heard(hit(), (Allowance(False, 0, 20.0),))
    clock.now += 5
    assert standby.refusal(hit()) == (Allowance(False, 0, 15.0),)
    assert standby.refusal(hit("other")) is None
    assert standby.refusal(hit(limit=Limit(41, 60.0))) is None, "another question under the same key"
    clock.now += 15
    assert standby.refusal(hit()) is None
    standby.heard(hit("long"), (Allowance(False, 0, 86_400.0),))
    clock.now += REFUSED
    assert standby.refusal(hit("long")) is None


def test_a_refusal_by_two_limits_is_believed_until_the_first_of_them_would_let_in(standby, clock):
    both = Hit((("k", LIMIT), ("j", Limit(9, 1.0))))
    standby.heard(both, (Allowance(False, 0, 50.0), Allowance(False, 0, 1.0)))
    clock.now += 0.5
    assert standby.refusal(both) == (Allowance(False, 0, 49.5), Allowance(False, 0, 0.5))
    clock.now += 0.5
    assert standby.refusal(both) is None, "the second one would be blamed for what the first one does"


def test_a_dear_call_refused_by_gcra_is_asked_about_again_when_more_is_left(standby, clock):
    dear = hit("k", Limit(10, 10.0, 3, "gcra"))
    standby.heard(dear, (Allowance(False, 1, 1.4),))
    clock.now += 0.3
    assert standby.refusal(dear) == (Allowance(False, 1, 1.1),)
    clock.now += 0.1
    assert standby.refusal(dear) is None, "2 are left by now, of the 3 that it costs"
    standby.heard(dear, (Allowance(False, 2, 1.0),))
    clock.now += 0.9
    assert standby.refusal(dear) is not None


def test_a_refusal_that_calls_given_back_may_end_is_not_believed(standby):
    standby.heard(hit(), (Allowance(False, 0, 20.0),), lasting=False)
    assert standby.refusal(hit()) is None


def test_what_was_admitted_alone_is_told_once_and_in_order(standby, clock):
    standby.run(hit())
    clock.now += 1
    standby.run(hit())
    (tell, alive) = standby.errands()
    assert tell == Tell((("k", LIMIT, ((1_000_000, 1), (0, 1))),))
    assert isinstance(alive, Alive)
    assert standby.errands() == [], "it is on its way"
    standby.run(hit())
    standby.delivered([tell], [None])
    clock.now += HEARTBEAT
    assert standby.errands()[0] == Tell((("k", LIMIT, ((1_000_000, 1),)),))


def test_what_could_not_be_told_is_told_again(standby, clock):
    standby.run(hit())
    first = standby.errands()[0]
    clock.now += 2
    assert standby.errands()[0] == Tell((("k", LIMIT, ((2_000_000, 1),)),))
    assert first != standby.errands()


def test_what_is_given_back_is_not_told(standby):
    said = standby.run(hit())[0]
    standby.give_back([("k", LIMIT, said)])
    assert [type(x) for x in standby.errands()] == [Alive]
    assert admitted(standby, 50) == 10


def test_once_the_store_is_back_a_call_needs_the_consent_of_both_for_a_while(standby, clock):
    assert admitted(standby, 9) == 9
    standby.delivered(standby.errands(), [None, (4, 60.0)])
    assert standby.refusal(hit()) is None
    standby.heard(hit(), (Allowance(True, 30, 1.0, 5),))
    assert not standby.refusal(hit())[0].allowed, "the tenth of its share was admitted by the store"
    clock.now += GRACE
    standby.heard(hit("other"), (Allowance(True, 30, 1.0, 5),))
    assert standby.refusal(hit()) is None


def test_shadows_are_counted_too_and_refuse_nobody(standby):
    both = Hit((("k", LIMIT),), True, ((("s", Limit(4, 60.0)),),))
    answers = [standby.run(both) for _ in range(3)]
    assert [[x.allowed for x in answer] for answer in answers] == [[True, True], [True, False], [True, False]]


def test_memory_stays_bounded(clock):
    standby = Standby(tells=True, clock=clock)
    for i in range(CALLERS + 1_000):
        standby.heard(hit(f"h{i}"), (Allowance(False, 0, 50.0),))
        standby.run(hit(f"r{i}"))
    assert len(standby._left) <= CALLERS
    assert len(standby._refused) <= CALLERS
    assert len(standby._owed) <= CALLERS
    assert len(standby._here._counts.kept) <= CALLERS


@pytest.mark.parametrize("strategy", ["sliding-window", "gcra"])
@QUICK
@given(
    amount=st.integers(1, 300),
    before=st.lists(st.floats(0, 3).map(lambda gap: round(gap, 3)), max_size=40),
    late=st.lists(st.tuples(st.integers(0, 9_000_000), st.integers(1, 30)), min_size=1, max_size=150),
)
def test_both_stores_agree_on_what_they_are_told(redis_url, strategy, amount, before, late):
    clock, limit = Clock(), Limit(amount, 7.0, strategy=strategy)
    memory, shared = MemoryStore(clock=clock), RedisStore(redis_url, budget=5, clock=clock)
    shared.client.flushall()
    try:
        for gap in before:
            clock.now += gap
            assert memory.run([hit("k", limit)]) == shared.run([hit("k", limit)])
        told = Tell((("k", limit, tuple(sorted(late, reverse=True))),))
        assert memory.run([told]) == shared.run([told]) == [None]
        for gap in before:
            assert memory.run([hit("k", limit)]) == shared.run([hit("k", limit)])
            clock.now += gap
        assert strategy == "gcra" or shared.client.strlen("nexus:1:k") <= 2048
    finally:
        shared.close()


def test_the_store_says_how_many_processes_count_and_takes_what_it_is_told(own_server):
    stores = [RedisStore(own_server.url, budget=1) for _ in range(3)]
    for store in stores:
        store.standby.wanted = True
        store.tick(0.0)
    assert [store.standby.peers for store in stores] == [1, 2, 3]
    own_server.stop()
    with pytest.raises(StoreError):
        stores[0].run([hit()])
    assert stores[0].standby.run(hit())[0].allowed
    own_server.start()
    stores[0]._breaker._shut_until = 0.0
    assert stores[0].run([hit()])[0][0].remaining == 38
    for store in stores:
        store.close()


@pytest.fixture
def fleet(own_server, clock):
    """Four processes that have counted in one Redis for a while, and tell it once a second."""
    stores = [RedisStore(own_server.url, budget=5, clock=clock) for _ in range(4)]
    for store in stores:
        store.standby.wanted = True
    for _ in range(GONE + 2):
        beat(stores, clock)
    assert [store.standby.peers for store in stores] == [4] * 4
    yield stores
    for store in stores:
        store.close()


def beat(stores, clock):
    """Let a second pass; the least that any process believed in meanwhile."""
    least = 99
    for store in stores:
        try:
            store.tick(0.0)
        except StoreError:
            store._breaker._shut_until = 0.0
        least = min(least, *[x.standby.peers for x in stores])
    clock.now += HEARTBEAT
    return least


def test_a_redis_that_lost_its_data_makes_no_process_believe_that_it_is_alone(fleet, own_server, clock):
    for _ in range(2 * GONE):
        own_server.client.flushall()
        assert beat(fleet, clock) == 4
    own_server.stop(kill=True)  # just then
    assert [admitted(store.standby, 50) for store in fleet] == [10] * 4


@pytest.mark.parametrize("lasts", [3, GONE - 1, GONE + 1, 40])
def test_nor_does_one_that_was_away(fleet, own_server, clock, lasts):
    own_server.stop()
    for _ in range(lasts):
        assert beat(fleet, clock) == 4
    own_server.start()
    for _ in range(2 * GONE):
        assert beat(fleet, clock) == 4


@pytest.mark.parametrize("lasts", [6.5, 8.5, 9.5, 30])
def test_nor_does_one_that_nobody_reached_for_a_while(fleet, clock, lasts):
    clock.now += lasts
    for _ in range(2 * GONE):
        assert beat(fleet, clock) == 4


def test_of_processes_that_have_ended_the_others_know_soon(fleet, clock):
    seen = []
    for _ in range(GONE + 2):
        beat(fleet[:2], clock)
        seen.append(fleet[0].standby.peers)
    assert seen == [4] * (GONE - 1) + [2] * 3


def test_a_process_that_counts_nothing_is_no_peer(redis_url):
    store = RedisStore(redis_url, budget=5)
    store.tick(0.0)
    store.run([hit()])
    assert store.client.exists("nexus:1:rate:workers") == 0
    store.close()
