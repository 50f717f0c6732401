"""What subscriptions earn: recurring revenue, how it moved in a period, and who stayed.

Money is in whole minor units (cents) of one currency; every rate is a share of 1, and None where it would divide by 0.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeAlias

import msgspec

from .periods import Period

Money: TypeAlias = int  # minor units
Share: TypeAlias = float | None  # of 1; None: nothing to divide by


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """One customer's stay on one plan at one price; a change of plan or price ends it and begins another.

    Times know their zone. `amount` is what one billing period costs after discounts and without tax, and `months` how
    long such a period is: 12 for an annual plan. A trial earns nothing until `trial_until`.
    """

    customer: str
    plan: str
    amount: Money
    currency: str  # ISO 4217
    started: datetime
    ended: datetime | None = None
    months: int = 1
    trial_until: datetime | None = None

    @property
    def monthly(self) -> Money:
        """What it adds to the monthly recurring revenue: the price by months, rounded half up."""
        return (2 * self.amount + self.months) // (2 * self.months)

    def earns(self, moment: datetime) -> bool:
        """Whether it is paid for at that moment."""
        begins = self.started if self.trial_until is None else max(self.started, self.trial_until)
        return begins <= moment and (self.ended is None or moment < self.ended)


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """Money that came in once; a refund is a payment below 0, at the time when it was given back."""

    customer: str
    amount: Money
    currency: str
    at: datetime
    item: str = ""


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """How the monthly recurring revenue (MRR) of one currency moved in a period.

    `mrr_end` is `mrr_start + new + reactivated + expansion - contraction - churned`, exactly.
    """

    period: str
    currency: str
    customers_start: int
    customers_end: int
    customers_new: int
    customers_back: int  # had left before, and came back
    customers_lost: int
    mrr_start: Money
    mrr_end: Money
    new: Money
    reactivated: Money
    expansion: Money
    contraction: Money
    churned: Money
    customer_churn: Share  # lost / customers_start
    gross_mrr_churn: Share  # (churned + contraction) / mrr_start
    net_mrr_churn: Share  # the same less expansion; below 0 where those who stay pay more than is lost
    nrr: Share  # net revenue retention: 1 - net_mrr_churn
    arpa: float | None  # average revenue per account: mrr_end / customers_end, in minor units
    ltv: float | None  # lifetime value: arpa * margin / customer_churn, in minor units; None if nobody left
    ltv_n: int  # the customers whose leaving `ltv` rests on; below about 100 it is no more than a hint


class Cohort(msgspec.Struct, frozen=True, kw_only=True):
    """Those who first paid in one period: how many, and what share of them and of their revenue is there later."""

    period: str
    currency: str
    customers: int
    mrr: Money
    customers_kept: tuple[float, ...]  # at the end of its own period, of the next, and so on
    mrr_kept: tuple[float, ...]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What one plan earns at a moment."""

    plan: str
    currency: str
    customers: int
    mrr: Money
    share: float  # of the currency's whole
    arpa: float  # minor units


class Upsell(msgspec.Struct, frozen=True, kw_only=True):
    """Customers who moved from one plan to another in a period, and pay more for it."""

    before: str  # plans, joined by "+" where there are several
    after: str
    currency: str
    customers: int
    mrr: Money  # what they pay more


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """The single payments of a period."""

    period: str
    currency: str
    payments: int
    gross: Money
    refunded: Money
    net: Money


def mrr(subscriptions: Iterable[Subscription], moment: datetime) -> dict[str, Money]:
    """Return what each customer pays a month at that moment; those who pay nothing are left out."""
    paid: dict[str, Money] = defaultdict(int)
    for each in subscriptions:
        if each.earns(moment):
            paid[each.customer] += each.monthly
    return {customer: amount for customer, amount in paid.items() if amount > 0}


def movement(subscriptions: Sequence[Subscription], period: Period, *, currency: str, margin: float = 1.0) -> Movement:
    """Compare who paid what at the start of `period` with its end.

    Who comes and leaves within the period is in neither, and in no figure.

    Args:
        subscriptions: All of them, of any currency and time.
        period: Usually a month.
        currency: Which to look at; money of several is never summed.
        margin: The gross margin, a share of 1, for the lifetime value.

    See Also:
        docs/revenue.md for the definitions and where they come from.
    """
    own = [each for each in subscriptions if each.currency == currency]
    start, end = mrr(own, period.start), mrr(own, period.end)
    known = {each.customer for each in own if _earned(each) and _began(each) < period.start}
    moved = {customer: end.get(customer, 0) - start.get(customer, 0) for customer in start.keys() | end.keys()}
    arrived, lost = end.keys() - start.keys(), start.keys() - end.keys()
    back = arrived & known
    stayed = [moved[customer] for customer in start.keys() & end.keys()]
    expansion, contraction = sum(x for x in stayed if x > 0), -sum(x for x in stayed if x < 0)
    churned, before, after = sum(start[customer] for customer in lost), sum(start.values()), sum(end.values())
    churn, gone = _share(len(lost), len(start)), churned + contraction
    net = _share(gone - expansion, before)
    arpa = _share(after, len(end))
    return Movement(
        period=period.name,
        currency=currency,
        customers_start=len(start),
        customers_end=len(end),
        customers_new=len(arrived - back),
        customers_back=len(back),
        customers_lost=len(lost),
        mrr_start=before,
        mrr_end=after,
        new=sum(end[customer] for customer in arrived - back),
        reactivated=sum(end[customer] for customer in back),
        expansion=expansion,
        contraction=contraction,
        churned=churned,
        customer_churn=churn,
        gross_mrr_churn=_share(gone, before),
        net_mrr_churn=net,
        nrr=None if net is None else 1 - net,
        arpa=arpa,
        ltv=arpa * margin / churn if arpa is not None and churn else None,
        ltv_n=len(start),
    )


