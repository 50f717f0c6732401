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

from ..errors import StoreError
from ..services.jobs.ledger import Ledger
from ..services.logs import Log
from ..services.queues import Queues
from ..services.queues.schedules import Schedules

SHORTEST, LONGEST = 1.0, 30.0  # seconds before a child that died is started again
SETTLED = 60.0  # seconds after which a child counts as well
SWEEP = 5.0  # seconds
AFTER_OUTAGE = 10.0  # seconds that workers are given to report, when the store is back


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
        app: As given to `--app`, for the children.
        processes: How many children.
        parent: The process that started us, without which there is no work to do; 0 for any.
    """

    def __init__(self, queues: Queues, *, app: str = "", processes: int = 1, parent: int = 0) -> None:
        self._parent = parent
        self._ledger, self._app = queues.ledger, app
        self._log = Log(queues.settings).bind(kind="queue")
        self._slots = [Slot() for _ in range(processes)]
        self._signals = 0
        self._keeper = Keeper(queues, self._log)

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
        if self._parent and os.getppid() != self._parent:
            self._signals = max(1, self._signals)
        for slot in self._slots:
            if slot.process is not None and slot.process.poll() is not None:
                self._ended(slot, slot.process.returncode)
            if slot.process is not None:
                self._pass_on(slot, slot.process)
            elif not self._signals and time.monotonic() >= slot.due:
                self._start(slot)
        return not self._signals or any(slot.process is not None for slot in self._slots)

    def _start(self, slot: Slot) -> None:
        slot.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        words = ["--name", slot.name, "--parent", str(os.getpid()), "--app", self._app]
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
        if code == 0:
            slot.pause = slot.due = 0.0
            return
        slot.pause = SHORTEST if now - slot.born > SETTLED else min(LONGEST, max(SHORTEST, slot.pause * 2))
        slot.due = now + slot.pause
        try:
            rescued = self._ledger.rescue(worker=slot.name)
        except StoreError:
            rescued = 0  # the sweep will find it
        if not self._signals:
            self._log.warning("a worker died", worker=slot.name, code=code, rescued=rescued, restart_in=slot.pause)


class Keeper:
    """A thread that moves due jobs several times a second, and sweeps for the jobs of dead workers."""

    def __init__(self, queues: Queues, log: Log) -> None:
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

    def _run(self) -> None:
        wait = 0.0
        while not self._stopping.wait(wait):
            try:
                wait = self._keep()
            except StoreError as error:
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
        return max(0.01, min(0.25, due.soonest))
