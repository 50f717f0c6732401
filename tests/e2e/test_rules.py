"""The rules in a real browser: listed, edited, staged, enforced and rolled back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import open_dashboard
from tests.e2e.history import MARKUP
from tests.e2e.ruled import LIMIT, rule_an_app
from tests.e2e.test_dashboard import LOOKS

WRONG = LIMIT.replace("2/hour", f"5/{MARKUP}")
VIEWS = {
    "rules": "Each rule",
    "rules/edit": "Against what is in force",
    "rules/versions": "staged",
    "rules/versions/1": "What it enforced",
    "rules/decisions": "would refuse",
    f"rules/explain?path=/{MARKUP}&client=192.0.2.7": "It would be refused",
    "security/limits": "Used now",
    "performance/request/refused-1": "Counted on",
}


@pytest.fixture
def ruled(serve, redis_url):
    return rule_an_app(serve, redis_url)


def go(seen, view):
    seen.page.evaluate("view => { location.hash = view }", view)
    expect(seen.page.locator("[role=tabpanel]")).to_contain_text(VIEWS[view])
    expect(seen.page.locator("[role=tabpanel] [aria-busy]")).to_have_count(0)


def press(seen, name):
    seen.page.get_by_role("button", name=name, exact=True).click()


def expect_toast(seen, text):
    expect(seen.page.locator(".toast")).to_have_text(text)


@pytest.mark.parametrize("look", LOOKS)
def test_every_view_is_accessible_fits_and_shows_text_as_text(visit, ruled, look):
    seen = visit(**LOOKS[look])
    seen.open(ruled.url)

    for view in VIEWS:
        go(seen, view)
        for each in seen.page.locator("[role=tabpanel] details summary").all()[:2]:
            each.click()
        assert seen.violations() == [], view
        assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
        assert seen.page.locator("img").count() == 0, view
    assert seen.page.locator("#tab-performance").evaluate("tab => tab.getBoundingClientRect().left") >= 0


def test_each_rule_tells_whence_it_is_and_leads_to_what_it_decided(visit, ruled):
    seen = visit()
    seen.open(f"{ruled.url}#rules")
    table = seen.page.get_by_role("region", name="Rules that hold")

    row = table.get_by_role("row", name=re.compile("^sign-in"))
    expect(row).to_contain_text("/login")
    expect(row).to_contain_text("code")
    expect(table.get_by_role("row", name=re.compile(r"^export\.staged"))).to_contain_text("shadow")
    row.get_by_role("link", name="2 times refused by sign-in").click()
    items = seen.page.locator(".events > li")
    expect(items).to_have_count(2)
    items.first.locator("summary").click()
    expect(items.first).to_contain_text("1 of 1 in 60 s")
    seen.renew()
    expect(items.first.locator("details")).to_have_attribute("open", "")
    items.first.get_by_role("link", name="refused-2").click()
    expect(seen.page.locator("[role=tabpanel]")).to_contain_text("GET /login of 127.0.0.1, answered 429.")


def test_rules_are_checked_at_their_line_staged_enforced_and_rolled_back(visit, dashboard):
    policies = dashboard.nexus.runtime.policies
    seen = visit()
    seen.open(f"{dashboard.url}#rules")
    expect(seen.page.get_by_text("No live rules are set, so those in code hold alone")).to_be_visible()
    seen.page.locator(".note").get_by_role("link", name="Edit").click()
    area = seen.page.get_by_label("Rules, in TOML")

    area.fill(WRONG)
    press(seen, "Check")
    expect(seen.page.locator("#said")).to_contain_text(f"line 3: limit='5/{MARKUP}' must be like")
    expect(seen.page.locator(".numbers li.wrong")).to_have_text("3")
    expect(area).to_be_focused()
    expect(area).to_have_attribute("aria-invalid", "true")
    assert area.evaluate("a => a.value.slice(a.selectionStart, a.selectionEnd)").startswith("limit =")
    assert seen.violations() == []
    area.fill(LIMIT)
    press(seen, "Check")
    expect(seen.page.locator("#said")).to_contain_text("These rules can be taken.")
    assert policies.history() == []
    press(seen, "Stage as shadow")
    expect_toast(seen, "They run in shadow in all processes, and refuse nobody.")
    assert policies.now.staged == LIMIT
    area.fill(LIMIT.replace("2/hour", "3/hour"))
    expect(seen.page.locator(".diff .added")).to_have_count(4)
    press(seen, "Enforce …")
    dialog = seen.page.get_by_role("dialog", name="Enforce these rules in all processes?")
    expect(dialog.get_by_role("button", name="Keep")).to_be_focused()
    assert seen.violations() == []
    seen.page.keyboard.press("Escape")
    assert policies.now.enforced == ""
    press(seen, "Enforce …")
    press(seen, "Enforce version 2")
    expect_toast(seen, "Version 2 is in force.")
    assert "3/hour" in policies.now.enforced
    seen.page.get_by_role("link", name="Versions", exact=True).click()
    press(seen, "Roll back to version 1")
    press(seen, "Roll back")
    expect_toast(seen, "Version 3 is in force.")
    assert (policies.now.enforced, policies.now.act) == ("", "rollback")
    kinds = [event["detail"] for event in dashboard.nexus.security.events(10, kind="admin_action")]
    assert kinds[:3] == ["rules_rollback version 3", "rules_enforce version 2", "rules_stage version 1"]
    assert all("400" in text for text in seen.complaints)
    seen.complaints.clear()


def test_what_is_staged_is_enforced_or_discarded_from_the_list(visit, ruled):
    policies = ruled.nexus.runtime.policies
    seen = visit()
    seen.open(f"{ruled.url}#rules")

    expect(seen.page.locator(".diff .removed")).to_have_count(2)
    press(seen, "Enforce it …")
    press(seen, "Enforce version 3")
    expect_toast(seen, "Version 3 is in force.")
    assert (LIMIT in policies.now.enforced, policies.now.staged) == (True, "")
    expect(seen.page.get_by_role("button", name="Discard it …")).to_have_count(0)
    policies.change("stage", LIMIT)
    seen.until(lambda: seen.page.get_by_role("button", name="Discard it …").count())
    press(seen, "Discard it …")
    press(seen, "Discard")
    expect_toast(seen, "Nothing is staged any more.")
    assert policies.now.staged == ""


def test_a_refresh_keeps_what_is_written_and_a_newer_version_is_told(visit, ruled):
    seen = visit()
    seen.open(f"{ruled.url}#rules/edit")
    area = seen.page.get_by_label("Rules, in TOML")
    area.fill(LIMIT)
    ruled.nexus.runtime.policies.change("discard", who=MARKUP)

    seen.renew()
    expect(seen.page.locator(".note.line")).to_contain_text(f"Version 3 came meanwhile, by {MARKUP}")
    expect(area).to_have_value(LIMIT)
    expect(area).to_be_focused()
    press(seen, "Stage as shadow")
    expect(seen.page.locator("#said")).to_contain_text("the newest version is 3, not 2")
    press(seen, "Base it on version 3")
    seen.tab("logs")
    seen.page.go_back()
    expect(area).to_have_value(LIMIT)  # it was not lost either
    press(seen, "Stage as shadow")
    expect_toast(seen, "They run in shadow in all processes, and refuse nobody.")
    assert all("409" in text for text in seen.complaints)
    seen.complaints.clear()


def test_rules_that_would_lock_out_their_writer_are_refused(visit, dashboard):
    seen = visit()
    seen.open(f"{dashboard.url}#rules/edit")
    seen.page.get_by_label("Rules, in TOML").fill('[filter]\nallow = ["192.0.2.1"]\n')

    press(seen, "Enforce …")
    press(seen, "Enforce version 1")
    expect(seen.page.locator("#said")).to_contain_text("this filter refuses your own address")
    expect(seen.page.get_by_role("dialog")).to_have_count(0)
    assert all("409" in text for text in seen.complaints)
    seen.complaints.clear()


def test_who_may_only_look_edits_nothing_and_is_told_why(visit, serve, redis_url):
    dashboard = open_dashboard(serve, redis_url, access=lambda scope: "read_only")
    dashboard.nexus.runtime.policies.change("stage", LIMIT)
    seen = visit(headers={})
    seen.open(f"{dashboard.url}#rules")

    for name in ("Enforce it …", "Discard it …", "Roll back …"):
        button = seen.page.get_by_role("button", name=name)
        expect(button).to_be_disabled()
        expect(button).to_have_attribute("title", "This needs the right rules:edit")
    seen.page.get_by_role("link", name="Edit", exact=True).click()
    expect(seen.page.get_by_label("Rules, in TOML")).to_have_attribute("readonly", "")
    expect(seen.page.get_by_role("button", name="Stage as shadow")).to_be_disabled()


def test_by_keyboard_alone_rules_are_written_staged_and_discarded(visit, dashboard):
    seen = visit()
    seen.open(dashboard.url)
    keys = seen.page.keyboard
    keys.press("g")
    keys.press("r")
    expect(seen.page.locator("#tab-rules")).to_be_focused()
    expect(seen.page.get_by_role("region", name="Rules that hold")).to_be_visible()
    keys.press("Tab")
    keys.press("Tab")
    keys.press("Enter")  # Edit
    area = seen.page.get_by_label("Rules, in TOML")
    expect(area).to_be_visible()
    expect(seen.page.get_by_role("link", name="Edit", exact=True)).to_be_focused()
    for _ in range(4):
        keys.press("Tab")
    expect(area).to_be_focused()
    keys.insert_text(LIMIT)
    keys.press("Tab")
    keys.press("Tab")
    expect(seen.page.get_by_role("button", name="Stage as shadow")).to_be_focused()
    keys.press("Enter")
    expect_toast(seen, "They run in shadow in all processes, and refuse nobody.")
    assert dashboard.nexus.runtime.policies.now.staged == LIMIT


def test_the_rules_load_late_fail_alone_and_stay_while_redis_is_away(visit, serve, own_server):
    dashboard = open_dashboard(serve, own_server.url)
    dashboard.nexus.runtime.policies.change("enforce", LIMIT)
    seen = visit()
    seen.page.route("**/api/rules/each*", lambda route: route.fulfill(status=500, json={"detail": "a bug"}))
    seen.open(f"{dashboard.url}#rules")
    expect(seen.page.get_by_text("This part could not be read: a bug.")).to_be_visible()
    expect(seen.page.locator(".fact", has_text="In force")).to_contain_text("Version 1")
    seen.page.unroute("**/api/rules/each*")
    seen.renew()
    expect(seen.page.get_by_role("region", name="Rules that hold")).to_be_visible()
    own_server.stop(kill=True)

    seen.until(lambda: "Redis does not answer. These are the values of" in seen.text("#panel"))
    expect(seen.page.get_by_role("button", name="Roll back …")).to_have_attribute("title", "Redis does not answer")
    expect(seen.page.locator(".fact", has_text="In force")).to_contain_text("Version 1")
    assert seen.violations() == []
    assert all("500" in text or "503" in text for text in seen.complaints)
    seen.complaints.clear()


def test_beside_the_app_it_says_that_rules_in_code_are_not_known(visit, ruled):
    ruled.nexus.runtime.front = None  # as `nexus dashboard` has it
    seen = visit()
    seen.open(f"{ruled.url}#rules")

    expect(
        seen.page.get_by_text("This dashboard runs beside the app, so it knows the live rules alone")
    ).to_be_visible()
    expect(seen.page.get_by_role("row", name=re.compile("^sign-in"))).to_contain_text("not known here")
    expect(seen.page.get_by_role("row", name=re.compile(r"^export\.staged"))).to_contain_text("staged")
