"""Days, weeks and months of a time zone, as the instants between which they lie."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from ..errors import SettingsError

Unit: TypeAlias = Literal["day", "week", "month"]
WRITTEN = re.compile(r"(\d{4})-(?:(\d{2})(?:-(\d{2}))?|W(\d{2}))").fullmatch


class Period(msgspec.Struct, frozen=True, order=True):
    """A day, week or month of one zone: from `start` up to, and without, `end`; both know their zone."""

    start: datetime
    end: datetime
    name: str  # "2026-10-31", "2026-W44" or "2026-10"


def zone(name: str) -> ZoneInfo:
    """Return the time zone of that name in the IANA database.

    >>> zone("Europe/Berlin").key
    'Europe/Berlin'

    Raises:
        SettingsError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a name may be that of a folder
        raise SettingsError(f"zone={name!r} must be a time zone such as 'UTC' or 'Europe/Berlin'") from error


def period(written: str, where: ZoneInfo) -> Period:
    """Return the day, week (ISO 8601, from Monday) or month that is written so.

    >>> period("2026-10", zone("Europe/Berlin")).start.isoformat()
    '2026-10-01T00:00:00+02:00'
    >>> period("2026-W44", zone("UTC")).start.date().isoformat()
    '2026-10-26'

    Raises:
        ValueError: it is none.
    """
    found = WRITTEN(written)
    if found is None:
        raise ValueError(f"period={written!r} must be like 2026-10-31, 2026-W44 or 2026-10")
    year, month, day, week = (int(part) if part else 0 for part in found.groups())
    try:
        if week:
            return of(date.fromisocalendar(year, week, 1), "week", where)
        return of(date(year, month, day or 1), "day" if day else "month", where)
    except ValueError as error:
        raise ValueError(f"period={written!r} is not in the calendar") from error


def of(day: date, unit: Unit, where: ZoneInfo) -> Period:
    """Return the period of that unit in which `day` lies."""
    if unit == "day":
        return Period(_midnight(day, where), _midnight(day + timedelta(1), where), day.isoformat())
    if unit == "week":
        first = day - timedelta(day.weekday())
        year, week, _ = day.isocalendar()
        return Period(_midnight(first, where), _midnight(first + timedelta(7), where), f"{year:04}-W{week:02}")
    first = day.replace(day=1)
    following = (first + timedelta(31)).replace(day=1)
    return Period(_midnight(first, where), _midnight(following, where), f"{first:%Y-%m}")


def at(moment: datetime, unit: Unit, where: ZoneInfo) -> Period:
    """Return the period of that unit in which `moment`, which knows its zone, lies."""
    return of(moment.astimezone(where).date(), unit, where)


def before(given: Period, where: ZoneInfo) -> Period:
    """Return the period of the same unit that ends where `given` starts."""
    unit: Unit = "week" if "W" in given.name else "month" if len(given.name) == len("2026-10") else "day"
    return of(given.start.date() - timedelta(1), unit, where)


def _midnight(day: date, where: ZoneInfo) -> datetime:
    """Return where `day` begins: at midnight, or after it where the clocks skip it (as Beirut's do, say)."""
    local = datetime(day.year, day.month, day.day, tzinfo=where)
    return datetime.fromtimestamp(local.timestamp(), where)
