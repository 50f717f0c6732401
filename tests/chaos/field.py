"""Where it happens: a Redis that comes and goes, a worker that is started again whenever it is gone, and a ledger."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import redis

from tests.conftest import Server, free_port

ROOT = Path(__file__).parents[2]


class LastingServer(Server):
    """A Redis that still has everything when it is started again."""

    def start(self) -> None:
        from nexus_middleware.stores.embedded import find_server

        words = f"--port {self.port} --bind 127.0.0.1 --dir {self.folder} --appendonly yes --appendfsync everysec"
        self.process = subprocess.Popen([find_server(), *words.split(), "--save", ""], stdout=subprocess.DEVNULL)
        self.client = redis.Redis(port=self.port, socket_timeout=5)
        deadline = time.monotonic() + 10
        while True:
            try:
                self.client.ping()
            except redis.RedisError:
                assert time.monotonic() < deadline, "the server did not start"
                time.sleep(0.01)
            else:
                return


class Field:
    """One run: the server, the worker, the ledger.

    Args:
        folder: Of the run's own.
        command: What starts the worker.
        seed: Of what happens when.
    """

    def __init__(self, folder: Path, command: list[str], *, seed: int = 1) -> None:
        self.folder, self.ledger = folder, folder / "ledger"
        self.ledger.touch()
        self.server = LastingServer(folder, port=free_port())
        self.random = random.Random(seed)
        self.command = command
        keep = {name: value for name, value in os.environ.items() if not name.startswith("NEXUS_")}
        self.environ = {**keep, "PYTHONPATH": str(ROOT), "CHAOS_LEDGER": str(self.ledger)}
        self.worker: subprocess.Popen[bytes] | None = None
        self.kills: list[float] = []
        self.outages: list[tuple[float, float]] = []
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        """Start the worker, and start it again whenever it is gone, as a supervisor of services does."""
        self._keeper.start()

    def stop(self) -> None:
        """End all."""
        self._stopping.set()
        self._keeper.join(10)
        self._end_worker()
        self.server.stop(kill=True)

    def kill(self, *, whole: bool) -> None:
        """Kill -9, once it is at work: the worker with all its children, or only the children."""
        self._await_work()
        with self._lock:
            if self.worker is None or self.worker.poll() is not None:
                return
            own = psutil.Process(self.worker.pid)
            children = own.children(recursive=True)
            for process in [*([own] if whole or not children else []), *children]:
                _kill(process.kill)
            self.kills.append(time.time())

    def _await_work(self) -> None:
        """Wait until a job was begun since the last kill, 20 s at the most: who starts slowly is not to be killed idle."""
        last, deadline = self.kills[-1] if self.kills else 0.0, time.monotonic() + 20
        while time.monotonic() < deadline:
            if any(at > last and what == "start" for at, what, _ in self.lines()[-20:]):
                return
            time.sleep(0.05)

    def restart_redis(self, seconds: float) -> None:
        """Stop Redis, and start it again after so many seconds."""
        began = time.time()
        self.server.stop()
        time.sleep(seconds)
        self.server.start()
        self.outages.append((began, time.time()))

    def lines(self) -> list[tuple[float, str, str]]:
        """What the jobs wrote down: when, what, which."""
        return [(float(at), what, number) for at, what, number in map(str.split, self.ledger.read_text().splitlines())]

    def counts(self, what: str) -> Counter[str]:
        """How often each job did it."""
        return Counter(number for _, each, number in self.lines() if each == what)

    def renew(self) -> None:
        """Ask the worker to end, so that a new one takes over."""
        if self.worker is not None:
            self.worker.terminate()

    def _keep(self) -> None:
        with (self.folder / "worker.log").open("ab") as out:
            while not self._stopping.wait(0.05):
                with self._lock:
                    if self.worker is None or self.worker.poll() is not None:
                        self.worker = subprocess.Popen(
                            self.command,
                            cwd=self.folder,
                            env=self.environ,
                            stdout=out,
                            stderr=out,
                            start_new_session=True,
                        )

    def _end_worker(self) -> None:
        if self.worker is None:
            return
        if self.worker.poll() is None:
            for process in psutil.Process(self.worker.pid).children(recursive=True):
                _kill(process.kill)
        _kill(lambda: os.killpg(self.worker.pid, signal.SIGKILL))  # those too whose parent has gone
        self.worker.wait()


def _kill(deed: Callable[[], object]) -> None:
    try:
        deed()
    except (psutil.NoSuchProcess, ProcessLookupError):  # it has gone by itself
        return


def longest_rescue(field: Field) -> float:
    """Return the longest time from a run that was cut off to the next run of its job, in seconds."""
    began: dict[str, float] = {}
    longest = 0.0
    for at, what, number in field.lines():
        if what == "start":
            longest = max(longest, at - began[number]) if number in began else longest
            began[number] = at
        else:
            began.pop(number, None)  # it ended by itself
    return longest


def work_again(field: Field) -> list[float]:
    """Return the seconds from each kill to the next begin of any job: what the machine and the start of a worker take."""
    starts = [at for at, what, _ in field.lines() if what == "start"]
    following = [next((at for at in starts if at > kill), None) for kill in field.kills]
    return sorted(at - kill for kill, at in zip(field.kills, following, strict=True) if at is not None)


PYTHON = sys.executable
