"""Whatever becomes of Redis: no failure of ours, a bounded wait, limits that hold, and no acknowledged job is lost."""

import time
from collections import Counter

import pytest

from tests.faults.site import FAULTS, LIMIT, PROCESSES, Site, opened, there

BUDGET = 0.1  # seconds a trip may take


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("faults")) as site:
        yield site


def slowest(calls):
    return sorted(call.took for call in calls)[-3]  # two may be the machine's own


def statuses(*calls):
    return {call.status for each in calls for call in each}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_a_redis_that_is(site: Site, fault):
    site.recovered()
    acknowledged, refused = site.queued(6)
    assert refused == 0
    before = site.calls(fault.name, "/limited", 8)
    fault.begin(site.server)
    try:
        time.sleep(0.6)  # the breaker tries again after 0.5 s: some calls of these shall meet the fault
        free, during = site.calls("anyone", "/free", 30), site.calls(fault.name, "/limited", 40)
        value = site.calls("anyone", "/value", 6)
        more, turned_away = site.queued(4)
    finally:
        fault.end(site.server)
    site.recovered()
    after = site.calls(fault.name, "/limited", 30)

    assert statuses(free, value) == {200}
    assert statuses(before, during, after) == {200, 429}
    assert slowest([*free, *during]) < 2 * BUDGET + 0.3 + 3 * slowest(before), "one budget a trial, and a crowd"
    admitted = Counter(call.status for call in [*before, *during, *after])[200]
    assert admitted <= (1.25 * LIMIT + PROCESSES) * (
        1 if fault.keeps else 2
    )  # as in `tests/frameworks/test_outages.py`
    assert admitted >= LIMIT - PROCESSES, "and nobody is refused what is his"
    assert (turned_away > 0) is fault.refuses, "a job that cannot be kept is not acknowledged"
    if fault.keeps:
        assert there(site.server, [*acknowledged, *more]) == [*acknowledged, *more]
