"""Limits in a real browser: how far they are used, and giving one back."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import expect

from nexus_middleware import Rule
from tests.e2e.conftest import open_dashboard
from tests.e2e.ruled import rule_an_app


@pytest.fixture
def ruled(serve, redis_url):
    return rule_an_app(serve, redis_url)


def test_a_caller_that_used_up_a_limit_is_found_and_given_it_back(visit, ruled):
    seen = visit()
    seen.open(f"{ruled.url}#security/limits")
    row = seen.page.get_by_role("row", name=re.compile("127.0.0.1 ?sign-in"))

    expect(row).to_contain_text("1 of 1 in 1 min")
    field = seen.page.get_by_label("Limit", exact=True)
    field.fill("sign-in")
    field.press("Enter")
    expect(seen.page.get_by_role("region", name="Limits by how far").locator("tbody tr")).to_have_count(1)
    expect(field).to_be_focused()
    assert httpx.get(f"{ruled.served.base}/login").status_code == 429
    opener = row.get_by_role("button", name="Reset sign-in of 127.0.0.1")
    opener.click()
    dialog = seen.page.get_by_role("dialog", name="Reset the limit sign-in of 127.0.0.1?")
    expect(dialog.get_by_role("button", name="Keep")).to_be_focused()
    seen.renew()
    expect(dialog).to_be_visible()
    assert seen.violations() == []
    seen.page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    assert httpx.get(f"{ruled.served.base}/login").status_code == 429
    opener.click()
    dialog.get_by_role("button", name="Reset it").click()
    expect(seen.page.locator(".toast")).to_have_text("127.0.0.1 has the whole of sign-in again.")
    expect(seen.page.get_by_text("Nothing is used of that now.")).to_be_visible()
    assert httpx.get(f"{ruled.served.base}/login").status_code == 200
    (event,) = ruled.nexus.security.events(1, kind="admin_action")
    assert event["detail"] == "limit_reset sign-in:1/60:127.0.0.1"


def test_nobody_used_a_limit_and_who_may_only_look_resets_none(visit, serve, redis_url):
    dashboard = open_dashboard(
        serve, redis_url, rules=[Rule("5/minute", name="five")], access=lambda scope: "read_only"
    )
    seen = visit(headers={})
    seen.open(f"{dashboard.url}#security/limits")
    expect(seen.page.get_by_text("Nobody has used any limit now.")).to_be_visible()
    expect(seen.page.get_by_text("Nobody was limited.")).to_be_visible()
    httpx.get(dashboard.served.base)

    seen.until(lambda: seen.page.get_by_role("button", name="Reset five of 127.0.0.1").count())
    button = seen.page.get_by_role("button", name="Reset five of 127.0.0.1")
    expect(button).to_be_disabled()
    expect(button).to_have_attribute("title", "This needs the right limits:reset")
