"""The level of all processes: changed in one, followed by each, and back by itself."""

import pytest

from nexus_middleware import Settings, SettingsError
from nexus_middleware.services.logs import Log, SharedLevel
from nexus_middleware.stores.commands import Drop, Put


@pytest.fixture
def two(any_store):
    """Two processes on one store."""
    return [SharedLevel(any_store, Log(Settings(log_level="warn"), out=len)) for _ in range(2)]


def levels(two):
    for each in two:
        each.tick(0.0)
    return [each._log.level for each in two]


def test_all_follow_what_one_is_told_until_it_is_over(two, any_store):
    two[0].set("debug")
    assert levels(two) == ["debug", "debug"]
    any_store.run([Drop(("log:level",))])  # as if its hour had passed
    assert levels(two) == ["warn", "warn"]
    two[1].set("error")
    assert levels(two) == ["error", "error"]
    two[0].set(None)
    assert levels(two) == ["warn", "warn"]


def test_a_level_that_was_set_by_hand_stays_until_another_is_told(two):
    two[0]._log.level = "info"
    assert levels(two) == ["info", "warn"]
    two[1].set("debug")
    assert levels(two) == ["debug", "debug"]


def test_what_is_no_level_is_refused_and_what_stands_there_by_chance_ignored(two, any_store):
    with pytest.raises(SettingsError, match="level='loud' must be one of"):
        two[0].set("loud")
    any_store.run([Put("log:level", b"\xffloud", 60)])
    assert levels(two) == ["warn", "warn"]


@pytest.mark.anyio
async def test_it_can_be_told_from_an_event_loop():
    from nexus_middleware.stores.memory import MemoryStore

    log = Log(Settings(), out=len)
    await SharedLevel(MemoryStore(), log).aset("debug")
    assert log.level == "debug"
