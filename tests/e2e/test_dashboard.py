"""The dashboard in a real browser: what it shows, what it does, and that all can use it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import open_dashboard

TABS = ("cache", "queues", "performance", "security")
PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
SHIFTS = """window.shift = 0; window.moved = []; new PerformanceObserver(list => list.getEntries().forEach(entry => {
    window.shift += entry.value;
    window.moved.push(entry.sources.map(at => `${at.node?.outerHTML || at.node?.textContent}`.slice(0, 90)));
})).observe({type: "layout-shift", buffered: true})"""
LOOKS = {
    "light": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "phone": {**PHONE, "color_scheme": "light"},
}


@pytest.mark.parametrize("look", LOOKS)
def test_every_tab_is_accessible_and_fits_in_every_look(visit, dashboard, look):
    seen = visit(**LOOKS[look])
    seen.open(dashboard.url)

    for tab in TABS:
        seen.tab(tab)
        assert seen.violations() == [], tab
        assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), tab


def test_the_first_paint_has_all_five_values_without_asking_for_them(visit, dashboard):
    seen = visit()
    seen.open(dashboard.url)

    names = seen.page.locator(".card .name").all_inner_texts()
    assert names == ["System Status", "Memory", "CPU", "Uptime", "Avg Response"]
    assert seen.page.locator(".card .value").first.inner_text().split()[-1] in ("healthy", "degraded")
    assert not [url for url in seen.asked if "/api/health" in url]
    assert seen.page.title().endswith("· Infrastructure")


def test_clearing_the_cache_asks_first_with_the_focus_on_keep(visit, dashboard):
    seen = visit()
    seen.open(dashboard.url)
    opener = seen.page.get_by_role("button", name="Clear cache")

    opener.click()
    dialog = seen.page.get_by_role("dialog", name="Delete all 12 keys of the cache?")
    expect(dialog.get_by_role("button", name="Keep")).to_be_focused()
    assert seen.violations() == []
    seen.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    assert dashboard.nexus.cache.get("course:1") == 1

    opener.click()
    dialog.get_by_role("button", name="Delete 12 keys").click()
    expect(seen.page.locator(".toast")).to_have_text("12 keys deleted.")
    expect(seen.page.locator(".fact", has_text="Keys")).to_contain_text("0")
    assert dashboard.nexus.cache.get("course:1") is None
    assert dashboard.nexus.runtime.security.blocked()
    assert dashboard.nexus.runtime.queues.stats("analytics-queue").waiting == 1


def test_keys_that_fit_a_pattern_are_counted_before_they_go(visit, dashboard):
    dashboard.nexus.cache.set("user:1", 1)
    seen = visit()
    seen.open(dashboard.url)

    seen.page.get_by_role("button", name="Delete by pattern or tag").click()
    seen.page.get_by_label("Delete by pattern").fill("nothing:*")
    seen.page.get_by_role("button", name="Find keys").click()
    expect(seen.page.get_by_text("No key fits nothing:*")).to_be_visible()
    seen.page.get_by_label("Delete by pattern").fill("course:*")
    seen.page.get_by_role("button", name="Find keys").click()
    seen.page.get_by_role("button", name="Delete 12 keys").click()

    expect(seen.page.locator(".toast")).to_have_text("12 keys deleted.")
    assert dashboard.nexus.cache.get("user:1") == 1


def test_a_queue_is_paused_resumed_and_emptied(visit, dashboard):
    queues = dashboard.nexus.runtime.queues
    seen = visit()
    seen.open(dashboard.url)
    seen.tab("queues")

    seen.page.get_by_role("button", name="Pause analytics-queue").click()
    resume = seen.page.get_by_role("button", name="Resume analytics-queue")
    expect(resume).to_be_visible()
    assert queues.stats("analytics-queue").paused
    resume.click()
    expect(seen.page.get_by_role("button", name="Pause analytics-queue")).to_be_visible()
    seen.page.get_by_role("button", name="Empty analytics-queue").click()
    seen.page.get_by_role("button", name="Drop 1 job").click()

    expect(seen.page.locator(".toast")).to_have_text("1 job dropped.")
    assert queues.stats("analytics-queue").waiting == 0


def test_an_address_is_blocked_and_let_in_again_and_no_text_becomes_markup(visit, dashboard):
    seen = visit()
    seen.open(dashboard.url)
    seen.open(f"{dashboard.url}#security/blocked")

    expect(seen.page.get_by_text("<img src=x onerror=alert(1)>").first).to_be_visible()
    assert seen.page.locator("img").count() == 0
    seen.page.get_by_label("Address or network").fill("192.0.2.7")
    seen.page.get_by_label("Reason").fill("</script><b>scans</b>")
    seen.page.get_by_role("button", name="Block", exact=True).click()
    expect(seen.page.get_by_text("</script><b>scans</b>").first).to_be_visible()
    assert "192.0.2.7" in dashboard.nexus.runtime.security
    seen.page.get_by_role("button", name="Unblock 192.0.2.7").click()

    expect(seen.page.locator(".toast")).to_have_text("192.0.2.7 may call again.")
    assert "192.0.2.7" not in dashboard.nexus.runtime.security


def test_tabs_are_walked_by_arrow_keys_and_are_links_with_a_history(visit, dashboard):
    seen = visit()
    seen.open(dashboard.url)

    seen.page.focus("#tab-cache")
    seen.page.keyboard.press("ArrowRight")
    expect(seen.page.locator("#tab-queues")).to_be_focused()
    expect(seen.page.locator("#tab-queues")).to_have_attribute("aria-selected", "true")
    seen.page.keyboard.press("End")
    expect(seen.page.locator("#tab-logs")).to_have_attribute("aria-selected", "true")
    seen.page.go_back()
    expect(seen.page.locator("#tab-queues")).to_have_attribute("aria-selected", "true")
    seen.open(f"{dashboard.url}#performance")
    expect(seen.page.get_by_role("heading", name="Response time")).to_be_visible()


def test_a_refresh_keeps_what_is_typed_the_focus_and_an_open_dialog(visit, dashboard):
    seen = visit()
    seen.open(dashboard.url)
    seen.page.get_by_role("button", name="Delete by pattern or tag").click()
    field = seen.page.get_by_label("Delete by pattern")
    expect(field).to_be_focused()
    field.fill("course:*")
    dashboard.nexus.cache.set("one:more", 1)

    seen.until(lambda: "13" in seen.text(".fact:has-text('Keys')"))  # one reading is shared for a second

    expect(field).to_have_value("course:*")
    expect(field).to_be_focused()
    seen.page.get_by_role("button", name="Clear cache").click()
    seen.renew()
    expect(seen.page.get_by_role("button", name="Keep")).to_be_focused()


def test_it_asks_every_ten_seconds_and_not_while_it_is_paused(visit, dashboard):
    seen = visit()
    seen.page.clock.install()
    seen.open(dashboard.url)

    def polls(seconds):
        seen.asked.clear()
        for _ in range(seconds):
            seen.page.clock.run_for(1000)
            seen.page.wait_for_load_state("networkidle")
        return len([url for url in seen.asked if url.endswith("/api/overview")])

    assert polls(11) == 1
    seen.page.get_by_role("button", name="Pause").click()
    assert polls(30) == 0
    with seen.page.expect_response("**/api/overview"):
        seen.page.get_by_role("button", name="Resume").click()


def test_who_may_only_look_sees_why_a_button_is_dead(visit, serve, redis_url):
    dashboard = open_dashboard(serve, redis_url, access=lambda scope: "read_only")
    seen = visit(headers={})
    seen.open(dashboard.url)

    button = seen.page.get_by_role("button", name="Clear cache")
    expect(button).to_be_disabled()
    expect(button).to_have_attribute("title", "This needs the right cache:clear")


def test_it_is_light_and_nothing_jumps(visit, dashboard, monkeypatch):
    monitor = dashboard.nexus.runtime.monitor
    told = monitor.ahealth

    async def calm():  # an alert that comes takes its place, and this machine may be busy
        return {**await told(), "status": "healthy", "checks": [], "reasons": []}

    monkeypatch.setattr(monitor, "ahealth", calm)
    seen = visit()
    seen.page.add_init_script(SHIFTS)
    sizes = {}
    seen.page.on("requestfinished", lambda request: sizes.update({request.url: request.sizes()["responseBodySize"]}))
    seen.open(dashboard.url)
    seen.page.wait_for_load_state("networkidle")
    loaded = {url: size for url, size in sizes.items() if "/api/" not in url}
    for _ in range(3):
        with seen.page.expect_response("**/api/overview", timeout=30_000):  # none goes out while one is under way
            seen.page.get_by_role("button", name="Refresh").click()

    scripts = sum(size for url, size in loaded.items() if re.search(r"js$", urlsplit(url).path))
    first = sum(loaded.values())
    assert 0 < scripts <= 20 * 1024, f"{scripts} bytes of scripts"
    assert first <= 32 * 1024, f"{first} bytes in all"
    assert len(loaded) <= 12, sorted(loaded)
    assert seen.page.evaluate("window.shift") <= 0.01, seen.page.evaluate("window.moved")


def test_without_javascript_it_points_to_the_json(visit, dashboard):
    seen = visit(java_script_enabled=False)
    seen.page.goto(dashboard.url)

    expect(seen.page.get_by_role("link", name="api/overview")).to_be_visible()


def test_a_theme_that_was_chosen_is_there_before_the_next_paint(visit, dashboard):
    seen = visit(color_scheme="light")
    seen.open(dashboard.url)
    light = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")

    seen.page.get_by_text("Settings").click()
    seen.page.get_by_label("Theme").select_option("dark")
    dark = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
    seen.page.reload(wait_until="commit")
    seen.page.wait_for_selector("[role=tab]")

    assert light != dark == seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
    seen.page.get_by_text("Settings").click()
    expect(seen.page.get_by_label("Theme")).to_have_value("dark")
    assert seen.violations() == []
