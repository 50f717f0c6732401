"""How the page is kept fresh: how often, at what cost, and what it does while nobody looks or nobody answers."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from nexus_middleware.stores.redis import RedisStore

MANY = 200_000
HIDE = """hidden => {
    Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def polls(seen):
    return [url for url in seen.asked if url.endswith("/api/overview")]


def wait(seen, seconds):
    for _ in range(seconds):
        seen.page.clock.run_for(1_000)
        seen.page.wait_for_load_state("networkidle")


def test_a_hidden_tab_asks_for_nothing_and_asks_at_once_when_it_is_seen_again(visit, dashboard):
    seen = visit()
    seen.page.clock.install()
    seen.open(dashboard.url)
    seen.page.wait_for_load_state("networkidle")

    seen.page.evaluate(HIDE, True)
    seen.asked.clear()
    wait(seen, 60)
    assert seen.asked == []

    with seen.page.expect_response("**/api/overview"):
        seen.page.evaluate(HIDE, False)
    seen.page.wait_for_load_state("networkidle")
    assert len(polls(seen)) == 1
    wait(seen, 11)
    assert len(polls(seen)) == 2


def test_while_an_answer_is_late_no_other_request_is_begun_and_after_eight_seconds_it_is_told(visit, dashboard):
    seen = visit()
    seen.page.clock.install()
    seen.open(dashboard.url)
    seen.page.wait_for_load_state("networkidle")
    seen.page.route("**/api/overview", lambda _route: None)  # it is never answered
    seen.asked.clear()

    refresh = seen.page.get_by_role("button", name="Refresh")
    for _ in range(5):
        refresh.click()
    for _ in range(7):
        seen.page.clock.run_for(1_000)
    assert len(polls(seen)) == 1
    seen.page.clock.run_for(2_000)
    expect(seen.page.get_by_role("alert")).to_contain_text("Connection lost: no answer within 8 s")
    assert len(polls(seen)) == 1

    seen.page.unroute("**/api/overview")
    seen.page.get_by_role("button", name="Try now").click()
    expect(seen.page.get_by_role("alert")).to_be_hidden()
    seen.complaints.clear()


def test_while_nobody_answers_it_asks_less_and_less_often(visit, dashboard):
    seen = visit()
    seen.page.clock.install()
    seen.open(dashboard.url)
    seen.page.wait_for_load_state("networkidle")
    seen.page.route("**/api/overview", lambda route: route.fulfill(status=500, body="{}"))
    seen.asked.clear()

    wait(seen, 180)

    assert 3 <= len(polls(seen)) <= 6  # after 10, 10, 20, 40 and 60 seconds
    assert all("500" in text for text in seen.complaints)
    seen.complaints.clear()


def test_clocks_that_differ_are_told_and_those_that_agree_are_not(visit, dashboard):
    seen = visit()
    seen.page.clock.install(time=time.time() + 600)
    seen.open(dashboard.url)
    seen.page.get_by_role("button", name="Refresh").click()

    note = seen.page.get_by_text("The clock of this browser is")
    expect(note).to_contain_text("10 min ahead of the server's")
    assert seen.violations() == []

    other = visit()
    other.open(dashboard.url)
    other.renew()
    expect(other.page.get_by_text("The clock of this browser is")).to_have_count(0)


@pytest.mark.parametrize(("tab", "most"), [("cache", 8), ("queues", 8), ("performance", 16), ("security", 16)])
def test_a_refresh_is_small(visit, dashboard, tab, most):
    seen = visit()
    seen.open(f"{dashboard.url}#{tab}")
    seen.page.wait_for_load_state("networkidle")
    sizes = {}
    seen.page.on("requestfinished", lambda request: sizes.update({request.url: request.sizes()["responseBodySize"]}))
    seen.asked.clear()
    refresh(seen, 1)
    for _ in range(100):
        if sizes.keys() >= {*seen.asked}:
            break
        seen.page.wait_for_timeout(20)

    overview = next(size for url, size in sizes.items() if url.endswith("/api/overview"))
    assert overview <= 3 * 1024, sizes
    assert sum(sizes.values()) <= most * 1024, sizes


def test_two_hundred_thousand_jobs_cost_a_refresh_no_more_than_one(visit, dashboard, redis_url):
    queues, store = dashboard.nexus.runtime.queues, RedisStore(redis_url, budget=5)
    seen = visit()
    seen.open(f"{dashboard.url}#queues/analytics-queue?state=waiting")
    expect(seen.page.locator("tbody tr")).to_have_count(1)
    few = refreshed(seen)
    key = next(key for key in store.client.keys("*") if key.endswith(b":queue:analytics-queue"))
    for _ in range(20):
        store.client.rpush(key, *[f"none-{n}" for n in range(MANY // 20)])
    assert queues.stats("analytics-queue").waiting > MANY

    expect_count = seen.page.locator(".states a", has_text="waiting")
    seen.until(lambda: "200,00" in expect_count.inner_text())
    many = refreshed(seen)
    store.client.delete(key)
    store.close()

    assert many < max(3 * few, 0.5), (few, many)


def refreshed(seen):
    """Return the median of how long five refreshes took, in seconds."""
    took = []
    for _ in range(5):
        began = time.monotonic()
        refresh(seen, 1)
        took.append(time.monotonic() - began)
    return sorted(took)[2]


def test_five_hundred_refreshes_leave_the_heap_and_the_page_as_large_as_they_were(visit, dashboard):
    seen = visit()
    seen.open(f"{dashboard.url}#queues")
    seen.page.wait_for_load_state("networkidle")
    answers = {}

    def again(route):  # the page is what is measured: each address is asked of the server once
        url = route.request.url
        if url not in answers:
            answers[url] = route.fetch()
        route.fulfill(response=answers[url])

    seen.page.route("**/api/**", again)
    session = seen.page.context.new_cdp_session(seen.page)
    session.send("Performance.enable")

    def size():
        session.send("HeapProfiler.collectGarbage")
        told = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
        return told["JSHeapUsedSize"], told["Nodes"], told["JSEventListeners"]

    refresh(seen, 100)
    before = size()
    refresh(seen, 400)
    after = size()

    assert after[0] - before[0] < 2 * 2**20, (before, after)
    assert after[1] <= before[1] + 50, (before, after)
    assert after[2] <= before[2] + 5, (before, after)


def refresh(seen, times):
    seen.page.evaluate(
        """async times => {
            const { refresh } = await import(document.querySelector("link[href$='live.js']").href);
            for (let n = 0; n < times; n += 1) await refresh();
        }""",
        times,
    )
