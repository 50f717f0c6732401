"""Periods: where days, weeks and months of a zone begin and end."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus_middleware import SettingsError
from nexus_middleware.rules import periods

BERLIN = periods.zone("Europe/Berlin")


def test_a_month_is_an_hour_longer_or_shorter_where_the_clocks_change_in_it():
    october, march = periods.period("2026-10", BERLIN), periods.period("2026-03", BERLIN)

    assert october.end.timestamp() - october.start.timestamp() == (31 * 24 + 1) * 3600
    assert march.end.timestamp() - march.start.timestamp() == (31 * 24 - 1) * 3600


def test_a_day_without_midnight_begins_with_its_first_moment():
    beirut = periods.zone("Asia/Beirut")  # its clocks go from 0:00 to 1:00 on the last Sunday of March

    day = periods.period("2026-03-29", beirut)

    assert day.start.astimezone(UTC) == datetime(2026, 3, 28, 22, tzinfo=UTC)
    assert day.end.timestamp() - day.start.timestamp() == 23 * 3600


@pytest.mark.parametrize("written", ["2026-13", "2026-02-30", "2026-W54", "2026", "2026-1", "x", "2026-10-31T00", ""])
def test_what_is_no_period_is_told_so(written):
    with pytest.raises(ValueError, match="period="):
        periods.period(written, BERLIN)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../UTC", "Europe"])
def test_a_zone_that_does_not_exist_is_a_setting_to_change(name):
    with pytest.raises(SettingsError, match="zone="):
        periods.zone(name)


@given(
    day=st.dates(date(1990, 1, 2), date(2037, 12, 30)),
    unit=st.sampled_from(["day", "week", "month"]),
    name=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]),
)
def test_periods_follow_one_another_without_a_gap_and_are_read_as_they_are_written(day, unit, name):
    where = periods.zone(name)

    one = periods.of(day, unit, where)

    assert periods.period(one.name, where) == one
    assert one.start.date() <= day < one.end.date()
    assert periods.before(one, where).end == one.start
    assert periods.at(one.start, unit, where) == one
    assert periods.at(one.end, unit, where).start == one.end
