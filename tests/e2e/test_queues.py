"""The views of queues, jobs, workers and schedules in a real browser."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.conftest import open_dashboard
from tests.e2e.test_dashboard import LOOKS
from tests.services.jobs import fetch, run_one

PROBE = "<img src=x onerror=alert(1)>"
QUEUE = "photo-queue"


@pytest.fixture
def jobs(dashboard):
    """A queue with one failed job of a hostile name, and 30 that wait."""
    queues = dashboard.nexus.queues
    queues.board.empty("analytics-queue")

    @queues.job("photo.resize", queue=QUEUE)
    def resize(photo, password=""): ...

    failed = queues.enqueue("photo.resize", photo=PROBE, password="hunter2")
    run_one(queues, "failed", text=f"Traceback\n  File\nValueError: {PROBE}")
    waiting = queues.enqueue_many("photo.resize", [{"photo": n} for n in range(30)])
    return failed, waiting


def go(seen, dashboard, place):
    seen.open(f"{dashboard.url}#{place}")


@pytest.mark.parametrize("look", LOOKS)
def test_every_view_of_queues_is_accessible_and_fits_in_every_look(visit, dashboard, jobs, look):
    dashboard.nexus.queues.schedules.add_standard()
    fetch(dashboard.nexus.queues)
    seen = visit(**LOOKS[look])
    seen.open(dashboard.url)
    for place, ready in {
        f"queues/{QUEUE}?state=waiting": "tbody th a",
        f"queues/{QUEUE}/jobs/{jobs[0]}": ".timeline",
        "queues/workers": ".panel table, .panel .empty",
        "queues/schedules": "tbody .tools",
    }.items():
        seen.page.evaluate("place => { location.hash = place }", place)
        seen.page.wait_for_selector(ready)
        assert seen.violations() == [], place
        assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place


def test_a_failed_job_is_shown_without_its_secrets_and_retried(visit, dashboard, jobs):
    seen = visit()
    go(seen, dashboard, "queues")

    seen.page.get_by_role("link", name=f"1 failed job of {QUEUE}").click()
    seen.page.get_by_role("link", name="photo.resize").click()
    expect(seen.page.locator(".timeline")).to_contain_text("Failed")
    expect(seen.page.get_by_role("region", name="Error")).to_contain_text(PROBE)
    expect(seen.page.get_by_role("region", name="Payload")).to_contain_text("[redacted]")
    assert "hunter2" not in seen.page.content() and seen.page.locator("main img").count() == 0
    seen.page.get_by_role("button", name="Retry now").click()

    expect(seen.page.locator(".toast")).to_have_text("The job is queued again.")
    expect(seen.page.locator(".title-row .chip")).to_have_text("waiting")
    assert dashboard.nexus.queues.stats(QUEUE).failed == 0


def test_jobs_come_in_pages_are_searched_and_many_are_deleted_at_once(visit, dashboard, jobs):
    seen = visit()
    go(seen, dashboard, f"queues/{QUEUE}?state=waiting")

    expect(seen.page.locator("tbody tr")).to_have_count(25)
    seen.page.get_by_role("link", name="Next page").click()
    expect(seen.page.locator("tbody tr")).to_have_count(5)
    seen.page.locator("tbody input").first.check()
    seen.renew()
    expect(seen.page.get_by_text("1 selected")).to_be_visible()  # a refresh keeps it
    seen.page.get_by_label("Select all on this page").check()
    seen.page.get_by_role("button", name="Delete selected").click()
    dialog = seen.page.get_by_role("dialog", name=f"Delete 5 jobs of {QUEUE}?")
    expect(dialog.get_by_role("button", name="Keep")).to_be_focused()
    dialog.get_by_role("button", name="Delete 5 jobs").click()
    expect(seen.page.locator(".toast")).to_have_text("5 jobs deleted.")
    expect(dialog).to_be_hidden()
    assert dashboard.nexus.queues.stats(QUEUE).waiting == 25

    seen.page.keyboard.press("/")
    seen.page.keyboard.type('"photo": 17')
    seen.page.keyboard.press("Enter")
    expect(seen.page.locator("tbody tr")).to_have_count(1)
    assert "q=" in seen.page.url


def test_a_job_that_waits_is_canceled_and_deleted(visit, dashboard, jobs):
    seen = visit()
    go(seen, dashboard, f"queues/{QUEUE}/jobs/{jobs[1][0]}")

    seen.page.get_by_role("button", name="Cancel …").click()
    seen.page.get_by_role("button", name="Cancel the job").click()
    expect(seen.page.locator(".title-row .chip")).to_have_text("canceled")
    seen.page.get_by_role("button", name="Delete …").click()
    seen.page.get_by_role("button", name="Delete the job").click()

    expect(seen.page.get_by_role("link", name=re.compile("^canceled"))).to_have_attribute("aria-current", "page")
    assert dashboard.nexus.queues.board.job(jobs[1][0]) is None


def test_charts_say_what_they_show_and_are_tables_for_who_asks(visit, dashboard, jobs):
    seen = visit()
    go(seen, dashboard, f"queues/{QUEUE}?state=failed")

    chart = seen.page.get_by_role("img", name=re.compile("^Ended by minute. done: 0 to 0"))
    expect(chart).to_have_accessible_name(re.compile("failed: 0 to 1, last 1"))
    seen.page.get_by_role("button", name="Show as table").first.click()
    expect(seen.page.get_by_role("table", name="Ended by minute").locator("tbody tr")).to_have_count(60)
    seen.page.get_by_label("Window").select_option("24h")
    expect(seen.page.get_by_role("table", name="Ended by hour").locator("tbody tr")).to_have_count(24)
    assert "window=24h" in seen.page.url


@pytest.mark.parametrize("look", LOOKS)
def test_each_row_of_the_queues_draws_what_was_done_and_what_failed_and_says_it(visit, dashboard, jobs, look):
    run_one(dashboard.nexus.queues)
    seen = visit(**LOOKS[look])
    go(seen, dashboard, "queues?window=15m")

    row = seen.page.locator("tbody tr", has=seen.page.get_by_role("link", name=QUEUE, exact=True))
    pace = row.get_by_role("img", name="over 15m: 1 done, 1 failed, at most")
    expect(pace).to_be_visible()
    assert [path.get_attribute("d").count("M") for path in pace.locator("path").all()] == [1, 1]
    expect(seen.page.get_by_role("img", name=re.compile("^over 15m: 0 done, 0 failed"))).to_have_count(5)
    assert seen.violations() == []


def test_a_queue_charts_how_many_wait_and_how_long_the_oldest_has(visit, dashboard, jobs):
    seen = visit(**LOOKS["phone"])
    seen.page.route("**/history?*", aged_by_minute)
    go(seen, dashboard, f"queues/{QUEUE}?state=waiting")

    age = seen.page.get_by_role("img", name=re.compile("^Queue age. oldest: 0 s to 9 min, last 9 min"))
    expect(age.locator("text", has_text=re.compile("^5 min$"))).to_have_count(1)  # its steps are round
    assert age.locator("path.line").first.get_attribute("d").count("M") == 2  # a gap where nobody looked
    expect(seen.page.get_by_role("img", name=re.compile("^Waiting. jobs: 0 to 59, last 59"))).to_be_visible()
    ended = seen.page.locator(".chart", has=seen.page.get_by_role("img", name=re.compile("^Ended by minute")))
    expect(ended.locator(".legend")).to_contain_text("done 120")  # all of the window
    ended.get_by_role("img").press("End")
    expect(ended.locator(".legend")).to_contain_text("done 2")
    assert seen.violations() == []
    assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def aged_by_minute(route):
    """Answer as a queue does whose oldest job has waited since the hour began; in two minutes nobody looked."""
    told = route.fetch().json()
    for n, point in enumerate(told["points"]):
        looked = n not in (20, 21)
        point |= {"done": 2, "waiting": n if looked else None, "oldestWaitSeconds": n * 10 if looked else None}
    route.fulfill(json=told)


def test_every_row_of_a_narrow_table_has_its_line_also_below_the_column_that_stays(visit, dashboard, jobs):
    seen = visit(**LOOKS["phone"])
    go(seen, dashboard, "queues")

    seen.page.wait_for_selector("tbody tr:nth-child(2)")
    seen.page.locator(".scroll").first.evaluate("box => { box.scrollLeft = 60 }")
    names = seen.page.locator("tbody tr:not(:last-child) th").all()
    assert len(names) > 3
    assert [name.inner_text() for name in names if not underlined(seen.page, name)] == []


def underlined(page, cell):
    """Whether more than one colour is seen from above to below the lower edge of `cell`."""
    cell.evaluate("cell => cell.scrollIntoView({ block: 'center' })")
    box = cell.bounding_box()
    edge = {"x": box["x"] + 4, "y": box["y"] + box["height"] - 3, "width": 1, "height": 5}
    shot = Image.open(io.BytesIO(page.screenshot(clip=edge))).convert("RGB")
    return len({shot.getpixel((0, y)) for y in range(shot.height)}) > 1


def test_schedules_are_run_paused_and_resumed(visit, dashboard, jobs):
    queues = dashboard.nexus.queues
    queues.schedules.add_standard()
    seen = visit()
    go(seen, dashboard, "queues/schedules")

    expect(seen.page.get_by_text("Mondays at 06:00")).to_be_visible()
    seen.page.get_by_role("button", name="Run now: weekly-report").click()
    expect(seen.page.locator(".toast")).to_have_text("weekly-report is queued.")
    assert queues.stats("analytics-queue").waiting == 1
    seen.page.get_by_role("button", name="Pause weekly-report").click()
    seen.page.get_by_role("button", name="Resume weekly-report").click()
    expect(seen.page.get_by_role("button", name="Pause weekly-report")).to_be_visible()
    assert not any(each.paused for each in queues.schedules.every())


def test_a_worker_that_is_busy_is_told_from_one_that_is_dead(visit, dashboard, jobs):
    seen = visit()
    seen.page.route("**/api/workers", lambda route: route.fulfill(json=WORKERS))
    go(seen, dashboard, "queues")

    expect(seen.page.locator(".crew")).to_contain_text("2 workers: 1 busy, 1 dead.")
    seen.page.get_by_role("link", name="2 workers").click()
    expect(seen.page.get_by_role("row", name=re.compile("w-1 busy")).get_by_role("link")).to_have_text("0123abcd")
    expect(seen.page.get_by_role("row", name=re.compile("w-2 dead"))).to_be_visible()


WORKER = {"name": "w-1", "state": "busy", "host": "h", "pid": 1, "startedAt": "2026-01-01T00:00:00Z", "queue": QUEUE}
WORKER |= {"seenAt": "2026-01-01T00:00:00Z", "job": "0123abcd-9", "since": "2026-01-01T00:00:00Z", "queues": [QUEUE]}
WORKER |= {"memoryMb": None, "done": 1, "retried": 0, "failed": 0}
WORKERS = {"items": [WORKER, {**WORKER, "name": "w-2", "state": "dead", "job": None}], "meta": {}}


def test_who_may_only_look_at_queues_changes_nothing(visit, serve, redis_url):
    dashboard = open_dashboard(serve, redis_url, access=lambda scope: "read_only")
    seen = visit(headers={})
    go(seen, dashboard, "queues/analytics-queue?state=waiting")

    seen.page.locator("tbody input").first.check()
    expect(seen.page.get_by_role("button", name="Delete selected")).to_have_attribute(
        "title", "This needs the right queues:delete"
    )


@pytest.mark.parametrize("place", ["queues/nobody?state=failed", "queues/analytics-queue/jobs/none"])
def test_what_is_not_there_is_said_and_the_rest_of_the_page_goes_on(visit, dashboard, place):
    seen = visit()
    go(seen, dashboard, place)

    expect(seen.page.locator(".empty b")).to_have_text(re.compile("no queue of this name|not kept any more"))
    expect(seen.page.locator(".alert.bad")).to_have_count(0)
    assert all("404" in text for text in seen.complaints)
    seen.complaints.clear()
