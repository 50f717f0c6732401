"""Analytics: a year of events against pandas, each counted once, and what is refused."""

import random
import threading
from datetime import UTC, datetime

import pandas as pd
import pytest

from nexus_middleware import SettingsError, StoreError
from nexus_middleware.services.analytics import Analytics, Event, as_csv

NOON = datetime(2026, 10, 14, 12, tzinfo=UTC).timestamp()  # a Wednesday


class Clock:
    now = NOON

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def books(redis_url, clock):
    sale = ("viewed", "cart", "paid")
    return Analytics(redis_url, zone="Europe/Berlin", funnels={"sale": sale}, clock=clock)


def test_an_event_with_a_key_is_counted_once(books):
    assert [books.record("paid", "ann", key="order-1", amount=4900, currency="EUR") for _ in range(3)] == [
        True,
        False,
        False,
    ]

    today = books.period("2026-10-14")
    assert books.counts(today) == {"paid": 1}
    assert books.revenue(today) == {"EUR": 4900}


def test_of_many_threads_with_one_key_one_counts(books):
    new = []
    threads = [threading.Thread(target=lambda: new.append(books.record("paid", "ann", key="k"))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(new) == [False] * 15 + [True]


def test_without_a_key_each_call_counts(books):
    books.record("viewed", "ann")
    books.record("viewed", "ann")

    assert books.counts(books.period("2026-10-14")) == {"viewed": 2}
    assert books.users(books.period("2026-10-14")) == 1


def test_a_refund_lessens_what_came_in_and_currencies_stay_apart(books):
    books.record("paid", "ann", amount=4900, currency="EUR")
    books.record("refunded", "ann", amount=-900, currency="EUR")
    books.record("paid", "bob", amount=500, currency="JPY")

    assert books.revenue(books.period("2026-10-14")) == {"EUR": 4000, "JPY": 500}


def test_midnight_is_that_of_the_zone(books, clock):
    late = datetime(2026, 10, 13, 22, 30, tzinfo=UTC).timestamp()  # in Berlin it is past midnight
    books.record("viewed", "ann", at=late)

    assert books.counts(books.period("2026-10-13")) == {}
    assert books.counts(books.period("2026-10-14")) == {"viewed": 1}


def test_a_year_comes_to_the_same_figures_as_a_data_frame(books, clock):
    draw = random.Random(7)
    days = pd.date_range("2025-10-15", "2026-10-14", freq="D", tz="Europe/Berlin")
    rows = []
    for day in days:
        clock.now = (day + pd.Timedelta(hours=13)).timestamp()
        for _ in range(12):
            name, user = draw.choice(["viewed", "cart", "paid"]), f"u{draw.randrange(150)}"
            amount = draw.randrange(1, 9000) if name == "paid" else 0
            at = clock.now + draw.randrange(-36_000, 36_000)
            rows.append((at, name, user, amount))
        books.record_many(
            [Event(event=n, user_id=u, amount=a, currency="EUR" if a else "", at=at) for at, n, u, a in rows[-12:]]
        )
    frame = pd.DataFrame(rows, columns=["at", "event", "user", "amount"])
    frame["when"] = pd.to_datetime(frame["at"], unit="s", utc=True).dt.tz_convert("Europe/Berlin")

    for written in ("2026-03", "2026-W13", "2026-10-05", "2026-10"):
        period = books.period(written)
        part = frame[(frame.when >= period.start) & (frame.when < period.end)]
        assert books.counts(period) == part.groupby("event").size().to_dict()
        assert books.revenue(period).get("EUR", 0) == part.amount.sum()
        assert books.users(period) == pytest.approx(part.user.nunique(), rel=0.03)
        assert books.users(period, "paid") == pytest.approx(part[part.event == "paid"].user.nunique(), rel=0.03)
    week = books.period("2026-W41")
    assert books.funnel(week, "sale") == by_frame(frame[(frame.when >= week.start) & (frame.when < week.end)])


def by_frame(frame):
    """The funnel by joins instead of by bisection."""
    reached = frame[frame.event == "viewed"].groupby("user")["at"].min().rename("since").reset_index()
    counts = [len(reached)]
    for step in ("cart", "paid"):
        both = reached.merge(frame[frame.event == step][["user", "at"]], on="user")
        both = both[(both["at"] * 1000).astype("int64") >= (both.since * 1000).astype("int64")]
        reached = both.groupby("user")["at"].min().rename("since").reset_index()
        counts.append(len(reached))
    return counts


def test_conversion_is_a_share_and_undefined_where_nobody_began(books):
    for user in "abcd":
        books.record("viewed", user)
    books.record("paid", "a")

    today = books.period("2026-10-14")
    assert books.conversion(today, "viewed", "paid") == 0.25
    assert books.conversion(today, "cart", "paid") is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"event": ""},
        {"event": "a b"},
        {"event": "x" * 65},
        {"event": "a:b"},
        {"user_id": ""},
        {"user_id": "x" * 257},
        {"amount": 5},
        {"currency": "EUR"},
        {"amount": 5, "currency": "eur"},
        {"at": 0.0},
        {"at": NOON + 90_000},
        {"at": NOON - 8 * 86_400},
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_of_its_batch_is_counted(books, wrong):
    right = {"event": "viewed", "user_id": "ann"}

    with pytest.raises(ValueError, match=r".+"):
        books.record_many([Event(**right), Event(**{**right, **wrong})])
    assert books.counts(books.period("2026-10-14")) == {}


def test_no_name_of_a_user_is_kept(books, redis_server):
    books.record("cart", "ann@example.org", key="ann@example.org-1")

    client = redis_server.client
    assert all(b"ann@" not in key and b"ann@" not in (client.dump(key) or b"") for key in client.scan_iter())


def test_every_key_ends_one_day(books, redis_server):
    books.record("paid", "ann", key="k", amount=1, currency="EUR")

    left = {key: redis_server.client.ttl(key) for key in redis_server.client.scan_iter()}
    assert len(left) == 6
    assert all(0 < ttl <= 400 * 86_400 for ttl in left.values())


def test_names_without_end_are_one_name_after_the_first_200(books):
    books.record_many([Event(event=f"e{n}", user_id="ann") for n in range(300)])

    counts = books.counts(books.period("2026-10-14"))
    assert len(counts) == 201
    assert counts["(other)"] == 100


def test_results_are_kept_one_a_period_and_metric_and_read_back_by_time(books):
    books.keep(books.period("2026-10-13"), "users", 5)
    books.keep(books.period("2026-10-12"), "revenue", {"EUR": 4900})
    books.keep(books.period("2026-10-13"), "users", 7)

    found = books.results()
    assert [(x.period, x.metric, x.value) for x in found] == [
        ("2026-10-12", "revenue", {"EUR": 4900}),
        ("2026-10-13", "users", 7),
    ]
    assert as_csv(found).splitlines()[1:] == ["2026-10-12,revenue,EUR,4900", "2026-10-13,users,,7"]
    assert [x.value for x in books.results(metric="users")] == [7]


def test_no_cell_is_a_formula():
    from nexus_middleware.services.analytics import Result

    text = as_csv([Result(period="2026-10", metric="x", value={"=cmd()": -5, "@a": "+1"}, at=0.0)])

    assert text.splitlines()[1:] == ["2026-10,x,'=cmd(),-5", "2026-10,x,'@a,'+1"]


def test_analytics_need_a_redis_and_say_so():
    with pytest.raises(SettingsError, match="NEXUS_STORE"):
        Analytics("memory://")


@pytest.mark.parametrize("funnels", [{"sale": ("a",)}, {"a b": ("a", "b")}, {"sale": ("a", "b:c")}])
def test_a_funnel_that_is_none_is_refused(redis_url, funnels):
    with pytest.raises(SettingsError, match="funnel"):
        Analytics(redis_url, funnels=funnels)


def test_an_unknown_funnel_is_named(books):
    with pytest.raises(SettingsError, match="sale"):
        books.funnel(books.period("2026-10-14"), "rent")


def test_without_a_server_it_is_said_at_once(own_server, clock):
    books = Analytics(own_server.url, clock=clock)
    own_server.stop(kill=True)

    with pytest.raises(StoreError):
        books.record("viewed", "ann")


@pytest.mark.anyio
async def test_the_event_loop_has_a_twin(books):
    assert await books.arecord("viewed", "ann", key="k")
    assert not await books.arecord("viewed", "ann", key="k")
