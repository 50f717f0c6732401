"""When something recurs: the times that a cron expression names in a time zone, over both ends of daylight saving."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from ..errors import SettingsError

FIELD = re.compile(r"[0-9A-Za-z*/,#-]{1,60}")
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Cron:
    """The times named by five fields: minute, hour, day of the month, month, day of the week.

    A time that the clocks skip in spring comes at the moment after the gap. One that they repeat in autumn comes once,
    unless the hour is `*` or a step: what recurs hourly comes every hour that really passes.

    >>> monday = Cron("0 6 * * 1", "Europe/Berlin")
    >>> datetime.fromtimestamp(monday.after(0), UTC).isoformat()
    '1970-01-05T05:00:00+00:00'

    Args:
        text: The five fields.
        zone: A name of the IANA database, such as "Europe/Berlin".

    Raises:
        SettingsError: the expression or the zone cannot be read.
    """

    def __init__(self, text: str, zone: str = "UTC") -> None:
        from croniter import CroniterError, croniter  # type: ignore[import-untyped]  # loaded by those alone who have schedules

        self.text, self.zone = " ".join(text.split()), zone
        fields = self.text.split(" ")
        if len(fields) != 5 or not all(FIELD.fullmatch(field) for field in fields):
            raise SettingsError(f"cron={text!r} must be five fields, such as '0 6 * * 1' for Mondays at 6:00")
        try:
            self._zone = ZoneInfo(zone)
        except (ValueError, OSError) as error:  # ZoneInfoNotFoundError is a KeyError
            raise SettingsError(f"zone={zone!r} must be a time zone, such as 'Europe/Berlin'") from error
        except KeyError as error:
            raise SettingsError(f"zone={zone!r} is no time zone that is known: 'Europe/Berlin' is one") from error
        self._hourly = fields[1].startswith("*")
        try:
            self._iter = croniter(self.text, datetime.now(self._zone))
            self.after(datetime.now(UTC).timestamp())
        except (CroniterError, ValueError) as error:
            raise SettingsError(f"cron={text!r} cannot be read: {error}") from error

    def after(self, moment: float) -> float:
        """Return the first time after `moment`; both in seconds since the epoch."""
        found = self._step("get_next", moment)
        while self._repeated(found):
            found = self._step("get_next", found)
        return found

    def until(self, moment: float) -> float:
        """Return the last time that is not after `moment`."""
        found = self._step("get_prev", moment + 1)
        while found > moment or self._repeated(found):
            found = self._step("get_prev", found)
        return found

    def local(self, moment: float) -> datetime:
        """Return `moment` in the zone."""
        return datetime.fromtimestamp(moment, self._zone)

    def _step(self, way: str, moment: float) -> float:
        self._iter.set_current(self.local(moment), force=True)
        return float(getattr(self._iter, way)(datetime).timestamp())

    def _repeated(self, moment: float) -> bool:
        return not self._hourly and self.local(moment).fold == 1


def in_words(cron: str) -> str:
    """Return what the simple expressions mean; others as they are.

    >>> in_words("0 6 * * 1"), in_words("0 0 * * *"), in_words("30 * * * *"), in_words("*/5 * * * *")
    ('Mondays at 06:00', 'every day at 00:00', 'every hour at minute 30', '*/5 * * * *')
    """
    minute, hour, day, month, week = cron.split()
    if not minute.isdecimal() or (day, month) != ("*", "*"):
        return cron
    if hour == "*" and week == "*":
        return f"every hour at minute {minute}"
    if not hour.isdecimal() or not (week == "*" or week in "01234567"):
        return cron
    when = "every day" if week == "*" else f"{DAYS[int(week)]}s"
    return f"{when} at {int(hour):02}:{int(minute):02}"
