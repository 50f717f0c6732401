"""The revenue job: from the user's own rows to figures that are kept."""

from datetime import UTC, datetime

import msgspec
import pytest

from nexus_middleware.rules.revenue import Payment, Subscription
from nexus_middleware.services.analytics import Analytics
from nexus_middleware.services.jobs.registry import Permanent

JANUARY, MARCH = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC)


@pytest.fixture
def rows(desk):
    @desk.queues.revenue_source
    def rows():
        stay = {"amount": 1000, "currency": "EUR", "plan": "team", "started": JANUARY}
        yield Subscription(customer="ann", **stay)
        yield Subscription(customer="bob", ended=MARCH, **stay)
        yield Payment(customer="cid", amount=4900, currency="USD", at=MARCH)


def calculate(desk, **payload):
    return desk.run("revenue.calculate", {"type": "all", "period": "2026-03", **payload})


def test_the_month_s_figures_are_kept_by_currency(desk, rows):
    told = calculate(desk)

    assert told["period"] == "2026-03"
    moved = told["revenue.movement.EUR"]
    assert (moved["mrr_start"], moved["mrr_end"], moved["customer_churn"]) == (2000, 1000, 0.5)
    assert told["revenue.payments.USD"]["net"] == 4900
    assert told["revenue.cohorts.EUR"][0]["customers_kept"] == (1.0, 1.0, 0.5)
    kept = {x.metric: x.value for x in Analytics(desk.url).results()}
    wanted = {name: value for name, value in told.items() if name != "period"}
    assert kept == msgspec.json.decode(msgspec.json.encode(wanted))


def test_one_kind_alone(desk, rows):
    assert [*calculate(desk, type="pricing")] == ["period", "revenue.pricing.EUR", "revenue.pricing.USD"]


def test_one_customer_s_figures_are_told_and_not_kept(desk, rows):
    told = calculate(desk, user_id="bob", type="movement")

    assert told["revenue.movement.EUR"]["customers_lost"] == 1
    assert Analytics(desk.url).results() == []


def test_the_hourly_job_calculates_the_month_in_which_it_was_due(desk, rows):
    told = desk.run("revenue.calculate", {"type": "hourly"}, slot=datetime(2026, 2, 3, 4, tzinfo=UTC))

    assert told["period"] == "2026-02"


def test_progress_is_told_by_the_batch(desk, rows):
    calculate(desk, batch_size=1)

    assert [x["done"] for x in desk.told] == [1, 2, 3]


@pytest.mark.parametrize("payload", [{"type": "luck"}, {"period": "March"}])
def test_what_is_not_known_fails_for_good(desk, rows, payload):
    with pytest.raises(Permanent):
        calculate(desk, **payload)


def test_without_a_source_it_is_said_how_to_give_one(desk):
    with pytest.raises(Permanent, match="revenue_source"):
        calculate(desk)
