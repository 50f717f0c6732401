"""Performance, Security and Logs in a real browser: what they show of an hour, and that all can read it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from nexus_middleware.stores.base import drive
from tests.e2e.conftest import open_dashboard
from tests.e2e.history import MARKUP, live_an_hour
from tests.e2e.test_dashboard import LOOKS

VIEWS = {  # an address, and what is to be seen there
    "performance": "Endpoints",
    "performance/slow": "1.7 s",
    "performance/queries": "N+1",
    "performance/timers": "No timer ran.",
    "performance/errors": "LookupError",
    "performance/endpoint/POST%20%2Forders": "To the last byte",
    "performance/request/request-1": "Lines of the log",
    "security": "What happened",
    "security/blocked": "Your own address is",
    "security/limits": "Limited most often",
    "security/posture": "TrustedProxies",
    "security/csp": "No browser reported anything.",
    "logs": "slow upload",
}


@pytest.fixture
def lived(serve, redis_url, tmp_path):
    """A dashboard that knows of an hour, with markup in every text."""
    dashboard = open_dashboard(serve, redis_url, settings={"log_dir": str(tmp_path), "log_level": "info"})
    live_an_hour(dashboard.nexus)
    for n in range(3):
        dashboard.nexus.log.bind(request_id=f"request-{n}").warning(f"slow upload {MARKUP}", agent=MARKUP)
    return dashboard


def go(seen, view):
    seen.page.evaluate("view => { location.hash = view }", view)
    expect(seen.page.locator("[role=tabpanel]")).to_contain_text(VIEWS[view])
    expect(seen.page.locator("[role=tabpanel] [aria-busy]")).to_have_count(0)


@pytest.mark.parametrize("look", LOOKS)
def test_every_view_is_accessible_fits_and_shows_text_as_text(visit, lived, look):
    seen = visit(**LOOKS[look])
    seen.open(lived.url)

    for view in VIEWS:
        go(seen, view)
        for each in seen.page.locator("[role=tabpanel] details summary").all()[:2]:
            each.click()
        assert seen.violations() == [], view
        assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
        assert seen.page.locator("img").count() == 0, view


def test_a_chart_is_told_in_words_walked_by_keys_and_shown_as_a_table(visit, lived):
    seen = visit()
    seen.open(lived.url)
    go(seen, "performance")
    chart = seen.page.locator(".chart", has=seen.page.get_by_role("heading", name="Response time"))
    plot = chart.get_by_role("img")

    assert re.search(r"p50: [\d.]+ ms to [\d.]+ ms, last .*p95: .*p99: ", plot.get_attribute("aria-label"))
    plot.focus()
    seen.page.keyboard.press("End")
    expect(chart.locator(".when")).to_contain_text("so far")
    seen.page.keyboard.press("ArrowLeft")
    expect(chart.locator("[aria-live]")).to_contain_text("p95 ")
    expect(seen.page.locator(".cursor")).to_have_count(6)  # one moment in all charts
    seen.page.keyboard.press("Escape")
    expect(seen.page.locator(".cursor")).to_have_count(0)

    chart.get_by_role("button", name="Show as table").click()
    expect(chart.locator("tbody tr")).to_have_count(60)
    expect(chart.locator("tbody tr").first).to_contain_text("(so far)")
    seen.renew()
    expect(chart.locator("tbody tr")).to_have_count(60)


def test_endpoints_are_sorted_by_a_heading_and_each_has_a_page(visit, lived):
    seen = visit()
    seen.open(f"{lived.url}#performance")
    rows = seen.page.get_by_role("region", name="Endpoints").locator("tbody th")

    expect(rows.first).to_have_text("POST /orders")
    seen.page.get_by_role("button", name="Requests", exact=True).click()
    expect(seen.page.locator("th[aria-sort]")).to_have_text(re.compile("Requests"))
    assert "sort=count" in seen.page.url
    seen.renew()
    expect(seen.page.get_by_role("button", name="Requests", exact=True)).to_be_focused()
    seen.page.get_by_role("link", name="GET /courses/{id}").click()
    expect(seen.page.locator(".histogram")).to_be_visible()
    expect(seen.page.locator(".fact", has_text="Requests")).to_contain_text("200")


def test_a_traceback_and_the_request_that_raised_it_are_a_click_away(visit, lived):
    seen = visit()
    seen.open(f"{lived.url}#performance/errors")

    seen.page.locator("summary", has_text="LookupError").click()
    expect(seen.page.locator("pre")).to_contain_text("live_an_hour")
    seen.page.get_by_role("link", name="request-1").click()
    panel = seen.page.locator("[role=tabpanel]")
    expect(panel).to_contain_text("1.7 s")
    expect(panel).to_contain_text(f"slow upload {MARKUP}")
    expect(panel).to_contain_text("It queued no job that is still kept.")


def test_the_legend_of_events_counts_all_of_the_window_until_a_bar_is_pointed_at(visit, lived):
    seen = visit()
    seen.open(f"{lived.url}#security")

    legend = seen.page.locator(".chart .legend").first
    expect(legend).to_contain_text("attacks 10")
    expect(legend).to_contain_text("in all")
    seen.page.get_by_role("img", name=re.compile("attacks: 0 to .*, 10 in all")).press("Home")
    expect(legend).to_contain_text("attacks 0")


def test_events_are_filtered_opened_and_lead_to_a_block(visit, lived):
    seen = visit()
    seen.open(f"{lived.url}#security")

    seen.page.get_by_role("link", name="SQL injection").click()
    events = seen.page.locator(".events li")
    expect(events).to_have_count(5)
    events.first.locator("summary").click()
    expect(events.first).to_contain_text(f"query q: {MARKUP}")
    seen.renew()
    expect(events.first.locator("details")).to_have_attribute("open", "")
    events.first.get_by_role("link", name="block it").click()
    expect(seen.page.get_by_label("Address or network")).to_have_value(re.compile(r"192\.0\.2\.\d"))
    seen.page.get_by_role("button", name="Block", exact=True).click()
    expect(seen.page.locator(".toast")).to_contain_text("is blocked.")


def test_older_events_come_when_they_are_asked_for(visit, lived):
    for n in range(60):
        lived.nexus.security.unblock(f"203.0.113.{n}")
        lived.nexus.security.block(f"203.0.113.{n}")
    seen = visit()
    seen.open(f"{lived.url}#security?kind=block")

    expect(seen.page.locator(".events li")).to_have_count(50)
    seen.page.get_by_role("button", name="Older events").click()
    expect(seen.page.locator(".events li")).to_have_count(61)
    expect(seen.page.get_by_role("button", name="Older events")).to_have_count(0)


def test_lines_of_the_log_are_filtered_and_the_level_is_changed_for_an_hour(visit, lived):
    seen = visit()
    seen.open(f"{lived.url}#logs")
    lines = seen.page.locator(".lines li")

    expect(lines).to_have_count(3)
    seen.page.get_by_label("Request id").fill("request-2")
    seen.page.keyboard.press("Enter")
    expect(lines).to_have_count(1)
    lines.first.locator("summary").click()
    expect(lines.first).to_contain_text(MARKUP)
    seen.page.get_by_label("Written from").select_option("debug")
    expect(seen.page.locator(".toast")).to_have_text("Lines are written from debug on, for an hour.")
    assert lived.nexus.log.level == "debug"


def test_a_part_that_fails_or_is_late_leaves_the_others_alone(visit, lived):
    seen = visit()
    seen.page.route("**/api/performance/endpoints*", lambda route: route.fulfill(status=500, json={"detail": "a bug"}))
    seen.open(f"{lived.url}#performance")

    expect(seen.page.get_by_text("This part could not be read: a bug.")).to_be_visible()
    expect(seen.page.locator(".chart")).to_have_count(6)
    seen.page.unroute("**/api/performance/endpoints*")
    seen.renew()
    expect(seen.page.get_by_role("region", name="Endpoints")).to_be_visible()
    assert all("500" in text for text in seen.complaints)
    seen.complaints.clear()


def test_a_part_that_does_not_answer_in_time_says_so_and_the_page_is_not_lost(visit, lived):
    seen = visit()
    seen.page.clock.install()
    seen.page.route("**/api/performance/endpoints*", lambda route: None)
    with seen.page.expect_response("**/api/overview"), seen.page.expect_response("**/api/performance/series*"):
        seen.open(f"{lived.url}#performance")
    seen.page.wait_for_timeout(200)  # until the page has read them
    seen.page.clock.run_for(9_000)

    expect(seen.page.get_by_text("This part could not be read: no answer within 8 s.")).to_be_visible()
    expect(seen.page.locator(".chart")).to_have_count(6)
    expect(seen.page.get_by_role("alert")).to_have_count(0)


def test_when_redis_is_away_the_charts_go_on_with_this_process_and_say_so(visit, serve, own_server):
    dashboard = open_dashboard(serve, own_server.url)
    seen = visit()
    seen.open(f"{dashboard.url}#performance")
    expect(seen.page.locator(".chart")).to_have_count(6)
    own_server.stop(kill=True)

    seen.until(lambda: "This process only: Redis does not answer" in seen.text("#panel"))
    expect(seen.page.locator(".chart")).to_have_count(6)
    assert seen.violations() == []


def test_each_card_has_the_last_hour_and_says_what_it_means(visit, lived):
    seen = visit()
    seen.open(lived.url)

    assert seen.page.locator(".card .spark path").count() == 3
    assert seen.page.locator(".card .spark rect.healthy").count() == 60
    opener = seen.page.get_by_role("button", name="What Memory means")
    opener.click()
    meaning = seen.page.get_by_role("dialog", name="What Memory means")
    expect(meaning).to_contain_text("It is not Python's heap.")
    assert seen.violations() == []
    seen.renew()
    expect(meaning).to_be_visible()
    seen.page.keyboard.press("Escape")
    expect(meaning).to_have_count(0)
    expect(opener).to_be_focused()


def test_an_alert_is_told_with_its_time_and_muted_for_an_hour(visit, lived):
    monitor, store = lived.nexus.monitor, lived.nexus.runtime.store
    for _ in range(100):
        monitor.track_api("GET /broken", 5, 500)
    drive(monitor.alerts.consider(monitor.checks()), store.run)  # as whoever is on duty does
    seen = visit()
    seen.open(lived.url)

    assert seen.violations() == []
    seen.page.get_by_role("button", name=re.compile("^Mute 1 h: Error rate")).click()
    expect(seen.page.get_by_role("button", name=re.compile("^Unmute: Error rate"))).to_be_visible()
    expect(seen.page.locator(".alert", has_text="Error rate")).to_contain_text("muted until")


def test_what_loads_later_is_small_and_nothing_jumps(visit, lived):
    seen = visit()
    seen.page.add_init_script("""window.shift = 0; new PerformanceObserver(list => list.getEntries().forEach(
        entry => { window.shift += entry.hadRecentInput ? 0 : entry.value })).observe({type: "layout-shift", buffered: true})""")
    finished = []
    seen.page.on("requestfinished", lambda request: finished.append(request))  # noqa: PLW0108  # the driver looks into it
    seen.open(f"{lived.url}#performance")
    expect(seen.page.locator(".chart")).to_have_count(6)
    seen.page.wait_for_load_state("networkidle")
    sizes = {request.url: request.sizes()["responseBodySize"] for request in finished}
    for _ in range(3):
        seen.renew()

    assert sum(size for url, size in sizes.items() if url.endswith("js")) <= 46 * 1024
    (series,) = [size for url, size in sizes.items() if "/performance/series" in url]
    assert series <= 8 * 1024
    (overview,) = [size for url, size in sizes.items() if "/api/overview" in url]
    assert overview <= 2 * 1024
    assert seen.page.evaluate("window.shift") <= 0.01


def test_without_log_files_it_says_how_to_keep_them(visit, dashboard):
    seen = visit()
    seen.open(f"{dashboard.url}#logs")

    expect(seen.page.get_by_text("No log files are kept.")).to_be_visible()
    expect(seen.page.locator("pre")).to_contain_text("NEXUS_LOG_DIR=logs")


def test_who_may_only_look_is_told_why_there_is_no_log_and_mutes_nothing(visit, serve, redis_url):
    dashboard = open_dashboard(serve, redis_url, access=lambda scope: "read_only")
    for _ in range(100):
        dashboard.nexus.monitor.track_api("GET /broken", 5, 500)
    seen = visit(headers={})
    seen.open(f"{dashboard.url}#logs")

    expect(seen.page.get_by_text("This needs the right logs:read.")).to_be_visible()
    expect(seen.page.locator(".alert", has_text="Error rate")).to_be_visible()
    expect(seen.page.get_by_role("button", name=re.compile("^Mute"))).to_have_count(0)
