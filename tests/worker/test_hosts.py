"""Workers on hosts of their own: network namespaces stand in for them, each with a cable to the host of Redis."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid

import pytest

from nexus_middleware.stores.embedded import find_server
from tests.fleets import wait_for
from tests.frameworks.outage import ROOT

APP = """
import os, socket, time
from pathlib import Path
from nexus_middleware.services.queues import Queues

queues = Queues(os.environ["NEXUS_STORE"])

@queues.job("slow", queue="slow-queue")
def slow(number: int):
    time.sleep(0.4)
    with Path(os.environ["NOTES"]).open("a") as file:
        file.write(f"{number} {os.environ['HOST']}\\n")
"""
QUEUE = "import hosts_app as a; [a.queues.enqueue('slow', number=n) for n in range(60)]; a.queues.close()"
RESCUED = 60.0  # seconds after which the jobs of a host that is gone are run elsewhere


class Hosts:
    """Namespaces: `store`, and two workers' whose cables end there."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._mark = uuid.uuid4().hex[:6]
        for name in ("store", "one", "two"):
            self._names[name] = f"nx-{name}-{self._mark}"
            ran = subprocess.run(["ip", "netns", "add", self._names[name]], capture_output=True, text=True, check=False)
            if ran.returncode:
                self.remove()
                pytest.skip(f"no network namespaces here, which need root and CAP_SYS_ADMIN: {ran.stderr.strip()}")
            self.run(name, "ip", "link", "set", "lo", "up")
        for number, name in ((1, "one"), (2, "two")):
            here, there = f"nx{self._mark}a{number}", f"nx{self._mark}b{number}"
            made = (
                f"ip link add {here} netns {self._names['store']} type veth peer name {there} netns {self._names[name]}"
            )
            subprocess.run(made.split(), check=True)
            for host, link, last in (("store", here, 1), (name, there, 2)):
                self.run(host, "ip", "addr", "add", f"10.77.{number}.{last}/24", "dev", link)
                self.run(host, "ip", "link", "set", link, "up")

    def start(self, name, *words, **how):
        return subprocess.Popen(["ip", "netns", "exec", self._names[name], *words], **how)

    def run(self, name, *words, **how):
        subprocess.run(["ip", "netns", "exec", self._names[name], *words], check=True, timeout=60, **how)

    def cut(self, number):
        self.run("store", "ip", "link", "set", f"nx{self._mark}a{number}", "down")

    def remove(self):
        for name in self._names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


@pytest.fixture
def hosts():
    hosts = Hosts()
    yield hosts
    hosts.remove()


@pytest.mark.timeout(200)
def test_a_host_whose_cable_is_cut_leaves_its_jobs_to_the_other(hosts, tmp_path):
    (tmp_path / "hosts_app.py").write_text(APP)
    notes = tmp_path / "notes"
    notes.touch()
    env = {**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}", "NOTES": str(notes), "HOST": "store"}
    words = [
        "--bind",
        "0.0.0.0",
        "--protected-mode",
        "no",
        "--save",
        "",
        "--dir",
        str(tmp_path),
    ]  # within the namespaces
    server = hosts.start("store", find_server(), *words, stdout=subprocess.DEVNULL)
    started = [server]

    def done(host=""):
        return {int(line.split()[0]) for line in notes.read_text().splitlines() if line.endswith(host)}

    try:
        for number, name in ((1, "one"), (2, "two")):
            own = {**env, "NEXUS_STORE": f"redis://10.77.{number}.1:6379/0", "HOST": name}
            command = [sys.executable, "-m", "nexus_middleware", "worker", "--app", "hosts_app:queues"]
            ready = tmp_path / f"ready-{name}"
            started.append(hosts.start(name, *command, "--ready", str(ready), env=own, stdout=subprocess.DEVNULL))
            wait_for(ready.exists, 40)
        hosts.run("store", sys.executable, "-c", QUEUE, env={**env, "NEXUS_STORE": "redis://127.0.0.1:6379/0"})
        wait_for(lambda: done("one") and done("two"))

        hosts.cut(1)
        began = time.monotonic()
        wait_for(lambda: done() == {*range(60)}, RESCUED + 30)

        assert len(done("two")) > 30, "the other host did the most"
        assert time.monotonic() - began < RESCUED + 24, "60 jobs of 0.4 s, and one that was rescued"
    finally:
        for process in reversed(started):
            process.send_signal(signal.SIGTERM)
        for process in reversed(started):
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
