"""The dashboard when something is missing: Redis, the server, the session, the right address."""

from __future__ import annotations

from playwright.sync_api import expect
from starlette.applications import Starlette

from nexus_middleware import Settings
from nexus_middleware.admin import Admin
from nexus_middleware.runtime import Runtime
from tests.e2e.conftest import TOKEN, open_dashboard


def sign_in(page, token):
    page.get_by_label("Admin token").fill(token)
    page.get_by_role("button", name="Sign in").click()


def test_signing_in_and_out(visit, dashboard):
    seen = visit(headers={})
    seen.page.goto(dashboard.url)
    assert seen.violations() == []
    expect(seen.page.get_by_label("Admin token")).to_be_focused()

    sign_in(seen.page, "wrong")
    expect(seen.page.get_by_role("alert")).to_have_text("That is not the token.")
    sign_in(seen.page, TOKEN)
    seen.page.get_by_text("Settings").click()
    seen.page.get_by_role("button", name="Sign out").click()
    expect(seen.page.get_by_label("Admin token")).to_be_visible()

    assert TOKEN not in seen.page.url
    assert all("401" in text for text in seen.complaints)
    seen.complaints.clear()


def test_too_many_wrong_tokens_are_told_so(visit, dashboard):
    seen = visit(headers={})
    seen.page.goto(dashboard.url)
    for _ in range(6):
        with seen.page.expect_response("**/sign-in"):
            sign_in(seen.page, "wrong")

    expect(seen.page.get_by_role("alert")).to_have_text("Too many wrong tokens. Try again in 15 min.")
    seen.complaints.clear()


def test_without_javascript_the_sign_in_page_says_what_it_needs_and_sends_no_token(visit, dashboard):
    seen = visit(headers={}, java_script_enabled=False)
    seen.page.goto(dashboard.url)

    expect(seen.page.locator("noscript p")).to_contain_text("Signing in needs JavaScript.")
    expect(seen.page.get_by_role("button", name="Sign in")).to_be_disabled()
    seen.complaints.clear()


def test_when_redis_dies_the_last_values_stay_and_when_it_is_back_all_goes_on(visit, serve, own_server):
    dashboard = open_dashboard(serve, own_server.url)
    seen = visit()
    seen.open(dashboard.url)
    own_server.stop(kill=True)

    seen.until(lambda: "Redis does not answer" in seen.text("#panel"))
    expect(seen.page.locator(".fact", has_text="Keys")).to_contain_text("12")
    expect(seen.page.get_by_role("button", name="Clear cache")).to_be_disabled()
    seen.tab("queues")
    expect(seen.page.get_by_text("Redis does not answer").first).to_be_visible()
    assert seen.violations() == []

    own_server.start()
    dashboard.nexus.runtime.queues.close()
    seen.tab("cache")
    seen.until(seen.page.get_by_role("button", name="Clear cache").is_enabled)
    assert "Redis does not answer" not in seen.text()
    assert all("503" in text for text in seen.complaints)  # a browser notes each for itself
    seen.complaints.clear()


def test_when_the_server_is_silent_it_says_so_and_tries_again(visit, dashboard):
    seen = visit()
    seen.open(dashboard.url)
    seen.page.route("**/api/overview", lambda route: route.abort())

    seen.page.get_by_role("button", name="Refresh").click()
    alert = seen.page.get_by_role("alert")
    expect(alert).to_contain_text("Connection lost: no connection")
    assert seen.violations() == []
    seen.page.unroute("**/api/overview")
    seen.page.get_by_role("button", name="Try now").click()

    expect(alert).to_be_hidden()
    assert all("ERR_FAILED" in text for text in seen.complaints)
    seen.complaints.clear()


def test_when_the_session_has_ended_it_says_so_and_stops_asking(visit, dashboard):
    seen = visit()
    seen.page.clock.install()
    seen.open(dashboard.url)
    seen.page.wait_for_load_state("networkidle")
    seen.page.set_extra_http_headers({})
    seen.page.context.set_extra_http_headers({})
    seen.page.context.clear_cookies()

    seen.page.get_by_role("button", name="Refresh").click()
    expect(seen.page.get_by_role("alert")).to_contain_text("You are signed out.")
    seen.asked.clear()
    seen.page.clock.run_for(60_000)

    assert seen.asked == []
    assert all("401" in text for text in seen.complaints)
    seen.complaints.clear()


def test_without_any_store_the_tabs_say_what_to_configure(visit, serve):
    dashboard = open_memory(serve)
    seen = visit()
    seen.open(dashboard)

    seen.tab("queues")
    expect(seen.page.get_by_text("No queues are configured.")).to_be_visible()
    seen.tab("security")
    expect(seen.page.get_by_text("No such event.")).to_be_visible()
    assert seen.violations() == []


def open_memory(serve):
    """Serve a dashboard that is mounted by hand, below an app that believes in a prefix."""
    app = Starlette()
    runtime = Runtime(Settings(admin_token=TOKEN, namespace="e2e-mount"))
    app.mount("/deep/down", Admin(runtime))
    return f"{serve(app).base}/deep/down/"


def test_a_mount_without_its_slash_leads_to_the_page(visit, serve):
    seen = visit()
    seen.open(open_memory(serve).rstrip("/"))

    assert seen.page.url.endswith("/deep/down/")
