"""A real browser before a real server before a real Redis."""

from __future__ import annotations

import os
import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from nexus_middleware import Nexus, Settings, stores
from nexus_middleware.stores.redis import RedisStore
from tests.helpers import Origin

TOKEN = "correct horse battery staple"
KEY = {"x-api-key": TOKEN}
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
NAMES = ("chromium", "chromium-browser", "google-chrome")
AXE = Path(__file__).parent.parent / "vendor" / "axe.min.js"
JUDGE = """async () => (await axe.run(document, {runOnly:
    ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})).violations
    .map(v => `${v.id}: ${v.help}: ${v.nodes.map(n => n.html).join(" | ")}`)"""
ASK = """() => {
    const ask = () => document.dispatchEvent(new Event("visibilitychange"));
    ask();
    window.asking = setInterval(ask, 50);
}"""
MISSING = (
    "no browser: install Chromium (on Debian: apt install chromium), or run: python -m playwright install chromium"
)


def find_browser(playwright) -> str:
    """Return the path of a Chromium, or say plainly what to install."""
    for path in (*map(shutil.which, NAMES), playwright.chromium.executable_path):
        if path and Path(path).exists():
            return path
    if os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(MISSING, pytrace=False)
    pytest.skip(MISSING)


@pytest.fixture(scope="module")
def browser():
    """One browser for a module: its driver keeps an event loop that other modules' tests must not meet."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(playwright), args=FLAGS)
        yield browser
        browser.close()


class Served:
    """An app behind uvicorn in a thread, on a port of its own."""

    def __init__(self, app: Any) -> None:
        options = {
            "port": 0,
            "log_level": "error",
            "proxy_headers": False,
            "ws": "none",
            "timeout_graceful_shutdown": 2,
        }
        self.server = uvicorn.Server(uvicorn.Config(app, **options))
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        deadline = time.monotonic() + 10
        while not self.server.started:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.005)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)


@pytest.fixture
def serve():
    running = []

    def serve(app) -> Served:
        running.append(Served(app))
        return running[-1]

    yield serve
    for served in running:
        served.stop()


@dataclass
class Dashboard:
    """A stack that is served, and where its dashboard is."""

    nexus: Nexus
    served: Served

    @property
    def url(self) -> str:
        return f"{self.served.base}/admin/infrastructure/"


@pytest.fixture
def dashboard(serve, redis_url):
    """A dashboard with a full cache, a queue with a job and a blocked address, all on a real Redis."""
    return open_dashboard(serve, redis_url)


def open_dashboard(serve, url, *, settings=(), **options) -> Dashboard:
    store = stores._OPEN[url, "nexus"] = RedisStore(url, budget=2)  # seconds: a browser keeps this machine busy
    given = {"admin_token": TOKEN, "store": url, "log_level": "error"} | dict(settings)
    nexus = Nexus(Origin().asgi, Settings(**given), **options)
    for n in range(12):
        nexus.cache.set(f"course:{n}", n)
    nexus.cache.get("course:1")
    nexus.cache.get("course:none")
    nexus.runtime.security.block("198.51.100.0/24", reason="<img src=x onerror=alert(1)>", lasts=3600)
    nexus.runtime.queues.enqueue("analytics.aggregate", type="daily", date="2026-01-01", metrics=[])
    assert nexus.runtime.store is store
    return Dashboard(nexus, serve(nexus))


@dataclass
class Visit:
    """A page, and all that went wrong in it."""

    page: Any
    complaints: list[str]
    asked: list[str]

    def open(self, url: str) -> None:
        self.page.goto(url)
        self.page.wait_for_selector("[role=tab]")

    def tab(self, name: str) -> None:
        self.page.click(f"#tab-{name}")
        self.page.wait_for_selector(f"[role=tabpanel][aria-labelledby=tab-{name}]")

    def renew(self) -> None:
        """Have the page ask anew, as when its tab comes to the front, and wait for what comes of it."""
        with self.page.expect_response("**/api/overview"):
            self.page.evaluate(ASK)  # again and again: while it still waits for some part, it asks for nothing
        self.page.evaluate("clearInterval(window.asking)")

    def until(self, check) -> None:
        for _ in range(50):
            self.renew()
            if check():
                return
            self.page.wait_for_timeout(100)
        pytest.fail("it never came to that")

    def violations(self) -> list[str]:
        self.page.evaluate(AXE.read_text())
        return self.page.evaluate(JUDGE)

    def text(self, selector: str = "main") -> str:
        return self.page.inner_text(selector)


@pytest.fixture
def visit(browser, serve):  # served until the last page is closed
    """Open a page; at the end nothing may have been complained of, and nobody else may have been asked."""
    contexts, visits = [], []

    def visit(*, headers=KEY, **options) -> Visit:
        context = browser.new_context(extra_http_headers=headers, **options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        visit = Visit(context.new_page(), [], [])
        visit.page.on("console", lambda m: visit.complaints.append(m.text) if m.type in ("error", "warning") else None)
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        visit.page.on("request", lambda request: visit.asked.append(request.url))
        visits.append(visit)
        return visit

    yield visit
    for context in contexts:
        context.close()
    for each in visits:
        assert not each.complaints
        assert all(url.startswith("http://127.0.0.1:") for url in each.asked), each.asked
