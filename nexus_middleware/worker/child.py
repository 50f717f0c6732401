"""A worker's child: takes one job after another, until it is told to stop."""

from __future__ import annotations

import argparse
import os
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from ..errors import NexusError, StoreError
from ..rules.buckets import bucket
from ..rules.retries import RETRIES
from ..services.jobs.claims import Claim
from ..services.logs import Log
from ..services.queues import Queues
from .apps import load_queues
from .isolated import Isolated
from .runs import Canceled, Outcome, name_of, perform

BEAT = 2.0  # seconds
GRACE = 10.0  # seconds that a job may overrun, or that the store may be away at the end
SHORT = 0.05  # seconds: Redis itself is no more exact in how long it waits
NO_TURN = 60.0  # seconds: what is told when no queue waits for its turn
THREADS = 3.0  # seconds in which threads that jobs have left may end with their process
STUCK = 70  # the exit code of a child whose job cannot be interrupted
DRY = 71  # the exit code of a child of `--burst` that finds no job
MOST_JOBS = 1_000  # then a fresh process takes over, which gives back what jobs have leaked
MOST_MEMORY = 256 * 2**20  # bytes: so does it when this process has held so much, or 128 MiB more than at its start


class Child:
    """Runs jobs in the main thread; another tells Redis that it lives.

    Args:
        queues: What to serve.
        name: How it is known in Redis.
        parent: The supervisor's process, without which nobody would stop a child, or start another.
        served: The queues, the first of them first; () for all.
        burst: End when no job waits.
        app: As given to `--app`, for the processes of isolated jobs.
    """

    def __init__(
        self,
        queues: Queues,
        name: str,
        *,
        parent: int,
        served: Sequence[str] = (),
        burst: bool = False,
        app: str = "",
    ) -> None:
        self._queues, self._name = queues, name
        self._served, self._burst = tuple(served) or queues.jobs.queues, burst
        self._isolated = Isolated(app)
        self._dry = False
        self._doomed = ""  # the run that is to be stopped
        self._running = False
        self._memory = max(MOST_MEMORY, memory() + MOST_MEMORY // 2)
        self._ledger = queues.ledger
        self._log = Log(queues.settings).bind(kind="queue", worker=name)
        self._stopping = threading.Event()  # after this job
        self._ended = threading.Event()
        self._claim: Claim | None = None
        self._deadline = float("inf")  # of the job that runs, on the monotonic clock
        self._counts = {"done": 0, "retry": 0, "later": 0, "failed": 0, "canceled": 0}
        self._parent = parent

    def run(self) -> int:
        """Work until told to stop, the supervisor is gone, or it is another's turn; the exit code."""
        self._listen()
        heart = threading.Thread(target=self._beat_on, name="nexus-heart", daemon=True)
        heart.start()
        while self._wanted() and not self._dry and not self._spent():
            try:
                self._next()
            except StoreError as error:
                self._log.warning("the queues' store is away", reason=str(error))
                self._stopping.wait(1.0)
        self._ended.set()
        heart.join(BEAT)
        self._leave()
        return DRY if self._dry else 0

    def _listen(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the supervisor, which tells us
        signal.signal(signal.SIGTERM, lambda *_: self._stopping.set())
        signal.signal(signal.SIGUSR1, self._cancel)

    def _wanted(self) -> bool:
        return not self._stopping.is_set() and os.getppid() == self._parent

    def _spent(self) -> bool:
        return sum(self._counts.values()) >= MOST_JOBS or memory() > self._memory

    def _cancel(self, *_: object) -> None:
        if self._running and self._claim is not None and self._claim.member == self._doomed:
            self._running = False
            raise Canceled

    def _next(self) -> None:
        claim = self._ledger.fetch(self._name, fair(self._served))
        if not isinstance(claim, Claim):
            self._idle(claim)
            return
        self._claim = claim
        self._deadline = time.monotonic() + (claim.job.timeout or 180) + GRACE
        began = time.monotonic()
        try:
            outcome = self._perform(claim)
        finally:
            self._deadline = float("inf")
        self._report(claim, outcome, began)
        self._claim = None

    def _perform(self, claim: Claim) -> Outcome:
        known = self._queues.jobs.jobs.get(name_of(claim))
        self._running = True
        try:
            if known is not None and known.isolated:
                self._deadline += GRACE  # the process of the job is ended first
                return self._isolated.perform(claim, known.timeout + GRACE)
            return perform(claim, self._queues)
        except Canceled:  # it came between the lines
            return Outcome("canceled", "canceled while it ran")
        finally:
            self._running = False
            self._listen()  # whatever the job did to our signals

    def _idle(self, soonest: float) -> None:
        """Wait for the bell, or for the turn of a queue that has a rate."""
        self._dry = self._burst and soonest >= NO_TURN
        if self._dry:
            return
        if soonest < SHORT:
            self._stopping.wait(soonest)
        else:
            self._ledger.wait(min(1.0, soonest))

    def _report(self, claim: Claim, outcome: Outcome, began: float) -> None:
        """Write down how it ended, however long the store is away; only at the end of the worker that is given up."""
        run = time.monotonic() - began
        first = claim.job.retries_left == RETRIES  # a retry waits on purpose
        times = f"{claim.waited * 1000:.1f}:{run * 1000:.1f}" if first else f":{run * 1000:.1f}"
        buckets = (bucket(claim.waited) if first else None, bucket(run))
        note = None if outcome.kind in ("done", "later") else self._note(claim, outcome, run)
        give_up = float("inf")
        while time.monotonic() < give_up:
            try:
                kept = self._ledger.finish(
                    self._name,
                    claim,
                    outcome.kind,
                    outcome.text,
                    seconds=outcome.seconds,
                    times=times,
                    buckets=buckets,
                    note=note,
                )
            except StoreError:
                give_up = give_up if self._wanted() else min(give_up, time.monotonic() + GRACE)
                time.sleep(0.5)
            else:
                self._tell(claim, outcome, run * 1000, kept=kept)
                return

    def _note(self, claim: Claim, outcome: Outcome, run: float) -> dict[str, Any]:
        began = claim.job.started_at or datetime.now(UTC)
        return {
            "attempt": RETRIES - (claim.job.retries_left or 0) + 1,
            "outcome": outcome.kind,
            "worker": self._name,
            "startedAt": began.isoformat(timespec="milliseconds"),
            "ms": round(run * 1000, 1),
            "error": outcome.text,
        }

    def _tell(self, claim: Claim, outcome: Outcome, run: float, *, kept: bool) -> None:
        self._counts[outcome.kind] = self._counts.get(outcome.kind, 0) + 1
        facts: dict[str, Any] = {"job": claim.job.id, "queue": claim.queue, "ms": round(run, 1)}
        if not kept:
            self._log.warning("a job was taken over by another worker while it ran", **facts)
        elif outcome.kind in ("done", "canceled"):
            self._log.info(f"job {outcome.kind}", **facts)
        else:
            facts |= {"seconds": round(outcome.seconds, 2), "reason": outcome.text}
            if outcome.kind in ("failed", "died"):
                self._log.error(f"job {outcome.kind}", **facts)
            else:
                self._log.warning("job put off" if outcome.kind == "later" else "job to be retried", **facts)

    def _beat_on(self) -> None:
        ledger = self._ledger.again()
        started = datetime.now(UTC).isoformat(timespec="seconds")
        served = " ".join(self._served)
        facts: dict[str, str | int] = {"pid": os.getpid(), "host": socket.gethostname(), "started": started}
        while True:
            claim = self._claim
            try:
                told = {**facts, **self._counts, "queues": served, "memory": memory()}
                if ledger.beat(self._name, claim, told) and claim is not None:
                    self._doomed = claim.member
                    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
            except StoreError as error:
                self._log.debug("no heartbeat", reason=str(error))
            except Exception as error:  # noqa: BLE001  # without a heart, the job would be given to another
                self._log.error("a heartbeat failed", error)
            if self._ended.wait(BEAT):
                break
            self._look()
        ledger.close()

    def _look(self) -> None:
        if time.monotonic() > self._deadline:
            self._log.error("a job cannot be interrupted: its worker ends, and it is run again")
            self._log.writer.flush()
            os._exit(STUCK)

    def _leave(self) -> None:
        try:
            self._ledger.rescue(worker=self._name)  # takes our name off the list of workers
        except StoreError:
            self._log.warning("the store is away: this worker is listed for half a minute more")
        self._isolated.close()
        self._queues.close()
        self._log.writer.flush()


def fair(queues: Sequence[str]) -> Sequence[str]:
    """Return `queues` in their order, or one time in eight from a random one on, so that none starves.

    >>> sorted(fair(("a", "b")))
    ['a', 'b']
    """
    start = random.randrange(len(queues)) if random.random() < 1 / 8 else 0  # noqa: S311  # no secret
    return [*queues[start:], *queues[:start]]


def memory() -> int:
    """Return the most that this process has held, in bytes."""
    import resource  # not on Windows

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def main() -> int:
    """Run a child; for the supervisor, which checked everything before."""
    parser = argparse.ArgumentParser(prog="nexus worker (child)")
    parser.add_argument("--name", required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--app", default="")
    parser.add_argument("--queues", default="")
    parser.add_argument("--burst", action="store_true")
    given = parser.parse_args()
    served = [name for name in given.queues.split(",") if name]
    try:
        queues = load_queues(given.app)
        child = Child(queues, given.name, parent=given.parent, served=served, burst=given.burst, app=given.app)
        code = child.run()
    except NexusError as error:
        sys.stderr.write(f"nexus worker: {error}\n")
        return 2
    leave = threading.Timer(THREADS, os._exit, (code,))
    leave.daemon = True
    leave.start()
    return code


if __name__ == "__main__":
    sys.exit(main())
