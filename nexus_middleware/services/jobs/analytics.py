"""Sum up a day, a week or a month of events, keep the results, and mail the week's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from ...errors import SettingsError
from ...rules import periods
from ...rules.periods import Period, Unit
from ...settings import Settings
from ...stores import open_store
from ..analytics import Analytics
from .registry import Permanent, Work
from .report import as_mail

UNITS: dict[str, Unit] = {"daily": "day", "weekly": "week", "monthly": "month"}


class Aggregation(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What `analytics.aggregate` takes."""

    type: str  # daily, weekly or monthly
    date: str = ""  # "2026-10-31", "2026-W44" or "2026-10"; "" for what ended last
    metrics: list[str] = []  # [] for all of them


def aggregate(work: Work, wanted: Aggregation) -> dict[str, Any]:
    """Calculate and keep the metrics of one period; of a week, mail them to NEXUS_REPORT_TO.

    Raises:
        Permanent: the type, the date or a metric is none.
        StoreError: Redis did not answer.
    """
    if wanted.type not in UNITS:
        raise Permanent(f"type={wanted.type!r} must be one of {', '.join(UNITS)}")
    books = books_of(work.settings)
    period = _period(books, wanted, work.slot)
    values: dict[str, Any] = {}
    for number, name in enumerate(wanted.metrics or metrics(books)):
        work.progress(number, len(wanted.metrics) or len(metrics(books)), name)
        values[name] = calculated(books, name, period)
        books.keep(period, name, values[name])
    if wanted.type == "weekly" and work.settings.report_to:
        _mail(work, books, period, values)
    return {"period": period.name, **values}


def metric(work: Work, metric: str, period: str) -> dict[str, Any]:
    """Calculate and keep one metric of one period: a day, week or month as `Aggregation.date` has it."""
    books = books_of(work.settings)
    try:
        span = books.period(period)
    except ValueError as error:
        raise Permanent(str(error)) from error
    value = calculated(books, metric, span)
    books.keep(span, metric, value)
    return {"period": span.name, metric: value}


def books_of(settings: Settings) -> Analytics:
    """Return the analytics that the settings name.

    Raises:
        SettingsError: a funnel or the zone cannot be read, or the store is no Redis.
    """
    store = open_store(settings.store, namespace=settings.namespace)
    return Analytics(store, zone=settings.zone, funnels=funnels(settings.funnels))


def funnels(written: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Read funnels such as "sale:viewed>cart>paid".

    >>> funnels(("sale:viewed>cart>paid",))
    {'sale': ('viewed', 'cart', 'paid')}
    """
    found: dict[str, tuple[str, ...]] = {}
    for text in written:
        name, colon, steps = text.partition(":")
        if not colon or ">" not in steps:
            raise SettingsError(f"funnels: {text!r} must be like sale:viewed>cart>paid")
        found[name.strip()] = tuple(step.strip() for step in steps.split(">"))
    return found


def metrics(books: Analytics) -> list[str]:
    """Return the names of all metrics."""
    each = [name for funnel in sorted(books.funnels) for name in (f"funnel.{funnel}", f"conversion.{funnel}")]
    return ["users", "events", "revenue", *each]


def calculated(books: Analytics, name: str, period: Period) -> Any:
    """Calculate one metric: one of `metrics`, or `users.EVENT` for those who did that.

    Raises:
        Permanent: there is none of that name.
    """
    if name == "events":
        return books.counts(period)
    if name == "revenue":
        return books.revenue(period)
    kind, _, of = name.partition(".")
    if kind == "users":
        return books.users(period, of)
    if kind in ("funnel", "conversion") and of in books.funnels:
        counts = books.funnel(period, of)
        if kind == "funnel":
            return dict(zip(books.funnels[of], counts, strict=True))
        return counts[-1] / counts[0] if counts[0] else None
    raise Permanent(f"no metric is called {name!r}: there are {', '.join(metrics(books))} and users.EVENT")


def _period(books: Analytics, wanted: Aggregation, slot: datetime | None) -> Period:
    unit = UNITS[wanted.type]
    try:
        if not wanted.date:
            moment = slot or books.now()
            return periods.before(periods.at(moment, unit, books.zone), books.zone)
        return periods.of(books.period(wanted.date).start.date(), unit, books.zone)
    except ValueError as error:
        raise Permanent(str(error)) from error


def _mail(work: Work, books: Analytics, week: Period, values: Mapping[str, Any]) -> None:
    from ..queues import Queues  # it imports us

    daily = [(day.name, books.users(day)) for day in _days(week, books)]
    queues = Queues(work.settings.queue_store or work.settings.store, settings=work.settings)
    try:
        mail = as_mail(week.name, values, daily)
        queues.queue_bulk_emails([{**mail, "to": [*work.settings.report_to], "key": f"report:{week.name}"}])
    finally:
        queues.close()


def _days(week: Period, books: Analytics) -> list[Period]:
    found = [periods.at(week.start, "day", books.zone)]
    while found[-1].end < week.end:
        found.append(periods.at(found[-1].end, "day", books.zone))
    return found
