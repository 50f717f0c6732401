"""Budgets: reserved, settled, given back, and never over by more than what cost more than was reserved."""

import asyncio
import contextlib
import threading

import pytest

from nexus_middleware import SettingsError
from nexus_middleware.services.budgets import Budget, OverBudget


@pytest.fixture
def budget(any_store):
    return Budget("1000/minute", store=any_store, lasts=10)


def test_what_was_reserved_is_not_there_for_others_and_what_was_not_spent_comes_back(budget):
    with budget.reserve("ann", 600) as spent:
        assert budget.left("ann") == 400
        assert budget.left("bob") == 1000
        spent.settle(250)

    assert budget.left("ann") == 750


def test_what_has_no_room_is_refused_and_told_when_to_come_again(budget):
    with budget.reserve("ann", 900), pytest.raises(OverBudget) as told, budget.reserve("ann", 200):
        pass

    assert told.value.left == 100
    assert told.value.retry_after == pytest.approx(10)


def test_a_block_that_says_nothing_has_spent_its_reservation(budget):
    with budget.reserve("ann", 600):
        pass

    assert budget.left("ann") == 400


def test_a_block_that_fails_has_spent_nothing_unless_it_said_so(budget):
    with pytest.raises(RuntimeError), budget.reserve("ann", 600):
        raise RuntimeError
    with pytest.raises(RuntimeError), budget.reserve("ann", 600) as spent:
        spent.settle(100)
        raise RuntimeError

    assert budget.left("ann") == 900


def test_a_process_that_died_gives_its_reservation_back_at_its_end(budget, clock):
    budget.reserve("ann", 1000).__enter__()

    clock.now += 9.9
    assert budget.left("ann") == 0
    clock.now += 0.2
    assert budget.left("ann") == 1000


def test_what_cost_more_than_was_reserved_counts_and_makes_the_next_one_wait(budget, clock):
    with budget.reserve("ann", 100) as spent:
        spent.settle(1500)

    with pytest.raises(OverBudget) as told, budget.reserve("ann", 1):
        pass
    assert told.value.left == 0
    clock.now += told.value.retry_after
    assert budget.left("ann") == 1000


def test_what_was_spent_leaves_after_a_window(budget, clock):
    with budget.reserve("ann", 1000):
        pass

    clock.now += 59
    assert budget.left("ann") == 0
    clock.now += 2.01
    assert budget.left("ann") == 1000


def test_fifty_threads_at_once_never_hold_more_than_the_limit(budget):
    granted, gate = [], threading.Barrier(50)

    def work():
        gate.wait()
        with contextlib.suppress(OverBudget), budget.reserve("ann", 90) as spent:
            granted.append(1)
            spent.settle(90)

    threads = [threading.Thread(target=work) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(granted) == 11
    assert budget.left("ann") == 10


@pytest.mark.anyio
async def test_the_event_loop_reserves_and_settles_too(any_store):
    budget = Budget("1000/minute", store=any_store)

    async def work():
        async with budget.reserve("ann", 100) as spent:
            await asyncio.sleep(0)
            spent.settle(40)

    await asyncio.gather(*[work() for _ in range(10)])
    assert await budget.aleft("ann") == 600
    with pytest.raises(OverBudget):
        async with budget.reserve("ann", 601):
            pass
    await any_store.aclose()


@pytest.mark.parametrize("limit", ["", "x", "0/day", "-5/day"])
def test_a_limit_that_is_none_is_a_setting_to_change(limit):
    with pytest.raises(SettingsError, match="limit="):
        Budget(limit)


@pytest.mark.parametrize("amount", [0, -1, 1001])
def test_an_amount_that_can_never_be_granted_is_a_mistake(budget, amount):
    with pytest.raises(ValueError, match="amount="):
        budget.reserve("ann", amount)


def test_a_cost_below_nothing_is_a_mistake(budget):
    with budget.reserve("ann", 10) as spent, pytest.raises(ValueError, match="amount="):
        spent.settle(-1)
