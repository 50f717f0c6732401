"""What a process uses: within its container's limits, its event loop, and what is under way."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time

import psutil
import pytest

from nexus_middleware import Nexus, Settings
from nexus_middleware.services.monitor import Monitor
from nexus_middleware.services.monitor import machine as machines
from nexus_middleware.services.monitor.lag import LoopWatch
from nexus_middleware.stores.redis import RedisStore
from tests.helpers import Answer, Origin


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Control groups of either version, as a test writes them."""

    def write(own):
        real = machines._read
        monkeypatch.setattr(machines, "_read", lambda path: own if path == "/proc/self/cgroup" else real(path))
        return tmp_path

    return write


def put(root, path, text):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_the_tightest_limit_of_all_groups_around_holds_version_2(groups):
    root = groups("0::/shop.slice/web.service\n")
    put(root, "shop.slice/web.service/memory.max", "max\n")
    put(root, "shop.slice/memory.max", "536870912\n")
    put(root, "shop.slice/web.service/cpu.max", "50000 100000\n")
    assert machines.memory_limit(root) == 512 * 2**20
    assert machines.usable_cores(root) == 0.5


def test_version_1_has_a_folder_for_each_controller(groups):
    root = groups("4:memory:/docker/abc\n1:cpu,cpuacct:/docker/abc\n")
    put(root, "memory/docker/abc/memory.limit_in_bytes", "268435456")
    put(root, "memory/memory.limit_in_bytes", "9223372036854771712")
    put(root, "cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "25000")
    put(root, "cpu,cpuacct/docker/abc/cpu.cfs_period_us", "100000")
    assert machines.memory_limit(root) == 256 * 2**20
    assert machines.usable_cores(root) == 0.25


def test_without_a_limit_the_machine_s_memory_is_the_limit(groups):
    root = groups("0::/\n")
    assert machines.memory_limit(root) is None
    assert machines.usable_cores(root) == len(os.sched_getaffinity(0))
    assert machines.Machine().memory_limit <= psutil.virtual_memory().total


def test_memory_is_what_the_system_says():
    told = Monitor().memory()
    assert told["rssMB"] * 2**20 == pytest.approx(psutil.Process().memory_info().rss, rel=0.05)
    assert 0 < told["heapUsedMB"] <= told["rssMB"]


WORKS = """
import time
from nexus_middleware.services.monitor.machine import Machine
machine = Machine()
for _ in range(3):
    machine.sample()
    print(machine.percent, flush=True)
    input()
    until = time.process_time() + 0.4
    while time.process_time() < until: pass
"""


def test_the_processor_s_share_is_what_psutil_reads_from_outside():
    child = subprocess.Popen([sys.executable, "-c", WORKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    outside, seen, told = psutil.Process(child.pid), [], []
    for _ in range(3):
        told.append(child.stdout.readline().strip())
        seen.append((time.monotonic(), sum(outside.cpu_times()[:2])))
        child.stdin.write("\n")
        child.stdin.flush()
    child.communicate(timeout=30)

    assert told[0] == "None"
    for (began, before), (ended, after), percent in zip(seen, seen[1:], told[1:], strict=False):
        share = (after - before) / (ended - began) / machines.usable_cores() * 100
        assert share == pytest.approx(float(percent), abs=5)
        assert float(percent) > 1


def test_no_request_measures_the_machine(monkeypatch, clock):
    monitor = Monitor(clock=clock)
    monitor.tick(clock.now)
    monkeypatch.setattr(psutil.Process, "memory_info", lambda self: pytest.fail("asked while somebody waits"))
    monkeypatch.setattr(psutil.Process, "cpu_times", lambda self: pytest.fail("asked while somebody waits"))
    assert monitor.health()["memory"]["rssMB"] > 0


def test_a_loop_that_opens_before_the_knock_is_over_is_not_taken_for_one_that_never_does():
    class Prompt:
        def call_soon_threadsafe(self, opened, sent):
            opened(sent)  # as a loop in another thread may, before the knocking one goes on

    now, noted = [0.0], []
    watch = LoopWatch(noted.append, clock=lambda: now[0])
    watch.watch(Prompt())
    for _ in range(3):
        watch.knock()
        now[0] += 60.0

    assert noted == [0.0, 0.0, 0.0]


def test_a_loop_that_is_blocked_is_late_by_that_long(clock):
    async def run():
        seconds = []
        watch = LoopWatch(seconds.append, clock=clock)
        watch.watch(asyncio.get_running_loop())
        watch.knock()
        clock.now += 3  # the loop does something else meanwhile
        watch.knock()
        clock.now += 1
        await asyncio.sleep(0)
        watch.knock()
        await asyncio.sleep(0)
        return seconds

    assert asyncio.run(run()) == [3, 4, 0]


def test_a_loop_that_is_closed_is_watched_no_more():
    seconds = []
    watch = LoopWatch(seconds.append)
    loop = asyncio.new_event_loop()
    watch.watch(loop)
    loop.close()
    watch.knock()
    watch.knock()
    assert seconds == []


def test_what_is_under_way_is_counted_and_what_has_ended_is_not(asgi_door):
    seen = []
    app = Origin(lambda path, headers: seen.append(len(nexus.monitor.running)) or Answer(fails=path == "/fails"))
    nexus = Nexus(app.asgi, Settings(log_level="error"))
    asgi_door.get(nexus, "/a")
    with pytest.raises(RuntimeError):
        asgi_door.get(nexus, "/fails")
    assert seen == [1, 1]
    assert nexus.monitor.running == {}
    asgi_door.loop.run_until_complete(nexus.runtime.aclose())


def test_a_forked_process_does_not_tell_what_its_parent_counted(redis_url, clock):
    monitor = Monitor(RedisStore(redis_url, budget=5), clock=clock)
    monitor.track_api("GET /a", 5, 200)
    name = monitor.counts.name
    monitor.counts.pid -= 1  # as a child finds it
    monitor.tick(clock.now)
    assert monitor.counts.name != name
    assert monitor.health()["api"]["requestCount"] == 0
    monitor.store.close()


def test_a_new_release_is_marked_once(redis_url, clock):
    for release in ("1.0", "1.0", "1.1"):
        monitor = Monitor(RedisStore(redis_url, budget=5), clock=clock, release=release)
        clock.now += 2
        monitor.tick(clock.now)
        deploys = monitor.history.series("1h")["deploys"]
        monitor.store.close()
    assert [mark["release"] for mark in deploys] == ["1.1", "1.0"]


def test_cached_health_is_measured_anew_when_it_is_old(clock):
    monitor = Monitor(clock=clock)
    first = monitor.cached_health()
    monitor.track_api("GET /a", 5, 200)
    assert monitor.cached_health() is first
    clock.now += 10
    assert monitor.cached_health()["api"]["requestCount"] == 1
