"""The command `nexus`, as an administrator types it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from nexus_middleware import RateLimit, Rule, Settings
from nexus_middleware.runtime import Runtime
from tests.conftest import free_port
from tests.helpers import Origin, WSGIDoor

ROOT = Path(__file__).parents[2]


@pytest.fixture
def nexus(redis_url, tmp_path):
    """Run `nexus` with these words."""

    def run(*words, **environ):
        env = {**os.environ, "PYTHONPATH": str(ROOT), "NEXUS_STORE": redis_url, **environ}
        command = [sys.executable, "-m", "nexus_middleware", *words]
        return subprocess.run(command, env=env, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False)

    return run


@pytest.fixture
def runtime(redis_url):
    runtime = Runtime(Settings(store=redis_url))
    yield runtime
    runtime.close()


def test_block_and_unblock_hold_in_a_process_that_runs_already(nexus, runtime):
    assert not runtime.security.is_blocked("203.0.113.9")
    assert nexus("block", "203.0.113.0/24", "--reason", "scans", "--lasts", "3600").returncode == 0
    runtime.security.tick(0.0)
    assert "203.0.113.9" in runtime.security
    assert runtime.security.blocked()[0]["reason"] == "scans"
    assert nexus("unblock", "203.0.113.0/24").returncode == 0
    told = nexus("unblock", "203.0.113.0/24")
    assert (told.returncode, told.stderr) == (1, "nexus unblock: 203.0.113.0/24 was not blocked\n")


def test_the_cache_is_deleted_by_pattern_and_flushed(nexus, runtime):
    for key in ("course:1", "course:2", "user:1"):
        runtime.cache.set(key, 1)
    assert nexus("cache", "delete", "course:*").stdout == "2 forgotten\n"
    assert runtime.cache.exists("user:1")
    assert nexus("cache", "flush").stdout == "1 forgotten\n"


def test_queues_are_a_table(nexus, runtime):
    runtime.queues.queue_email(to="ann@example.org", subject="Hello", html="<p>Hi</p>")
    runtime.queues.pause("analytics-queue")
    rows = {line.split()[0]: line.split()[1:] for line in nexus("queues").stdout.splitlines()}
    assert rows["queue"] == ["waiting", "active", "completed", "failed", "delayed", "workers", "oldest", "wait"]
    assert rows["email-queue"][:6] == ["1", "0", "0", "0", "0", "0"]
    assert rows["email-queue"][-1] == "s"
    assert rows["analytics-queue"][-1] == "paused"


def test_queues_that_only_the_app_knows_workers_and_schedules_are_shown(nexus, runtime):
    runtime.queues.job("greet", queue="greetings")(lambda: None)
    runtime.queues.enqueue("greet")
    runtime.queues.ledger.beat("w-1", None, {"pid": 7})
    runtime.queues.schedules.add("nightly", "greet", cron="0 3 * * *", zone="Europe/Berlin")
    told = json.loads(nexus("queues", "--json").stdout)
    assert told["greetings"]["waiting"] == 1
    assert {*nexus("queues", "workers").stdout.splitlines()[1].split()} >= {"w-1", "7"}
    row = nexus("queues", "schedules").stdout.splitlines()[1].split()
    assert row[:2] == ["nightly", "greet"]
    assert row[-1] == "-"


def test_a_queue_is_steered(nexus, runtime):
    runtime.queues.queue_email(to="ann@example.org", subject="Hello", html="<p>Hi</p>")
    assert "is paused" in nexus("queues", "pause", "email-queue").stdout
    assert runtime.queues.stats("email-queue").paused
    assert "goes on" in nexus("queues", "resume", "email-queue").stdout
    assert nexus("queues", "retry", "email-queue").stdout.startswith("0 failed jobs")
    assert nexus("queues", "clear", "email-queue").stdout.startswith("1 jobs")
    assert runtime.queues.stats("email-queue").waiting == 0
    for words, told in ((("pause",), "pause which queue?"), (("clear", "emails"), "there is no queue 'emails'")):
        ran = nexus("queues", *words)
        assert ran.returncode == 2
        assert told in ran.stderr


@pytest.mark.parametrize(
    ("words", "environ", "told"),
    [
        (["queues"], {"NEXUS_STORE": "memory://"}, "set NEXUS_STORE to the Redis of the app"),
        (["queues"], {"NEXUS_STORE": "redis://127.0.0.1:1/0"}, "no Redis answers at redis://127.0.0.1:1/0: start it"),
        (["queues"], {"NEXUS_STORES": "x"}, "unknown setting NEXUS_STORES: did you mean NEXUS_STORE?"),
        (["block", "lan"], {}, "address='lan' must be an address or a network"),
        (["dashboard"], {}, "nobody could sign in: set NEXUS_ADMIN_TOKEN"),
        (["dashboard", "--port", "99999"], {"NEXUS_ADMIN_TOKEN": "a long secret"}, "cannot listen on 127.0.0.1:99999"),
    ],
)
def test_what_cannot_be_done_is_one_line_that_names_what_to_change(nexus, words, environ, told):
    answer = nexus(*words, **environ)
    assert answer.returncode == 2
    assert told in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


@pytest.mark.parametrize("words", [[], ["fly"], ["block"], ["cache"]])
def test_wrong_use_is_told_with_the_usage(nexus, words):
    answer = nexus(*words)
    assert answer.returncode == 2
    assert answer.stderr.startswith("usage: nexus")


@pytest.mark.parametrize("words", [["--help"], ["worker", "--help"], ["dashboard", "--help"], ["cache", "--help"]])
def test_each_command_explains_itself(nexus, words):
    answer = nexus(*words)
    assert answer.returncode == 0
    assert answer.stdout.startswith("usage: nexus")


def test_the_dashboard_runs_beside_a_wsgi_app_and_shows_its_numbers(redis_url, tmp_path):
    web, side = free_port(), free_port()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "NEXUS_STORE": redis_url, "NEXUS_ADMIN_TOKEN": "a long secret"}
    env |= {"NEXUS_LOG_LEVEL": "error", "ACADEMY_DB": str(tmp_path / "academy.db")}
    flask = [
        "gunicorn",
        "example_app.flask_app:app",
        "--workers",
        "2",
        "--bind",
        f"127.0.0.1:{web}",
        "--log-level",
        "error",
    ]
    commands = [flask, ["nexus_middleware", "dashboard", "--port", str(side)]]
    processes = [subprocess.Popen([sys.executable, "-m", *words], env=env, cwd=tmp_path) for words in commands]
    try:
        with httpx.Client(trust_env=False) as client:
            _until(lambda: client.get(f"http://127.0.0.1:{web}/livez").text == "ok\n")
            _until(lambda: client.get(f"http://127.0.0.1:{side}/livez").text == "ok\n")
            pages = [client.get(f"http://127.0.0.1:{web}/courses/{i % 3 + 1}") for i in range(20)]
            assert {page.status_code for page in pages} == {200}
            token = {"x-api-key": "a long secret"}
            base = f"http://127.0.0.1:{side}/api/infrastructure"
            _until(lambda: client.get(f"{base}/health", headers=token).json()["health"]["api"]["requestCount"] == 20)
            _until(lambda: client.get(f"{base}/cache", headers=token).json()["stats"]["hits"] >= 11)
            for of in ("security/posture", "rules/each"):  # the app's layers are in its own processes
                assert client.get(f"{base}/{of}", headers=token).json()["state"] == "unknown"
            blocked = client.post(f"{base}/security/blocked", headers=token, json={"address": "127.0.0.1"})
            assert blocked.status_code in (200, 201, 409), blocked.text
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(20) for process in processes] in ([0, 0], [0, -signal.SIGTERM])


def _until(condition):
    deadline = time.monotonic() + 20
    while True:
        try:
            if condition():
                return
        except httpx.TransportError:
            time.sleep(0.05)
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.05)


def test_limits_are_shown_and_reset(nexus, runtime):
    assert nexus("limits").stdout == "nobody has used any limit\n"
    limit = RateLimit(Origin().wsgi, [Rule("3/minute", name="sign-in")], store=runtime.store)
    door = WSGIDoor()
    for _ in range(2):
        door.get(limit, client="203.0.113.9")
    door.close()

    assert nexus("limits").stdout.split()[:3] == ["2/3", "sign-in", "203.0.113.9"]
    assert json.loads(nexus("limits", "--json", "--name", "sign-in").stdout)["items"][0]["used"] == 2
    assert nexus("limits", "reset", "203.0.113.9").stdout == "1 counts of 203.0.113.9 are reset\n"
    assert nexus("limits", "reset", "203.0.113.9").returncode == 1
    assert "reset whose limits?" in nexus("limits", "reset").stderr
