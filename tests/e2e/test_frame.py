"""The frame of the dashboard: what is looked at, how it is shown, and the keyboard."""

from __future__ import annotations

import contextlib

import pytest
from playwright.sync_api import Error, expect


def place(seen):
    return seen.page.evaluate("location.hash")


def test_shortcuts_go_to_views_pause_and_help_and_rest_while_somebody_types(visit, dashboard):
    seen = visit()
    seen.open(dashboard.url)
    press = seen.page.keyboard.press

    press("g")
    press("q")
    expect(seen.page.locator("#tab-queues")).to_be_focused()
    press("p")
    expect(seen.page.get_by_role("button", name="Resume")).to_be_visible()
    press("t")
    expect(seen.page.locator("html")).to_have_attribute("data-theme", "light")
    press("?")
    dialog = seen.page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    assert seen.violations() == []
    press("Escape")
    expect(dialog).to_be_hidden()
    press("g")
    press("c")
    seen.page.get_by_role("button", name="Delete by pattern or tag").click()
    field = seen.page.get_by_label("Delete by pattern")
    field.click()
    seen.page.keyboard.type("gqpt?")

    expect(field).to_have_value("gqpt?")
    assert place(seen) == "#cache"


def test_shortcuts_can_be_switched_off_for_good(visit, dashboard):
    seen = visit()
    seen.open(dashboard.url)
    seen.page.get_by_text("Settings").click()
    seen.page.get_by_label("Shortcuts").select_option("Off")

    seen.page.reload()
    seen.page.wait_for_selector("[role=tab]")
    seen.page.keyboard.press("p")
    seen.page.keyboard.press("?")

    expect(seen.page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    expect(seen.page.get_by_role("dialog")).to_have_count(0)


def test_a_window_goes_along_from_view_to_view_and_through_a_reload(visit, dashboard):
    seen = visit()
    seen.open(dashboard.url)
    seen.page.get_by_label("Window").select_option("6h")
    with seen.page.expect_request("**/api/performance/series?window=6h*"):
        seen.tab("performance")

    assert place(seen) == "#performance?window=6h"
    seen.page.reload()
    expect(seen.page.get_by_label("Window")).to_have_value("6h")


def test_one_of_several_processes_is_chosen_by_its_name(visit, dashboard):
    seen = visit()
    names = ["web-1:7", "web-2:9"]
    seen.page.route("**/api/processes", lambda route: route.fulfill(json={"items": [{"name": name} for name in names]}))
    seen.page.route("**/api/overview", several)
    seen.open(f"{dashboard.url}#performance")
    seen.renew()

    seen.page.get_by_role("combobox", name="Process", exact=True).select_option("web-2:9")

    assert place(seen) == "#performance?process=web-2%3A9"


def several(route):
    with contextlib.suppress(Error):  # the page may be closed while it is on its way
        told = route.fetch().json()
        route.fulfill(json={**told, "meta": {**told["meta"], "processes": 2}})


@pytest.mark.parametrize("zone", ["America/New_York"])
def test_times_are_told_in_utc_or_as_they_are_here(visit, dashboard, zone):
    seen = visit(timezone_id=zone)
    seen.open(dashboard.url)
    local = seen.text(".fresh b")
    seen.page.get_by_text("Settings").click()
    seen.page.get_by_label("Times").select_option("UTC")

    expect(seen.page.locator(".fresh b")).not_to_have_text(local)
    assert int(seen.text(".fresh b")[:2]) == (int(local[:2]) + 5) % 24


def test_the_refresh_is_as_often_as_was_chosen(visit, dashboard):
    seen = visit()
    seen.open(dashboard.url)
    seen.page.get_by_text("Settings").click()
    seen.page.get_by_label("Refresh").select_option("60")

    expect(seen.page.locator("footer")).to_contain_text("every 60 s")
    seen.page.keyboard.press("Escape")
    expect(seen.page.get_by_label("Theme")).to_be_hidden()
