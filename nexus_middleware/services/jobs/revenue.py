"""Calculate what subscriptions and sales earned in a month, and keep the results beside those of the events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from ...rules import periods, revenue
from ...rules.periods import Period
from ...rules.revenue import Payment, Subscription
from .analytics import books_of
from .registry import Permanent, Work

if TYPE_CHECKING:
    from .registry import Registry

Source: TypeAlias = Callable[[], Iterable[Subscription | Payment]]
KINDS = ("movement", "pricing", "upsell", "cohorts", "payments")
COHORTS = 12  # months


class Calculation(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What `revenue.calculate` takes."""

    type: str  # one of KINDS; "all" or "hourly" for each of them
    user_id: str | None = None  # one customer alone
    batch_size: int | None = None  # rows after which the progress is told; 1,000 if none is said
    period: str = ""  # a month, "2026-10"; "" for the one in which the job was due


class Revenue:
    """The job, which asks the user's own function for subscriptions and payments.

    Args:
        jobs: Its `revenue` is that function.
    """

    def __init__(self, jobs: Registry) -> None:
        self._jobs = jobs

    def calculate(self, work: Work, wanted: Calculation) -> dict[str, Any]:
        """Calculate and keep the figures of one month, by currency; those of one customer are told and not kept.

        Raises:
            Permanent: nobody gives the subscriptions, or the type or period is none.
        """
        if self._jobs.revenue is None:
            raise Permanent("no subscriptions: give them by a function, registered with @queues.revenue_source")
        kinds = KINDS if wanted.type in ("all", "hourly") else (wanted.type,)
        if kinds[0] not in KINDS:
            raise Permanent(f"type={wanted.type!r} must be one of {', '.join(KINDS)}, all and hourly")
        books = books_of(work.settings)
        try:
            month = (
                books.period(wanted.period)
                if wanted.period
                else periods.at(work.slot or books.now(), "month", books.zone)
            )
        except ValueError as error:
            raise Permanent(str(error)) from error
        stays, paid = _read(work, self._jobs.revenue, wanted)
        found: dict[str, Any] = {}
        rows: list[Subscription | Payment] = [*stays, *paid]
        for currency in sorted({each.currency for each in rows}):
            for kind in kinds:
                value = msgspec.to_builtins(_calculated(kind, stays, paid, month, currency))
                found[f"revenue.{kind}.{currency}"] = value
        if wanted.user_id is None:
            for name, value in found.items():
                books.keep(month, name, value)
        return {"period": month.name, **found}


def _read(work: Work, source: Source, wanted: Calculation) -> tuple[list[Subscription], list[Payment]]:
    stays: list[Subscription] = []
    paid: list[Payment] = []
    every = max(1, wanted.batch_size or 1_000)
    for number, row in enumerate(source(), 1):
        if wanted.user_id is None or row.customer == wanted.user_id:
            if isinstance(row, Subscription):
                stays.append(row)
            else:
                paid.append(row)
        if number % every == 0:
            work.progress(number, number, "rows read")
    return stays, paid


def _calculated(kind: str, stays: Sequence[Subscription], paid: Sequence[Payment], month: Period, currency: str) -> Any:
    if kind == "movement":
        return revenue.movement(stays, month, currency=currency)
    if kind == "pricing":
        return revenue.by_plan(stays, month.end - timedelta(microseconds=1), currency=currency)
    if kind == "upsell":
        return revenue.upsells(stays, month, currency=currency)
    if kind == "payments":
        return revenue.taken(paid, month, currency=currency)
    months = [month]
    while len(months) < COHORTS:
        months.insert(0, periods.before(months[0], month.start.tzinfo))  # type: ignore[arg-type]  # a ZoneInfo, as made
    return revenue.cohorts(stays, months, currency=currency)
