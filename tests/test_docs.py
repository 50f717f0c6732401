"""The pages: their code runs, their links lead somewhere, their tables say what the code says."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from dataclasses import fields

import pytest

import nexus_middleware
from nexus_middleware import Nexus, Settings
from nexus_middleware.admin import attempts, sessions
from nexus_middleware.rules import injection, retries, sanitize
from nexus_middleware.rules.health import KNOWN
from nexus_middleware.services import logs, monitor
from nexus_middleware.services.cache import Cache
from nexus_middleware.services.jobs import scripts
from nexus_middleware.services.logs import files, writer
from nexus_middleware.services.monitor import Monitor, alerts, counts, fleet
from nexus_middleware.services.queues import Queues
from nexus_middleware.services.security import Security, events
from nexus_middleware.stores.breaker import Breaker
from nexus_middleware.stores.redis import RedisStore
from nexus_middleware.worker import child
from tests.pages import PAGES, ROOT, anchors, blocks, links

MIB = 2**20
WITH_CODE = [page for page in PAGES if any(blocks(page.read_text()))]


def named(page):
    return str(page.relative_to(ROOT))


def default(made, option):
    return inspect.signature(made).parameters[option].default


def rows(page, first):
    """The cells of the table in `page` whose head begins with `first`."""
    table = (ROOT / page).read_text().partition(f"| {first} |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


@pytest.mark.parametrize("page", WITH_CODE, ids=named)
def test_the_code_on_the_page_runs(page, redis_url, tmp_path):
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("NEXUS_")}
    command = [sys.executable, "-W", "error", "-m", "tests.pages", str(page)]
    assert page.read_text().count("```py") == len([*blocks(page.read_text())]), "a block that would not be run"

    ran = subprocess.run(
        command,
        cwd=tmp_path,
        env={**quiet, "NEXUS_STORE": redis_url, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_the_links_on_the_page_lead_somewhere(page):
    for target in links(page.read_text()):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        aim = page.parent / path if path else page
        assert aim.exists(), f"{target} is not there"
        assert not anchor or anchor in anchors(aim.read_text()), f"{target} names no heading"


def test_the_page_of_settings_has_every_setting_with_its_default():
    def shown(value):
        if value in ("", ()):
            return "empty"
        return f"`{str(value).lower() if isinstance(value, bool) else value}`"

    told = [row[:3] for row in rows("docs/settings.md", "Setting")]

    defaults = Settings()
    assert told == [
        [f"`{f.name}`", f"`NEXUS_{f.name.upper()}`", shown(getattr(defaults, f.name))] for f in fields(Settings)
    ]


def test_what_is_fixed_is_told_as_the_code_has_it():
    told = {row[0]: row[1] for row in rows("docs/settings.md", "What")}

    assert told == {
        "One trip to Redis, connecting included": f"{default(RedisStore, 'budget')} s",
        "Pause after a failed trip, in which Redis is not asked": f"{default(Breaker, 'pause')} s",
        "A file of the log before it is rotated": f"{files.LARGEST // MIB} MiB; {files.KEPT} old ones are kept, "
        f"{writer.OLD[writer.PERFORMANCE]} of `performance.log`",
        'Timings shown as "now"': f"the last {fleet.WINDOW} s",
        "Slow": f"a request from {counts.SLOW['api']:g} s on, a query from {counts.SLOW['db']:g} s on",
        "The same alert is sent again": f"after {alerts.QUIET:g} s at the earliest",
        "Security events that are listed": f"the newest {events.KEPT}",
        "Retries of a job": "after {:g}, {:g} and {:g} s".format(*retries.DELAYS),
        "Kept jobs of a queue": f"{scripts.KEPT_DONE} completed, {scripts.KEPT_FAILED} failed",
        "A worker's process is replaced": f"after {child.MOST_JOBS} jobs, "
        f"or when it has held {child.MOST_MEMORY // MIB} MiB",
        "A session of the dashboard": f"{sessions.LASTS // 3600} hours",
        "Wrong tokens from one address": f"{attempts.FAILURES.amount} in {attempts.FAILURES.window / 60:g} minutes",
    }


ALL = Settings(  # those layers too that are there only if asked for
    cors_origins=("https://shop.example",),
    allowed_hosts=("shop.example",),
    api_keys=("a key",),
    csp_report_path="/csp-reports",
)


def test_the_readme_lists_the_layers_of_the_stack_in_their_order():
    stack = Nexus(None, ALL).stack

    assert [row[0].strip("`") for row in rows("README.md", "Layer")] == [type(x).__name__ for x in stack.chain.layers]


def test_each_layer_of_the_stack_has_a_section_of_its_own_in_their_order():
    sections = re.findall(r"^## (\w+)$", (ROOT / "docs/layers.md").read_text(), re.MULTILINE)

    stack = [type(layer).__name__ for layer in Nexus(None, ALL).stack.chain.layers]

    assert [name for name in sections if name in stack] == stack


def test_each_name_that_an_original_one_became_is_there():
    places = [nexus_middleware, Cache, Queues, Monitor, Security, logs, logs.Log, monitor, sanitize, injection]
    there = {name for place in places for name in dir(place)}

    became = [name for row in rows("docs/from-the-original.md", "Original") for name in re.findall(r"`(\w+)`", row[1])]

    assert len(became) > 60
    assert {name for name in became if not name.startswith("NEXUS_")} - there == {"None"}


def test_the_page_about_scale_computes_with_what_was_measured():
    measured, page = ((ROOT / f"docs/{name}.md").read_text() for name in ("benchmarks", "scale"))

    def both(there, here):
        return float(re.search(there, measured)[1]), float(re.search(here, page)[1].replace(",", ""))

    for there, here in (
        (r"the whole stack, nine layers +\S+ +\S+ +\S+ +(\S+)", r"adds to a request, in memory \| (\S+) µs"),
        (r"RateLimit on Redis, 50 callers +\S+ +\S+ +\S+ +(\S+)", r"50 callers at once \| (\S+) µs"),
        (r"uvicorn with ResponseCache takes (\S+) µs", r"answers a hit \| (\S+) µs"),
        (r"nexus worker +(\d+)", r"that do nothing \| (\S+) a second"),
    ):
        was, told = both(there, here)
        assert 1 / 2 < told / was < 2, "another run differs a little; if it is another figure, compute anew"


def test_each_alert_has_a_paragraph_that_says_what_to_do():
    page = (ROOT / "docs/alerts.md").read_text()

    assert {threshold.name for threshold in KNOWN} <= anchors(page)
    assert {row[0].split("`")[1] for row in rows("docs/alerts.md", "Check")} == {threshold.name for threshold in KNOWN}


def test_the_documentation_builds_without_a_complaint(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]

    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)

    assert built.returncode == 0, built.stderr
    assert (tmp_path / "index.html").exists()


def test_each_file_that_the_walks_name_is_there():
    named_files = re.findall(r"`([\w/.]+(?:\.py|\.lua|\.js|/))`", (ROOT / "docs/how-it-works.md").read_text())
    files = [path.relative_to(ROOT).as_posix() for path in (ROOT / "nexus_middleware").rglob("*")]

    assert len(named_files) > 30
    assert [
        name for name in named_files if not any(f"/{path}".endswith("/" + name.rstrip("/")) for path in files)
    ] == []


def test_each_public_name_is_in_the_reference():
    shown = re.findall(r"^::: nexus_middleware\.([\w.]+)", (ROOT / "docs/reference.md").read_text(), re.MULTILINE)
    public = {name: getattr(nexus_middleware, name) for name in nexus_middleware.__all__}

    assert [
        name
        for name, thing in public.items()
        if name not in shown and thing.__module__.removeprefix("nexus_middleware.") not in shown
    ] == []
