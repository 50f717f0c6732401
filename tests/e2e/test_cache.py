"""The views of the cache in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import open_dashboard
from tests.e2e.test_dashboard import LOOKS

PROBE = "<img src=x onerror=alert(1)>/&?#%2F"


@pytest.mark.parametrize("look", LOOKS)
def test_the_keys_and_a_value_are_accessible_and_fit_in_every_look(visit, dashboard, look):
    seen = visit(**LOOKS[look])
    seen.open(f"{dashboard.url}#cache/keys/course%3A1")
    seen.page.wait_for_selector(".text-box")
    seen.page.wait_for_selector("tbody .tools")

    assert seen.violations() == []
    assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_groups_and_fetches_lead_to_their_keys(visit, dashboard):
    dashboard.nexus.cache.get_or_set("user:1", lambda: 1)
    seen = visit()
    seen.open(dashboard.url)

    expect(seen.page.get_by_role("table", name="Fetches")).to_contain_text("user:*")
    seen.page.get_by_role("table", name="Groups of keys").get_by_role("link", name="course:*").click()
    expect(seen.page.locator("tbody tr")).to_have_count(12)
    seen.page.get_by_label("Keys that begin with").fill("course:11")
    seen.page.keyboard.press("Enter")
    expect(seen.page.locator("tbody tr")).to_have_count(1)
    assert "prefix=course%3A11" in seen.page.url


def test_a_hostile_key_is_shown_as_text_without_secrets_and_deleted(visit, dashboard):
    dashboard.nexus.cache.set(PROBE, {"note": PROBE, "password": "hunter2"})
    seen = visit()
    seen.open(f"{dashboard.url}#cache/keys?prefix=%3C")

    seen.page.get_by_role("link", name=PROBE).click()
    expect(seen.page.locator("pre")).to_contain_text(PROBE)
    expect(seen.page.locator("pre")).to_contain_text("[redacted]")
    assert "hunter2" not in seen.page.content() and seen.page.locator("main img").count() == 0
    seen.page.get_by_role("button", name=f"Delete {PROBE}").click()
    seen.page.get_by_role("button", name="Delete the key").click()

    expect(seen.page.locator(".toast")).to_have_text(f"{PROBE} is deleted.")
    assert dashboard.nexus.cache.get(PROBE) is None


def test_keys_that_a_browser_takes_for_folders_delete_nothing_else(visit, dashboard):
    dashboard.nexus.cache.set("..", 1)
    seen = visit()
    seen.open(f"{dashboard.url}#cache/keys?prefix=..")

    expect(seen.page.get_by_role("button", name="Delete ..")).to_be_disabled()
    seen.page.get_by_role("link", name="..", exact=True).click()
    expect(seen.page.get_by_text("This key cannot be shown here.")).to_be_visible()


def test_what_has_a_tag_is_deleted_after_a_question(visit, dashboard):
    dashboard.nexus.cache.set("course:1", 1, tags=("courses",))
    seen = visit()
    seen.open(dashboard.url)

    seen.page.get_by_role("button", name="Delete by pattern or tag").click()
    seen.page.get_by_label("Delete by tag").fill("courses")
    seen.page.keyboard.press("Enter")
    seen.page.get_by_role("dialog", name="Delete all values with the tag courses?").get_by_role(
        "button", name="Delete them"
    ).click()

    expect(seen.page.locator(".toast")).to_have_text("What had the tag courses is deleted.")
    assert dashboard.nexus.cache.get("course:1") is None
    assert dashboard.nexus.cache.get("course:2") == 2


def test_values_are_kept_from_who_may_not_read_them(visit, serve, redis_url):
    dashboard = open_dashboard(serve, redis_url, access=lambda scope: "read_only")
    seen = visit(headers={})
    seen.open(f"{dashboard.url}#cache/keys/course%3A1")

    expect(seen.page.get_by_text(re.compile("This needs the right cache:read_values"))).to_be_visible()
    assert not [url for url in seen.asked if url.endswith("keys/course%3A1")]


@pytest.mark.parametrize("look", LOOKS)
def test_its_use_over_time_is_a_line_on_the_first_view_and_charts_with_tables_below(visit, dashboard, look):
    seen = visit(**LOOKS[look])
    seen.open(dashboard.url)

    seen.page.get_by_role("link", name="Hit rate").click()
    expect(seen.page.get_by_role("img", name="Hit rate")).to_be_visible()
    seen.page.get_by_role("button", name="Show as table").last.click()
    expect(seen.page.get_by_role("table", name="Operations, newest first").locator("tbody tr")).to_have_count(60)

    assert seen.violations() == []
    assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
