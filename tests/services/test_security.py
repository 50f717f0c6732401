"""Security: addresses blocked while the app runs."""

import asyncio

import pytest

from nexus_middleware import IPFilter, SettingsError
from nexus_middleware.services.security import BLOCKED, Security
from nexus_middleware.stores.commands import GetFields
from tests.helpers import Origin


def test_a_blocked_address_is_refused_at_once_and_let_in_again(door, any_store):
    security = Security(any_store)
    app = IPFilter(door.app(Origin()), blocked=security)
    assert door.get(app, client="203.0.113.9").status == 200
    security.block("203.0.113.0/24", reason="scans")
    assert door.get(app, client="203.0.113.9").status == 403
    assert security.unblock("203.0.113.0/24")
    assert not security.unblock("203.0.113.0/24")
    assert door.get(app, client="203.0.113.9").status == 200


def test_another_process_hears_of_it_at_its_next_tick(any_store):
    here, there = Security(any_store), Security(any_store)
    here.block("203.0.113.9")
    assert "203.0.113.9" not in there
    there.refresh()
    assert "203.0.113.9" in there


def test_a_block_ends_when_its_time_is_over(store, clock):
    security = Security(store, clock=clock)
    security.block("203.0.113.9", lasts=60)
    clock.now += 59
    assert security.is_blocked("203.0.113.9")
    clock.now += 1
    assert "203.0.113.9" not in security
    assert security.blocked() == []
    assert store.run([GetFields(BLOCKED)]) == [{}]


def test_the_list_says_who_since_when_and_why(store, clock):
    security = Security(store, clock=clock)
    asyncio.run(security.ablock("2001:db8::1", reason="x" * 500, lasts=10))
    assert asyncio.run(security.ablocked()) == [
        {"address": "2001:db8::1", "reason": "x" * 200, "since": clock.now, "until": clock.now + 10, "banned": False}
    ]
    elsewhere = Security(store, clock=clock)  # which has heard of nothing yet
    assert asyncio.run(elsewhere.ais_blocked("2001:db8::1"))
    assert asyncio.run(security.aallow("2001:db8::1"))
    assert not asyncio.run(elsewhere.ais_blocked("2001:db8::1"))
    assert [event["kind"] for event in security.events()] == ["unblock", "block"]
    assert asyncio.run(security.aevents(1)) == security.events(1)


@pytest.mark.parametrize("bad", ["0.0.0.0/0", "::/0", "lan", "", "1.2.3.4\n", "10.0.0.0/7"])
def test_what_is_no_address_or_would_block_everybody_is_refused(bad):
    with pytest.raises(SettingsError) as told:
        Security().block(bad)
    assert repr(bad) in str(told.value)
