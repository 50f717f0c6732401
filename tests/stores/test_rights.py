"""The rights that docs/deploy.md gives to the user in Redis: all that are needed, and no other."""

import os
import re
import subprocess
import sys

import httpx
import pytest

from nexus_middleware.admin.api import RESOURCES
from nexus_middleware.errors import StoreError
from nexus_middleware.rules.windows import Limit
from nexus_middleware.services.analytics import Analytics
from nexus_middleware.services.notifications import Inbox
from nexus_middleware.services.queues import Queues
from nexus_middleware.settings import Settings
from nexus_middleware.stores import borrowed
from nexus_middleware.stores.commands import Hit, Look
from nexus_middleware.stores.redis import RedisStore
from tests.faults.site import APP
from tests.fleets import Node
from tests.frameworks.outage import ROOT, Workers

TOKEN = "a long secret of the tests"
LINE = re.search(r"^user nexus .*(?:\n .*)*$", (ROOT / "docs/deploy.md").read_text(), re.MULTILINE)
RULES = LINE[0].replace("\\\n", " ").split()[2:] if LINE else []
SPOKEN = (  # where the code names a command: in a script, as words, as a client's method
    re.compile(r"[( ]'([A-Z]{3,})'"),
    re.compile(r"[\[ (]\(\"([A-Z]{3,})\""),
    re.compile(r"(?:client|pipe|line)\.([a-z]+)\("),
)
SHORT = {"delete": "del", "pubsub": "subscribe"}  # as redis-py calls it
IMPLIED = {"multi", "exec", "script|load", "memory|usage"}  # by a pipeline that is a transaction; in two words


@pytest.fixture
def node(tmp_path):
    node = Node(tmp_path)
    node.client.execute_command("ACL", "SETUSER", "nexus", *RULES)
    yield node
    node.stop()


def url(node, scheme="redis"):
    return f"{scheme}://nexus:change-me@127.0.0.1:{node.port}/0"


def test_the_line_names_each_command_of_the_code_and_no_other(node):
    known = {name.decode() for name in node.client.execute_command("COMMAND LIST")}
    files = [*(ROOT / "nexus_middleware").rglob("*.py"), *(ROOT / "nexus_middleware").rglob("*.lua")]
    found = {word.lower() for path in files for each in SPOKEN for word in each.findall(path.read_text())}
    needed = ({SHORT.get(word, word) for word in found} & known) | IMPLIED

    given = {rule[1:] for rule in RULES if rule.startswith("+")}

    assert needed - {"script", "memory"} == given


def used(store, redis_url):
    """Use, in this process, what the web processes of the test do not."""
    settings = Settings(store=redis_url)
    analytics, inbox, queues = Analytics(store), Inbox(store), Queues(store, settings=settings)
    assert analytics.record("viewed", "ann", key="once")
    period = analytics.period()
    analytics.users(period)
    analytics.keep(period, "visits", 1)
    analytics.results()
    ident = inbox.add("ann", type="hello", title="Hello", message="Hi", key="once")
    inbox.mark_read("ann", [ident])
    assert (inbox.unread("ann"), len(inbox.messages("ann"))) == (0, 1)
    queues.schedule_recurring_jobs()
    queues.schedules.pause("daily-aggregation")
    queues.schedules.resume("daily-aggregation")
    queues.set_rate("email-queue", "100/minute")
    queues.set_rate("email-queue", "")
    queues.suppressed.add("bob@example.org", "refused")
    queues.queue_analytics_aggregation(type="daily", date="2026-11-24", metrics=["visits"])
    queues.retry_failed("email-queue")
    store.run([Look("x")])
    queues.close()


def asked(site):
    """Read all that the API shows, and change some."""
    headers = {"authorization": f"Bearer {TOKEN}", "sec-fetch-site": "same-origin"}
    seen = {}
    with httpx.Client(base_url=site, headers=headers, trust_env=False, timeout=30) as client:
        for path, resource in RESOURCES.items():
            at = re.sub(r"{[^}]*}", "email-queue", path)
            for method in ("GET", "POST", "DELETE"):
                if method in resource.actions:
                    params = {"pattern": "*", "address": "203.0.113.9"} if method == "DELETE" else {}
                    body = {"json": {"address": "203.0.113.9", "reason": "scans"}} if method == "POST" else {}
                    told = client.request(method, f"/api/infrastructure{at}", params=params, **body)
                    seen[method, at] = told.status_code
    assert max(seen.values()) < 500, {key: status for key, status in seen.items() if status >= 500}


def test_the_user_of_the_docs_may_do_all_that_is_done(node, tmp_path, monkeypatch):
    monkeypatch.setenv("NEXUS_STORE", url(node))
    app = APP.replace('log_level="error"', f'log_level="error", admin_token="{TOKEN}"')
    store = RedisStore(url(node), budget=5)
    workers = Workers(tmp_path, url(node), "2/hour", processes=2, app=app)
    try:
        with httpx.Client(trust_env=False, timeout=30, headers={"x-caller": "ann"}) as client:
            for path in ("/limited", "/free", "/value", "/limited", "/limited"):
                assert client.get(workers.urls[0] + path).status_code in (200, 429)
            assert client.post(f"{workers.urls[1]}/jobs").status_code == 200
        used(store, url(node))
        asked(workers.urls[0])
        command = [sys.executable, "-m", "nexus_middleware", "worker", "--burst"]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        assert subprocess.run(command, env=env, check=False, timeout=60, stdout=subprocess.DEVNULL).returncode == 0
    finally:
        workers.stop()
    limits = borrowed.borrowed(url(node), "moving-window")
    assert limits.run([Hit((("rate:x", Limit(5, 60, strategy="moving-window")),))])[0][0].allowed
    store.close()

    denied = node.client.execute_command("ACL", "LOG")
    assert [{**row}["object"] for row in denied if {**row}["reason"] != "auth"] == []


@pytest.mark.parametrize("rule", ["-evalsha", "-sadd", "resetkeys"])
def test_a_right_that_is_missing_is_one_line_that_says_which_and_where_they_are_listed(node, rule):
    node.client.execute_command("ACL", "SETUSER", "nexus", rule)
    store = RedisStore(url(node), budget=5)
    queues = Queues(store, settings=Settings(store=url(node)))
    with pytest.raises(StoreError) as told:
        store.run([Hit((("rate:x", Limit(5, 60)),))]) if rule != "-sadd" else queues.pause("email-queue")
    assert "the rights that its user needs are in the docs, under Deploy" in str(told.value)
    assert "\n" not in str(told.value)
    queues.close()
    store.close()
