"""Revenue: worked examples of others, the cases at the edges, and the same figures by another way."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus_middleware.rules import periods, revenue
from nexus_middleware.rules.revenue import Payment, Subscription

ZONE = periods.zone("UTC")
MARCH = periods.period("2026-03", ZONE)
BEFORE, INSIDE = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 3, 15, tzinfo=UTC)


def stay(customer, amount, started=BEFORE, ended=None, **more):
    fields = {"plan": f"p{amount}", "currency": "USD", **more}
    return Subscription(customer=customer, amount=amount, started=started, ended=ended, **fields)


def change(customer, before, after, when=INSIDE):
    return [stay(customer, before, ended=when), stay(customer, after, started=when)]


def test_the_prime_calculator_s_net_churn_of_minus_1_percent():
    """200,000 at the start; 10,000 cancelled, 3,000 less, 15,000 more."""
    rows = [
        stay("leaves", 10_000_00, ended=INSIDE),
        *change("less", 5_000_00, 2_000_00),
        *change("more", 20_000_00, 35_000_00),
        stay("stays", 165_000_00),
    ]

    moved = revenue.movement(rows, MARCH, currency="USD")

    assert moved.mrr_start == 200_000_00
    assert moved.net_mrr_churn == pytest.approx(-0.01)
    assert moved.nrr == pytest.approx(1.01)


def test_corl_s_gross_churn_of_8_percent():
    """50,000 at the start, of which contracts of 4,000 are cancelled."""
    moved = revenue.movement([stay("a", 4_000_00, ended=INSIDE), stay("b", 46_000_00)], MARCH, currency="USD")

    assert moved.gross_mrr_churn == pytest.approx(0.08)


def test_abracalc_s_lifetime_value_of_450():
    """50 an account, 90 % margin, 10 % churn."""
    rows = [stay(str(n), 50_00, ended=INSIDE if n == 0 else None) for n in range(10)]

    moved = revenue.movement(rows, MARCH, currency="USD", margin=0.9)

    assert (moved.arpa, moved.customer_churn, moved.ltv_n) == (50_00, 0.1, 10)
    assert moved.ltv == pytest.approx(450_00)


def test_a_net_retention_of_107_percent():
    """100,000 at the start, 15,000 more, 8,000 lost."""
    rows = [stay("a", 8_000_00, ended=INSIDE), *change("b", 50_000_00, 65_000_00), stay("c", 42_000_00)]

    assert revenue.movement(rows, MARCH, currency="USD").nrr == pytest.approx(1.07)


def test_where_nobody_leaves_there_is_no_lifetime_value_and_not_an_infinite_one():
    moved = revenue.movement([stay("a", 10_00)], MARCH, currency="USD")

    assert (moved.customer_churn, moved.ltv) == (0.0, None)


def test_without_customers_every_rate_is_undefined_and_every_sum_is_0():
    moved = revenue.movement([], MARCH, currency="USD")

    assert (moved.customer_churn, moved.gross_mrr_churn, moved.nrr, moved.arpa, moved.ltv) == (None,) * 5
    assert (moved.mrr_start, moved.mrr_end, moved.customers_end) == (0, 0, 0)


def test_an_annual_plan_counts_a_twelfth_each_month():
    assert stay("a", 100_00, months=12).monthly == 8_33
    assert stay("a", 30, months=12).monthly == 3  # half a cent goes up


def test_a_trial_earns_nothing_and_is_new_when_it_is_paid_for():
    rows = [stay("a", 10_00, trial_until=INSIDE), stay("gave up", 10_00, trial_until=INSIDE, ended=INSIDE)]

    moved = revenue.movement(rows, MARCH, currency="USD")

    assert (moved.customers_start, moved.customers_new, moved.new, moved.mrr_end) == (0, 1, 10_00, 10_00)


def test_a_given_up_trial_does_not_make_a_later_customer_a_returning_one():
    trial = stay("a", 10_00, trial_until=INSIDE, ended=datetime(2026, 1, 20, tzinfo=UTC))

    moved = revenue.movement([trial, stay("a", 10_00, started=INSIDE)], MARCH, currency="USD")

    assert (moved.customers_new, moved.customers_back) == (1, 0)


def test_who_left_and_comes_back_is_not_new():
    rows = [stay("a", 10_00, ended=datetime(2026, 2, 1, tzinfo=UTC)), stay("a", 12_00, started=INSIDE)]

    moved = revenue.movement(rows, MARCH, currency="USD")

    assert (moved.customers_new, moved.customers_back, moved.new, moved.reactivated) == (0, 1, 0, 12_00)


def test_money_of_two_currencies_is_never_summed():
    rows = [stay("a", 10_00), stay("b", 99_00, currency="EUR")]

    assert revenue.movement(rows, MARCH, currency="USD").mrr_end == 10_00
    assert revenue.mrr([rows[1]], INSIDE) == {"b": 99_00}


def test_the_zone_decides_in_which_month_a_customer_left():
    left = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)  # in Berlin that is April
    rows = [stay("a", 10_00, ended=left)]
    berlin = periods.period("2026-03", periods.zone("Europe/Berlin"))

    assert revenue.movement(rows, MARCH, currency="USD").customers_lost == 1
    assert revenue.movement(rows, berlin, currency="USD").customers_lost == 0


def test_a_refund_counts_when_it_is_given_back():
    march, april = datetime(2026, 3, 30, tzinfo=UTC), datetime(2026, 4, 2, tzinfo=UTC)
    rows = [Payment(customer="a", amount=x, currency="USD", at=at) for x, at in [(50_00, march), (-50_00, april)]]
    ends = [periods.period(name, ZONE) for name in ("2026-03", "2026-04")]

    taken = [revenue.taken(rows, each, currency="USD") for each in ends]

    assert [(x.payments, x.gross, x.refunded, x.net) for x in taken] == [(1, 50_00, 0, 50_00), (0, 0, 50_00, -50_00)]


def test_a_cohort_says_who_of_those_that_came_together_is_still_there():
    months = [periods.period(f"2026-0{n}", ZONE) for n in (1, 2, 3)]
    gone = datetime(2026, 2, 10, tzinfo=UTC)
    rows = [stay("a", 10_00), stay("b", 30_00, ended=gone), stay("c", 20_00, started=gone)]

    first, second = revenue.cohorts(rows, months, currency="USD")

    assert (first.period, first.customers, first.mrr) == ("2026-01", 2, 40_00)
    assert first.customers_kept == (1.0, 0.5, 0.5)
    assert first.mrr_kept == (1.0, 0.25, 0.25)
    assert (second.period, second.customers_kept) == ("2026-02", (1.0, 1.0))


def test_plans_are_told_apart_by_what_they_earn():
    rows = [stay("a", 10_00, plan="small"), stay("b", 30_00, plan="big"), stay("b", 5_00, plan="small")]

    found = revenue.by_plan(rows, INSIDE, currency="USD")

    assert [(x.plan, x.customers, x.mrr, x.arpa) for x in found] == [
        ("big", 1, 30_00, 30_00),
        ("small", 2, 15_00, 7_50),
    ]
    assert sum(x.share for x in found) == pytest.approx(1)


def test_an_upsell_names_the_plan_left_and_the_one_taken():
    rows = [*change("a", 10_00, 30_00), *change("b", 10_00, 30_00), *change("c", 30_00, 10_00)]

    (found,) = revenue.upsells(rows, MARCH, currency="USD")

    assert (found.before, found.after, found.customers, found.mrr) == ("p1000", "p3000", 2, 40_00)


stays = st.lists(
    st.builds(
        lambda who, amount, months, first, days, trial: Subscription(
            customer=f"c{who}",
            plan="p",
            amount=amount,
            currency="USD",
            months=months,
            started=BEFORE + timedelta(first),
            ended=None if days is None else BEFORE + timedelta(first + days),
            trial_until=None if trial is None else BEFORE + timedelta(first + trial),
        ),
        st.integers(0, 12),
        st.integers(0, 100_000),
        st.sampled_from([1, 3, 12]),
        st.integers(0, 120),
        st.none() | st.integers(1, 90),
        st.none() | st.integers(0, 30),
    ),
    max_size=40,
)


@given(rows=stays)
def test_what_came_less_what_went_is_exactly_the_difference(rows):
    moved = revenue.movement(rows, MARCH, currency="USD")

    came, went = moved.new + moved.reactivated + moved.expansion, moved.contraction + moved.churned
    assert moved.mrr_end == moved.mrr_start + came - went
    arrived = moved.customers_new + moved.customers_back
    assert moved.customers_end == moved.customers_start + arrived - moved.customers_lost


@given(rows=stays)
def test_a_data_frame_comes_to_the_same_figures(rows):
    moved = revenue.movement(rows, MARCH, currency="USD")
    table = pd.DataFrame(
        [(x.customer, x.amount, x.months, x.started, x.ended, x.trial_until) for x in rows],
        columns=["customer", "amount", "months", "started", "ended", "trial"],
    )
    start, end = (by_frame(table, moment) for moment in (MARCH.start, MARCH.end))
    both = pd.DataFrame({"start": start, "end": end}).fillna(0)
    stayed = both[(both.start > 0) & (both.end > 0)]
    delta = stayed.end - stayed.start

    assert moved.mrr_start == both.start.sum()
    assert moved.mrr_end == both.end.sum()
    assert moved.expansion == delta[delta > 0].sum()
    assert moved.contraction == -delta[delta < 0].sum()
    assert moved.churned == both[(both.start > 0) & (both.end == 0)].start.sum()


def by_frame(table, moment):
    """The monthly revenue by customer at `moment`."""
    if table.empty:
        return pd.Series(dtype="int64")
    ended = pd.to_datetime(table.ended, utc=True).fillna(pd.Timestamp(2099, 1, 1, tz="UTC"))
    started = pd.concat([pd.to_datetime(table[x], utc=True) for x in ("started", "trial")], axis=1).max(axis=1)
    live = table[(started <= moment) & (ended > moment)]
    paid = (live.amount / live.months + 0.5).floordiv(1).astype("int64").groupby(live.customer).sum()
    return paid[paid > 0]
