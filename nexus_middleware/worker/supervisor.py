"""The worker's parent: starts children and starts them again, moves jobs that are due, rescues those of the dead."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from ..errors import StoreError
from ..services.jobs.ledger import Ledger
from ..services.logs import Log
from ..services.queues import Queues
from ..services.queues.schedules import Schedules
from .child import DRY, STUCK
from .runs import in_words

SHORTEST, LONGEST = 1.0, 30.0  # seconds before a child that died is started again
SETTLED = 10.0  # seconds after which a child counts as well: so does one that had a job, which it may not outlive
SWEEP = 5.0  # seconds
AFTER_OUTAGE = 10.0  # seconds that workers are given to report, when the store is back


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What a supervisor is to do."""

    app: str = ""  # as given to `--app`
    queues: tuple[str, ...] = ()  # () for all
    processes: int = 1  # children
    burst: bool = False  # end when no job waits
    parent: int = 0  # the process that started us, without which there is no work to do; 0 for any
    ready: Path | None = None  # a file that is there while jobs can be run


class Slot:
    """The place of one child."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.name = ""
        self.born = 0.0
        self.pause = 0.0
        self.due = 0.0
        self.told = 0  # signals passed on


class Supervisor:
    """Keeps children at work until it is told to stop.

    The first SIGTERM or SIGINT lets each child finish its job; the second ends them at once, and their jobs are put
    back.

    Args:
        queues: What is served.
        orders: How.
    """

    def __init__(self, queues: Queues, orders: Orders | None = None) -> None:
        self._orders = orders or Orders()
        self._ledger = queues.ledger
        self._log = Log(queues.settings).bind(kind="queue")
        self._slots = [Slot() for _ in range(self._orders.processes)]
        self._signals = 0
        self._me = f"{socket.gethostname()}-{os.getpid()}-"
        self._keeper = Keeper(queues, self._log, ready=self._orders.ready, children=self._me)

    def run(self) -> None:
        """Work until told to stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hear)
        self._keeper.start()
        self._log.info("worker ready", store=self._ledger.where, processes=len(self._slots), pid=os.getpid())
        try:
            while self._tick():
                time.sleep(0.05)
        finally:
            for slot in self._slots:
                if slot.process is not None:
                    slot.process.kill()
                    slot.process.wait()
            self._keeper.stop()
            self._log.info("worker stopped")
            self._log.writer.flush()

    def _hear(self, *_: object) -> None:
        self._signals += 1

    def _tick(self) -> bool:
        if self._orders.parent and os.getppid() != self._orders.parent:
            self._signals = max(1, self._signals)
        for slot in self._slots:
            if slot.process is not None and slot.process.poll() is not None:
                self._ended(slot, slot.process.returncode)
            if slot.process is not None:
                self._pass_on(slot, slot.process)
            elif not self._signals and time.monotonic() >= slot.due:
                self._start(slot)
        if all(slot.due == float("inf") for slot in self._slots):
            return False  # no job waits, and nobody wants more
        return not self._signals or any(slot.process is not None for slot in self._slots)

    def _start(self, slot: Slot) -> None:
        slot.name = self._me + secrets.token_hex(4)
        words = ["--name", slot.name, "--parent", str(os.getpid()), "--app", self._orders.app]
        words += ["--queues", ",".join(self._orders.queues), *(["--burst"] if self._orders.burst else [])]
        command = [sys.executable, "-m", "nexus_middleware.worker.child", *words]
        slot.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603  # our own program
        slot.born, slot.told = time.monotonic(), 0

    def _pass_on(self, slot: Slot, process: subprocess.Popen[bytes]) -> None:
        if self._signals > slot.told:
            slot.told = self._signals
            process.terminate() if slot.told == 1 else process.kill()

    def _ended(self, slot: Slot, code: int) -> None:
        now = time.monotonic()
        slot.process = None
        if code in (0, DRY):
            slot.pause, slot.due = 0.0, float("inf") if code == DRY else 0.0
            return
        why = "it could not be interrupted when its time was up" if code == STUCK else in_words(code)
        try:
            rescued = self._ledger.rescue(worker=slot.name, why=why)
        except StoreError:
            rescued = 0  # the sweep will find it
        well = rescued or now - slot.born > SETTLED
        slot.pause = SHORTEST if well else min(LONGEST, max(SHORTEST, slot.pause * 2))
        slot.due = now + slot.pause
        if not self._signals:
            self._log.warning("a worker died", worker=slot.name, reason=why, rescued=rescued, restart_in=slot.pause)


class Keeper:
    """A thread that moves due jobs several times a second, and sweeps for the jobs of dead workers.

    Args:
        queues: What is kept.
        log: Where it tells of what it does.
        ready: A file that is there while a child is.
        children: What the names of the children begin with.
    """

    def __init__(self, queues: Queues, log: Log, *, ready: Path | None = None, children: str = "") -> None:
        self._ready, self._children = ready, children
        self._ledger: Ledger = queues.ledger.again()
        self._schedules = Schedules(self._ledger, queues.jobs)
        self._queues, self._log = queues.jobs.queues, log
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nexus-keeper", daemon=True)
        self._next_sweep = 0.0
        self._away = False

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop it and wait for its end, 5 s at the most."""
        self._stopping.set()
        self._thread.join(5.0)
        self._ledger.close()
        if self._ready is not None:
            self._ready.unlink(missing_ok=True)

    def _run(self) -> None:
        wait = 0.0
        while not self._stopping.wait(wait):
            try:
                wait = self._keep()
            except StoreError as error:
                if self._ready is not None:
                    self._ready.unlink(missing_ok=True)
                if not self._away:
                    self._log.warning("the queues' store is away", reason=str(error))
                self._away, wait = True, 0.5
            except Exception as error:  # noqa: BLE001  # without this thread no retry would ever come
                self._log.error("keeping the queues failed", error)
                wait = 1.0

    def _keep(self) -> float:
        due = self._ledger.due(self._queues)
        if due.schedules:
            self._schedules.tick(due.schedules, now=due.now)
        now = time.monotonic()
        if self._away:
            self._away, self._next_sweep = False, now + AFTER_OUTAGE
            self._log.info("the queues' store is back")
        if now >= self._next_sweep:
            self._next_sweep = now + SWEEP
            rescued = self._ledger.rescue(self._queues)
            if rescued:
                self._log.warning("jobs of dead workers were put back", jobs=rescued)
            self._ledger.sample(self._queues)
            self._tell_ready()
        if self._ready is not None and not self._ready.exists():
            self._tell_ready()
        return max(0.01, min(0.25, due.soonest))

    def _tell_ready(self) -> None:
        if self._ready is None:
            return
        if self._ledger.alive(self._children):
            self._ready.touch()
        else:
            self._ready.unlink(missing_ok=True)
