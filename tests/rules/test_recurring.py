"""Cron expressions: which times they name, in spring and in autumn, and what is refused."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus_middleware.errors import SettingsError
from nexus_middleware.rules.recurring import Cron


def times(cron, zone, start, count):
    moment, found = datetime.fromisoformat(start).replace(tzinfo=UTC).timestamp(), []
    for _ in range(count):
        moment = Cron(cron, zone).after(moment)
        found.append(datetime.fromtimestamp(moment, UTC).strftime("%dT%H:%M"))
    return found


def test_the_three_of_our_own_come_when_they_say():
    assert times("0 0 * * *", "UTC", "2026-01-01T12:00", 2) == ["02T00:00", "03T00:00"]
    assert times("0 6 * * 1", "Europe/Berlin", "2026-01-01T12:00", 2) == ["05T05:00", "12T05:00"]
    assert times("0 * * * *", "Asia/Kolkata", "2026-01-01T12:00", 2) == ["01T12:30", "01T13:30"]


def test_midnight_follows_the_clocks():
    assert times("0 0 * * *", "America/New_York", "2026-10-31T12:00", 3) == ["01T04:00", "02T05:00", "03T05:00"]


def test_a_time_that_the_clocks_skip_comes_after_the_gap():
    assert times("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", 2) == ["29T01:00", "30T00:30"]
    assert times("0 0 * * *", "America/Santiago", "2026-09-05T12:00", 2) == ["06T04:00", "07T03:00"]


def test_a_time_that_the_clocks_repeat_comes_once_and_every_hour_every_hour():
    assert times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", 2) == ["25T00:30", "26T01:30"]
    assert times("0 * * * *", "Europe/Berlin", "2026-10-24T23:30", 4) == [
        "25T00:00",
        "25T01:00",
        "25T02:00",
        "25T03:00",
    ]


@given(
    moment=st.floats(1.7e9, 1.9e9),
    cron=st.sampled_from(["0 0 * * *", "0 6 * * 1", "0 * * * *", "30 2 * * *", "*/15 1-3 * * *", "5 4 31 * *"]),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
)
def test_the_last_time_until_the_next_one_is_not_after_now(moment, cron, zone):
    made = Cron(cron, zone)
    following = made.after(moment)
    assert made.until(moment) <= moment < following
    assert made.until(following) == following
    assert made.after(made.until(moment)) == following


@pytest.mark.parametrize(
    "cron", ["", "@daily", "* * * *", "* * * * * *", "61 * * * *", "1--9999999999 * * * *", "0 0 30 2 *", "a b c d e"]
)
def test_what_is_no_time_is_refused_at_once(cron):
    with pytest.raises(SettingsError, match="cron="):
        Cron(cron)


@pytest.mark.parametrize("zone", ["", "Nowhere/Town", "../../etc/passwd", "/etc", "UTC\0"])
def test_what_is_no_time_zone_is_refused(zone):
    with pytest.raises(SettingsError, match="zone="):
        Cron("* * * * *", zone)
