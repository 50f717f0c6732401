"""A Redis that Sentinels watch dies under a site and its worker: both go on, and what was acknowledged is done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import httpx
import pytest

from tests.faults.site import APP, LIMIT, Site
from tests.fleets import Sentinels, wait_for
from tests.frameworks.outage import ROOT, Workers

JOBS = """
from pathlib import Path

@nexus.queues.job("note", queue="notes-queue")
def note(number: int):
    with Path(os.environ["NOTES"]).open("a") as file:
        file.write(f"{number}\\n")

@api.post("/notes/{number}")
async def notes(number: int):
    try:
        return await nexus.queues.aenqueue("note", number=number)
    except StoreError:
        return JSONResponse("try again", 503)
"""
BACK = 3.0  # seconds within which all of it works again, once the Sentinels have named another master


@pytest.fixture
def sentinels(tmp_path):
    sentinels = Sentinels(tmp_path)
    yield sentinels
    sentinels.stop()


@pytest.fixture
def site(sentinels, tmp_path, monkeypatch):
    (tmp_path / "notes").touch()
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    monkeypatch.setenv("NEXUS_STORE", sentinels.url)
    workers = Workers(tmp_path, sentinels.url, f"{LIMIT}/hour", processes=2, app=APP + JOBS)
    env = {**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}", "STORE": sentinels.url, "LIMIT": f"{LIMIT}/hour"}
    command = [sys.executable, "-m", "nexus_middleware", "worker", "--app", "shared:app"]
    command += ["--ready", str(tmp_path / "ready")]
    worker = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    wait_for((tmp_path / "ready").exists)
    yield Site(sentinels.master, workers)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    workers.stop()


def noted(site, numbers):
    """Ask for a job for each number; return those that were acknowledged."""
    with httpx.Client(trust_env=False, timeout=30) as client:
        seen = {n: client.post(f"{site.workers.urls[n % 2]}/notes/{n}").status_code for n in numbers}
    assert {*seen.values()} <= {200, 503}
    return {n for n, status in seen.items() if status == 200}


def test_a_site_and_its_worker_outlive_the_master_and_do_all_that_was_acknowledged(site, sentinels, tmp_path):
    before = site.calls("ann", "/limited", 8)
    acknowledged = noted(site, range(20))
    assert len(acknowledged) == 20
    sentinels.settle(sentinels.master)
    sentinels.master.kill()
    free, during = site.calls("anyone", "/free", 20), site.calls("ann", "/limited", 30)
    acknowledged |= noted(site, range(20, 24))
    wait_for(lambda: sentinels.name(sentinels.replica))
    named = time.monotonic()
    wait_for(lambda: len(noted(site, (24, 25))) == 2)
    took = time.monotonic() - named
    acknowledged |= noted(site, range(24, 40))
    after = site.calls("ann", "/limited", 30)

    assert {call.status for call in free} == {200}
    assert {call.status for call in [*before, *during, *after]} == {200, 429}
    assert LIMIT - 2 <= sum(call.status == 200 for call in [*before, *during, *after]) <= 1.25 * LIMIT + 2
    assert took < BACK
    done = wait_for(lambda: acknowledged <= {int(line) for line in (tmp_path / "notes").read_text().split()}, 40)
    assert done
