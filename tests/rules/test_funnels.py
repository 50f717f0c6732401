"""Funnels: who went through in order, against a search of every way there is."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from nexus_middleware.rules.funnels import funnel


def test_a_buyer_who_never_filled_a_cart_is_not_counted_as_one_who_did():
    assert funnel([{"a": [1], "b": [1]}, {"a": [2]}, {"a": [3], "b": [3]}]) == [2, 1, 1]


def test_a_step_before_the_one_that_leads_to_it_does_not_count():
    assert funnel([{"a": [5]}, {"a": [4]}]) == [1, 0]


def test_a_later_try_counts():
    assert funnel([{"a": [5]}, {"a": [4, 6]}]) == [1, 1]


def test_nobody_is_nobody():
    assert funnel([{}, {}]) == [0, 0]


times = st.lists(st.integers(0, 8), max_size=4).map(sorted)


@given(steps=st.lists(st.dictionaries(st.sampled_from("abc"), times), min_size=1, max_size=4))
def test_everybody_who_has_a_way_through_is_found_and_nobody_else(steps):
    wanted = []
    for last in range(1, len(steps) + 1):
        ways = {user: product(*[step.get(user, []) for step in steps[:last]]) for user in "abc"}
        wanted.append(sum(any([*way] == sorted(way) for way in each) for each in ways.values()))

    assert funnel(steps) == wanted
