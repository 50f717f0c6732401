"""ResponseCache passes the public suite of HTTP caching, but for what no middleware can: no test is lost again."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import playwright
import pytest

from tests.conftest import free_port

HERE = Path(__file__).parent
SUITE = HERE.parent / "vendor" / "http-cache-tests"
NODE = Path(playwright.__file__).parent / "driver" / "node"
EXPECTED = json.loads((HERE / "expected.json").read_text())


def wait_for(port, process):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the cache did not start")


def run(name, folder):
    """Run the suite against the cache with these options; return its rows by id."""
    out = folder / f"{name}.json"
    origin = subprocess.Popen([NODE, HERE / "origin.mjs", SUITE], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    port = free_port()
    at = re.search(rb"port (\d+)", origin.stderr.readline())[1].decode()
    cache = subprocess.Popen(
        [sys.executable, "-m", "tests.conformance.serve", name, at, str(port)], cwd=HERE.parents[1]
    )
    try:
        wait_for(port, cache)
        client = [NODE, "--no-warnings", HERE / "client.mjs", SUITE, f"http://127.0.0.1:{port}", out]
        subprocess.run(client, check=True, timeout=100, stdout=subprocess.DEVNULL)
    finally:
        for process in (cache, origin):
            process.terminate()
            process.wait(10)
        origin.stderr.close()
    return {row["id"]: row for row in json.loads(out.read_text())}


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("conformance")
    with ThreadPoolExecutor(2) as pool:
        runs = {name: pool.submit(run, name, folder) for name in EXPECTED["passed"]}
        return {name: each.result() for name, each in runs.items()}


@pytest.mark.parametrize("name", [*EXPECTED["passed"]])
def test_no_test_of_the_public_suite_that_ever_passed_is_lost(rows, name):
    lost = {i: rows[name][i] for i in EXPECTED["passed"][name] if rows[name][i]["result"] != "pass"}

    assert lost == {}


def test_all_required_tests_that_apply_pass_and_all_but_seven_of_the_optimal_ones(rows):
    found = rows["conformance"].values()
    apply = [row for row in found if row["id"] not in EXPECTED["not applicable"]]
    failed = [row["id"] for row in apply if row["kind"] == "required" and row["result"] != "pass"]
    passed = Counter(row["kind"] for row in apply if row["result"] == "pass")

    assert failed == []
    assert passed["required"] == 158
    assert passed["optimal"] >= 95


def test_the_safe_defaults_lose_one_required_test_alone_that_of_set_cookie(rows):
    apply = [row for i, row in rows["defaults"].items() if i not in EXPECTED["not applicable"]]
    failed = [row["id"] for row in apply if row["kind"] == "required" and row["result"] != "pass"]
    passed = Counter(row["kind"] for row in apply if row["result"] == "pass")

    assert failed == ["headers-store-Set-Cookie"]
    assert passed["required"] == 157
    assert passed["optimal"] >= 84
