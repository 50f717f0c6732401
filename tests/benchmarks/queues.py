"""Jobs a second of one worker process, beside RQ, saq and dramatiq, and what counting the queues costs."""

from __future__ import annotations

import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from nexus_middleware.services.queues import Queues
from nexus_middleware.settings import Settings
from tests.conftest import Server

ROUNDS, JOBS, SKIPPED = 3, 800, 100
APPS = "tests.benchmarks.queue_apps"
PY = sys.executable
NEXUS, RQ = "nexus worker", "rq SimpleWorker"
PEERS = {  # name -> module, command, the package it needs
    NEXUS: (f"{APPS}.ours", [PY, "-m", "nexus_middleware", "worker", "--app", f"{APPS}.ours:queues"], "rq"),
    RQ: (f"{APPS}.plain_rq", [PY, "-m", f"{APPS}.plain_rq"], "rq"),
    "saq, 10 at once": (f"{APPS}.on_saq", [PY, "-m", "saq", f"{APPS}.on_saq.settings"], "saq"),
    "dramatiq, 8 threads": (
        f"{APPS}.on_dramatiq",
        [PY, "-m", "dramatiq", "--processes", "1", "--threads", "8", f"{APPS}.on_dramatiq"],
        "dramatiq",
    ),
}
STRICT = 0.5  # ms


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="nexus-bench-") as folder:
        server = Server(Path(folder))
        try:
            _print_rates(server, Path(folder))
        finally:
            server.stop()
        _print_stats(Path(folder))


def _print_rates(server: Server, folder: Path) -> None:
    there = {name: peer for name, peer in PEERS.items() if importlib.util.find_spec(peer[2])}
    rates: dict[str, list[float]] = {name: [] for name in there}
    for _ in range(ROUNDS):
        for name, (module, command, _) in there.items():
            server.client.flushall()
            rates[name].append(_rate(server, folder, module, command))
    print(f"\n{'jobs that do nothing, one worker process':42}{'jobs/s':>9}{'x RQ':>9}   rounds")
    for name, found in rates.items():
        share = statistics.median([a / b for a, b in zip(found, rates[RQ], strict=True)])
        told = " ".join(f"{each:.0f}" for each in found)
        print(f"{name:42}{statistics.median(found):9.0f}{share:9.2f}   {told}")
    ours, share = statistics.median(rates[NEXUS]), [a / b for a, b in zip(rates[NEXUS], rates[RQ], strict=True)]
    _goal("jobs/s of a process", ours, 250, at_least=True)
    _goal("in RQ SimpleWorkers", statistics.median(share), 0.75, at_least=True)
    for name in PEERS.keys() - there.keys():
        print(f"{name} is not measured: it is not installed")
    print("arq is not measured: it needs redis-py below 6, and the package needs 8")


def _rate(server: Server, folder: Path, module: str, command: list[str]) -> float:
    """Return the jobs a second between the first hundred and the last."""
    ticks = folder / "ticks"
    ticks.unlink(missing_ok=True)
    ticks.touch()
    keep = {name: value for name, value in os.environ.items() if not name.startswith("NEXUS_")}
    environ = {**keep, "NEXUS_STORE": server.url, "TICKS": str(ticks)}
    add = f"from {module} import enqueue; enqueue({JOBS})"
    subprocess.run([PY, "-c", add], env=environ, check=True, stdout=subprocess.DEVNULL)
    worker = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        began = _until(lambda: ticks.stat().st_size >= SKIPPED)
        skipped = ticks.stat().st_size
        ended = _until(lambda: ticks.stat().st_size >= JOBS)
    finally:
        worker.terminate()
        worker.wait(20)
    return (JOBS - skipped) / (ended - began)


def _until(holds: Callable[[], bool]) -> float:
    deadline = time.monotonic() + 90
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit("a worker does not get on")
        time.sleep(0.001)
    return time.monotonic()


def _print_stats(folder: Path) -> None:
    """Count two servers' queues in turns, so that whatever slows the machine slows both."""
    sizes = (10, 200_000)
    servers = [Server(_made(folder / str(size))) for size in sizes]
    found: dict[int, list[float]] = {size: [] for size in sizes}
    try:
        all_queues = [_filled(server, size) for server, size in zip(servers, sizes, strict=True)]
        for _ in range(500):
            for size, queues in zip(sizes, all_queues, strict=True):
                began = time.perf_counter()
                queues.all_stats()
                found[size].append((time.perf_counter() - began) * 1000)
        for queues in all_queues:
            queues.close()
            queues.store.close()
    finally:
        for server in servers:
            server.stop()
    few, many = (statistics.median(found[size]) for size in sizes)
    print(f"\n{'all_stats of five queues':42}{'ms':>9}")
    print(f"{'with 10 jobs':42}{few:9.3f}\n{'with 200,000 jobs':42}{many:9.3f}")
    _goal("ms for the stats, with 200,000 jobs", many, STRICT, at_least=False)
    _goal("of the time with 10 jobs", many / few, 1.5, at_least=False)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _filled(server: Server, size: int) -> Queues:
    queues = Queues(server.url, settings=Settings(store=server.url))
    queues.job("tick", queue="analytics-queue")(lambda: None)
    queues.enqueue_many("tick", [{}] * size)
    return queues


def _goal(text: str, measured: float, bound: float, *, at_least: bool) -> None:
    met = measured >= bound if at_least else measured <= bound
    print(f"{text:42}{measured:9.2f}  goal {'≥' if at_least else '≤'} {bound:g}: {'met' if met else 'missed'}")


if __name__ == "__main__":
    main()
