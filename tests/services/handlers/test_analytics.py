"""Analytics jobs: what is calculated, kept, and mailed with a plot."""

import base64
import io
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from nexus_middleware import SettingsError
from nexus_middleware.services.analytics import Analytics
from nexus_middleware.services.jobs.registry import Permanent
from nexus_middleware.services.jobs.report import bars

NOW = datetime.now(UTC)
TODAY = NOW.date().isoformat()
FUNNELS = ("sale:viewed>cart>paid",)


@pytest.fixture
def books(desk):
    made = Analytics(desk.url, funnels={"sale": ("viewed", "cart", "paid")})
    for number, steps in enumerate([("viewed",), ("viewed", "cart"), ("viewed", "cart", "paid"), ("paid",)]):
        for step in steps:
            money = {"amount": 4900, "currency": "EUR"} if step == "paid" else {}
            made.record(step, f"user-{number}", **money)
    return made


def test_a_day_is_summed_up_and_kept(desk, books):
    told = desk.run("analytics.aggregate", {"type": "daily", "date": TODAY}, funnels=FUNNELS)

    assert told == {
        "period": TODAY,
        "users": 4,
        "events": {"cart": 2, "paid": 2, "viewed": 3},
        "revenue": {"EUR": 9800},
        "funnel.sale": {"viewed": 3, "cart": 2, "paid": 1},
        "conversion.sale": pytest.approx(1 / 3),
    }
    assert {x.metric: x.value for x in books.results()} == {k: v for k, v in told.items() if k != "period"}


def test_a_recurring_job_sums_up_what_ended_when_it_was_due(desk, books):
    slot = datetime.combine(NOW.date() + timedelta(1), datetime.min.time(), UTC)

    assert desk.run("analytics.aggregate", {"type": "daily"}, slot=slot)["period"] == TODAY


def test_a_single_metric_of_a_single_period(desk, books):
    assert desk.run("analytics.metric", {"metric": "users.cart", "period": TODAY}) == {"period": TODAY, "users.cart": 2}


def test_a_job_that_runs_twice_keeps_one_result(desk, books):
    for _ in range(2):
        desk.run("analytics.metric", {"metric": "users", "period": TODAY})

    assert len(books.results()) == 1


@pytest.mark.parametrize(
    ("job", "payload"),
    [
        ("analytics.aggregate", {"type": "hourly"}),
        ("analytics.aggregate", {"type": "daily", "date": "yesterday"}),
        ("analytics.aggregate", {"type": "daily", "date": TODAY, "metrics": ["luck"]}),
        ("analytics.metric", {"metric": "funnel.rent", "period": TODAY}),
        ("analytics.metric", {"metric": "users", "period": "2026-99"}),
    ],
)
def test_what_is_not_known_fails_for_good(desk, job, payload):
    with pytest.raises(Permanent):
        desk.run(job, payload)


def test_a_funnel_that_cannot_be_read_is_a_setting_to_change(desk):
    with pytest.raises(SettingsError, match="funnels"):
        desk.run("analytics.metric", {"metric": "users", "period": TODAY}, funnels=("sale",))


def test_the_week_is_mailed_once_with_a_plot(desk, books):
    settings = {"funnels": FUNNELS, "report_to": ("boss@example.org",)}
    for _ in range(2):
        desk.run("analytics.aggregate", {"type": "weekly", "date": TODAY}, **settings)

    payloads = [desk.queues.ledger.client.hget(key, "data") for key in desk.client.scan_iter("rq:job:*")]
    assert len(payloads) == 2  # one for each run; the mail's own key lets one of them be sent
    from rq.job import Job

    from nexus_middleware.services.jobs.email import Mail, compose

    mails = [
        Job.fetch(key.decode().rpartition(":")[2], desk.client, serializer="json").kwargs
        for key in desk.client.scan_iter("rq:job:*")
    ]
    assert len({mail["key"] for mail in mails}) == 1
    message = compose(Mail(**mails[0]), sender="shop@example.org", key="k")
    (picture,) = [part for part in message.walk() if part.get_content_type() == "image/png"]
    assert picture["Content-ID"] == "<users>"
    with Image.open(io.BytesIO(base64.b64decode(picture.get_payload()))) as image:
        assert image.size == (640, 240)
    assert "9,800" not in message.get_body(("plain",)).get_content()
    assert "revenue, EUR: 98.00" in message.get_body(("plain",)).get_content()


@pytest.mark.parametrize("users", [0, 1, 3, 7, 99, 1_000_000])
def test_the_bars_of_a_plot_are_as_high_as_what_they_stand_for(users):
    with Image.open(io.BytesIO(bars([("2026-10-05", users), ("2026-10-06", users // 2)]))) as image:
        columns = [sum(image.getpixel((x, y)) == (0x3B, 0x6F, 0xD4) for y in range(16, 212)) for x in (194, 486)]

    assert columns[1] == pytest.approx(columns[0] * (users // 2) / users if users else columns[1], abs=3)
