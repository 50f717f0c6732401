"""What jobs have calculated, in a real browser: the newest of each metric, one over time, and as a sheet."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from nexus_middleware import Nexus, Settings
from tests.e2e.conftest import TOKEN, open_dashboard
from tests.e2e.history import MARKUP
from tests.e2e.test_dashboard import LOOKS
from tests.helpers import Origin


@pytest.fixture
def counted(dashboard):
    """A dashboard whose jobs have calculated three days and a month, with markup among the names."""
    books = dashboard.nexus.runtime.analytics
    for n in (1, 2, 3):
        day = books.period((books.now() - timedelta(n)).date().isoformat())
        books.keep(day, "users", 1000 - n)
        books.keep(day, "conversion.sale", 0.0312)
        books.keep(day, "events", {MARKUP: 7, **{f"event-{k}": k for k in range(9)}})
    books.keep(books.period((books.now() - timedelta(20)).date().isoformat()[:7]), "revenue", {"EUR": 491234})
    return dashboard


@pytest.mark.parametrize("look", LOOKS)
def test_results_are_accessible_fit_and_show_text_as_text(visit, counted, look):
    seen = visit(**LOOKS[look])

    for view in ("queues/results", "queues/results?metric=users"):
        seen.open(f"{counted.url}#{view}")
        expect(seen.page.locator("[role=tabpanel]")).to_contain_text("999")
        assert seen.violations() == [], view
        assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
    assert seen.page.locator("img").count() == 0


def test_the_newest_of_each_metric_leads_to_it_over_time_and_to_a_sheet(visit, counted):
    seen = visit()
    seen.open(f"{counted.url}#queues")
    seen.page.get_by_role("link", name="Results").click()
    rows = seen.page.get_by_role("region", name="The newest of each metric").locator("tbody tr")

    expect(rows).to_have_count(3)
    expect(rows.filter(has_text="conversion.sale")).to_contain_text("3.1 %")
    events = rows.filter(has_text="events")
    events.locator("summary").click()
    seen.renew()
    expect(events.get_by_text("event-8")).to_be_visible()
    seen.page.get_by_role("link", name="users").click()
    expect(seen.page.get_by_role("region", name="users over time").locator("tbody tr")).to_have_count(3)
    with seen.page.expect_download() as sheet:
        seen.page.get_by_role("link", name="CSV by parts").click()
    assert sheet.value.suggested_filename == "analytics.csv"
    assert sheet.value.path().read_text().splitlines()[0] == "period,metric,part,value"
    seen.page.go_back()
    by = seen.page.get_by_role("combobox", name="By")
    by.focus()
    by.select_option("Months")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("EUR 491,234")
    expect(by).to_be_focused()


def test_where_nothing_was_calculated_it_says_what_does_so(visit, serve, redis_url):
    dashboard = open_dashboard(serve, redis_url)
    seen = visit()
    seen.open(f"{dashboard.url}#queues/results")

    expect(seen.page.get_by_text("Nothing was calculated of this time.")).to_be_visible()
    assert seen.violations() == []


def test_without_redis_it_says_what_is_needed(visit, serve):
    served = serve(Nexus(Origin().asgi, Settings(admin_token=TOKEN, log_level="error", namespace="no-results")))
    seen = visit()
    seen.open(f"{served.base}/admin/infrastructure/#queues/results")

    expect(seen.page.get_by_text("No results are kept.")).to_be_visible()
