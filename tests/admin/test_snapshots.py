"""One reading for all who look: shared, kept for a moment, and read anew after a change."""

from __future__ import annotations

import asyncio

import pytest

from nexus_middleware.admin.snapshots import Snapshot

pytestmark = pytest.mark.anyio


class Reading:
    """Counts how often it is read; `took` seconds pass on its clock each time."""

    def __init__(self, clock, *, took=0.0) -> None:
        self.clock, self.took, self.times, self.fails = clock, took, 0, False

    async def __call__(self):
        self.times += 1
        times = self.times
        self.clock.now += self.took
        await asyncio.sleep(0)
        if self.fails:
            raise OSError("the reading failed")
        return {"times": times}


async def test_fifty_who_look_at_once_cost_one_reading(clock):
    read = Reading(clock)
    snapshot = Snapshot(read, clock=clock)

    seen = await asyncio.gather(*[snapshot.get() for _ in range(50)])

    assert read.times == 1 and seen == [{"times": 1}] * 50


async def test_it_is_read_anew_when_it_is_too_old(clock):
    read = Reading(clock)
    snapshot = Snapshot(read, clock=clock)
    await snapshot.get()
    clock.now += 0.15
    assert await snapshot.get() == {"times": 1}

    clock.now += 0.1

    assert await snapshot.get() == {"times": 2}


async def test_what_takes_long_to_read_is_kept_for_longer(clock):
    snapshot = Snapshot(Reading(clock, took=0.5), clock=clock)
    await snapshot.get()

    clock.now += 9.5
    assert await snapshot.get() == {"times": 1}
    clock.now += 1
    assert await snapshot.get() == {"times": 2}


async def test_after_a_change_nobody_sees_what_was_before_it(clock):
    snapshot = Snapshot(Reading(clock), clock=clock)
    late = asyncio.create_task(snapshot.get())
    await asyncio.sleep(0)

    snapshot.forget()

    assert await snapshot.get() == {"times": 2}
    assert await late == {"times": 1}
    assert await snapshot.get() == {"times": 2}


async def test_a_failure_reaches_all_who_wait_and_is_not_kept(clock):
    read = Reading(clock)
    read.fails = True
    snapshot = Snapshot(read, clock=clock)

    outcomes = await asyncio.gather(snapshot.get(), snapshot.get(), return_exceptions=True)
    read.fails = False

    assert [type(outcome) for outcome in outcomes] == [OSError, OSError] and read.times == 1
    assert await snapshot.get() == {"times": 2}
