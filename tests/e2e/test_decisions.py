"""Decisions in a real browser: found by request, filtered, paged; and a request that is only asked about."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.ruled import rule_an_app
from tests.e2e.test_rules import press


@pytest.fixture
def ruled(serve, redis_url):
    return rule_an_app(serve, redis_url)


def test_a_request_is_explained_and_its_headers_are_in_no_address(visit, ruled):
    seen = visit()
    seen.open(f"{ruled.url}#rules/explain")

    expect(seen.page.get_by_label("Body")).to_have_count(0)
    seen.page.get_by_label("Method").select_option("POST")
    seen.page.get_by_label("Body").fill('{"token": "a secret"}')
    seen.page.get_by_label("Path").fill("/login")
    seen.page.get_by_label("Client").fill("203.0.113.50")
    seen.page.get_by_label("Headers, a line for each").fill("X-API-Key: a secret")
    press(seen, "Explain")
    expect(seen.page.locator(".verdict")).to_contain_text("Nothing refuses it, unless a limit is used up.")
    expect(seen.page.get_by_role("row", name=re.compile("^sign-in"))).to_contain_text(
        "counts on 203.0.113.50; beyond 1 per 60 s"
    )
    assert "secret" not in seen.page.url
    assert all("secret" not in url for url in seen.asked)
    seen.renew()
    expect(seen.page.get_by_label("Headers, a line for each")).to_have_value("X-API-Key: a secret")
    seen.page.get_by_label("Client").fill("nobody")
    press(seen, "Explain")
    expect(seen.page.locator(".wrong")).to_contain_text("client is an address")
    assert all("400" in text for text in seen.complaints)
    seen.complaints.clear()


def test_decisions_are_found_filtered_and_paged(visit, ruled):
    with httpx.Client(base_url=ruled.served.base) as client:
        for _ in range(60):
            client.get("/login")
    seen = visit()
    seen.open(f"{ruled.url}#rules/decisions")
    items = seen.page.locator(".events > li")

    expect(items).to_have_count(50)
    seen.page.get_by_role("link", name="Next page").click()
    expect(items).to_have_count(62 + 6 - 50)
    outcome = seen.page.get_by_label("Outcome")
    outcome.focus()
    outcome.select_option("would refuse")
    expect(items).to_have_count(6)
    expect(outcome).to_be_focused()
    field = seen.page.get_by_label("Rule", exact=True)
    field.fill("no such")
    seen.renew()
    expect(field).to_have_value("no such")  # not sent yet, and not lost
    field.press("Enter")
    expect(seen.page.get_by_text("No decision fits.")).to_be_visible()
    seen.page.get_by_label("Request id").fill("refused-1")
    press(seen, "Find its decisions")
    expect(seen.page.locator("[role=tabpanel]")).to_contain_text("GET /login of 127.0.0.1, answered 429.")