def cohorts(subscriptions: Sequence[Subscription], periods: Sequence[Period], *, currency: str) -> list[Cohort]:
    """Return, for each of `periods` in which somebody first paid, who of them is there at its end and at later ones'.

    A customer who leaves before the period of the first payment ends counts in `customers`, and is not kept. `mrr` is
    what the cohort's customers paid at their first moment.
    """
    own = [each for each in subscriptions if each.currency == currency and each.monthly > 0 and _earned(each)]
    first: dict[str, datetime] = {}
    for each in own:
        first[each.customer] = min(_began(each), first.get(each.customer, _began(each)))
    ends = [mrr(own, period.end) for period in periods]
    found = []
    for i, period in enumerate(periods):
        members = {customer for customer, began in first.items() if period.start <= began < period.end}
        if not members:
            continue
        entry = sum(each.monthly for each in own if each.customer in members and each.earns(first[each.customer]))
        kept = [{customer: paid for customer, paid in end.items() if customer in members} for end in ends[i:]]
        found.append(
            Cohort(
                period=period.name,
                currency=currency,
                customers=len(members),
                mrr=entry,
                customers_kept=tuple(len(each) / len(members) for each in kept),
                mrr_kept=tuple(sum(each.values()) / entry for each in kept),
            )
        )
    return found


def by_plan(subscriptions: Iterable[Subscription], moment: datetime, *, currency: str) -> list[Plan]:
    """Return what each plan earns at that moment, the one that earns most first."""
    paid: dict[str, Money] = defaultdict(int)
    customers: dict[str, set[str]] = defaultdict(set)
    for each in subscriptions:
        if each.currency == currency and each.monthly > 0 and each.earns(moment):
            paid[each.plan] += each.monthly
            customers[each.plan].add(each.customer)
    whole = sum(paid.values())
    rows = [
        Plan(
            plan=plan,
            currency=currency,
            customers=len(customers[plan]),
            mrr=amount,
            share=amount / whole,
            arpa=amount / len(customers[plan]),
        )
        for plan, amount in paid.items()
    ]
    return sorted(rows, key=lambda row: (-row.mrr, row.plan))


def upsells(subscriptions: Sequence[Subscription], period: Period, *, currency: str) -> list[Upsell]:
    """Return who pays more at the end of `period` than at its start, by the plans that they left and took."""
    own = [each for each in subscriptions if each.currency == currency]
    start, end = mrr(own, period.start), mrr(own, period.end)
    mine: dict[str, list[Subscription]] = defaultdict(list)
    for each in own:
        mine[each.customer].append(each)
    more: dict[tuple[str, str], list[Money]] = defaultdict(list)
    for customer in start.keys() & end.keys():
        if end[customer] > start[customer]:
            moved = _plans(mine[customer], period.start), _plans(mine[customer], period.end)
            more[moved].append(end[customer] - start[customer])
    rows = [
        Upsell(before=before, after=after, currency=currency, customers=len(gains), mrr=sum(gains))
        for (before, after), gains in more.items()
    ]
    return sorted(rows, key=lambda row: (-row.mrr, row.before, row.after))


def taken(payments: Iterable[Payment], period: Period, *, currency: str) -> Taken:
    """Sum the single payments of `period`; a refund counts when it is given back, not when its payment came."""
    amounts = [x.amount for x in payments if x.currency == currency and period.start <= x.at < period.end]
    gross, refunded = sum(x for x in amounts if x > 0), -sum(x for x in amounts if x < 0)
    return Taken(
        period=period.name,
        currency=currency,
        payments=sum(x > 0 for x in amounts),
        gross=gross,
        refunded=refunded,
        net=gross - refunded,
    )


def _began(each: Subscription) -> datetime:
    return each.started if each.trial_until is None else max(each.started, each.trial_until)


def _earned(each: Subscription) -> bool:
    """Whether it was paid for at all: a trial that was given up was not."""
    return each.ended is None or _began(each) < each.ended


def _plans(subscriptions: Iterable[Subscription], moment: datetime) -> str:
    return "+".join(sorted({each.plan for each in subscriptions if each.earns(moment)}))


def _share(part: float, whole: float) -> Share:
    return part / whole if whole else None
