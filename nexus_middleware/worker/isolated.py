"""Isolated jobs: each is run in a forked process of its own, by a process that has no threads and so may fork."""

from __future__ import annotations

import argparse
import base64
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import NexusError
from ..services.jobs.claims import Claim
from ..services.queues import Queues
from .apps import load_queues
from .runs import Canceled, Outcome, again, in_words, perform

PATIENCE = 2.0  # seconds in which the forking process may end by itself
LARGEST = 2**20  # bytes of an answer


class Isolated:
    """The child's end: hands jobs to the forking process, which is started with the first one.

    Args:
        app: As given to `--app`.
    """

    def __init__(self, app: str) -> None:
        self._app, self._folder = app, Path.cwd()  # a job may leave the folder in which the app was found
        self._process: subprocess.Popen[bytes] | None = None

    def perform(self, claim: Claim, limit: float) -> Outcome:
        """Run the job of `claim`; after `limit` seconds end its process and all that it started."""
        process = self._started()
        try:
            _pipe(process.stdin).write(_order(claim))
            _pipe(process.stdin).flush()
            answer = _read_line(_pipe(process.stdout), limit)
        except Canceled:
            self.close()
            return Outcome("canceled", "canceled while it ran")
        except (OSError, TimeoutError) as error:
            self.close()
            if isinstance(error, TimeoutError):
                return again(claim.job.retries_left or 0, "the job could not be interrupted, and its process was ended")
            return Outcome("died", "the process that forks died")
        if not answer:
            self.close()
            return Outcome("died", "the process that forks died")
        return Outcome(**json.loads(answer))

    def close(self) -> None:
        """End the forking process, the job that it runs, and all that this started."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            try:
                _pipe(pipe).close()
            except OSError:  # it is gone, and with it what was still to be told
                continue
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            command = [sys.executable, "-m", "nexus_middleware.worker.isolated", "--app", self._app]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self._folder)  # noqa: S603
        return self._process


def _pipe(pipe: Any) -> BinaryIO:
    return pipe  # type: ignore[no-any-return]  # both are pipes


def _order(claim: Claim) -> bytes:
    fields = {name: base64.b64encode(value).decode() for name, value in claim.fields.items()}
    order = {"queue": claim.queue, "member": claim.member, "waited": claim.waited, "fields": fields}
    return json.dumps(order).encode() + b"\n"


def _read_line(pipe: BinaryIO, limit: float) -> bytes:
    until, line = time.monotonic() + limit, b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([pipe], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            raise TimeoutError
        part = os.read(pipe.fileno(), 65_536)
        if not part:
            return b""
        line += part
    return line


class Forker:
    """The forking process: one job at a time, for as long as its child wants.

    Args:
        queues: What is served.
        orders: Where jobs come from.
        answers: Where it is told how they ended.
    """

    def __init__(self, queues: Queues, orders: int, answers: int) -> None:
        self._queues, self._orders, self._answers = queues, orders, answers

    def run(self) -> None:
        """Fork for each job until there are no more orders; in the fork, run the job and return."""
        with os.fdopen(self._orders, "rb", buffering=0) as orders:
            while line := orders.readline():
                reading, writing = os.pipe()
                pid = os.fork()
                if not pid:
                    os.close(reading)
                    os.setpgid(0, 0)  # so that what it starts can be ended with it
                    self._work(json.loads(line), writing)
                    return
                os.close(writing)
                self._await(pid, reading)

    def _work(self, order: dict[str, Any], writing: int) -> None:
        fields = {name: base64.b64decode(value) for name, value in order["fields"].items()}
        claim = self._queues.ledger.claim(order["queue"], order["member"], order["waited"], fields)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # the child ends us, if it must be
        outcome = perform(claim, self._queues)
        answer = {"kind": outcome.kind, "text": outcome.text, "seconds": outcome.seconds}
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(json.dumps(answer).encode() + b"\n")

    def _await(self, pid: int, reading: int) -> None:
        """Pass on what the fork says, or that it died; if nobody wants to know any more, end it."""
        answer, ended = b"", None
        while ended is None:
            ready, _, _ = select.select([reading, self._orders], [], [], 1.0)
            if self._orders in ready:  # closed: an order comes only when the last one was answered
                _end(pid)
                os._exit(1)
            part = os.read(reading, LARGEST) if reading in ready else None
            answer += part or b""
            if part != b"" and not _is_over(pid):
                continue
            _, ended = os.waitpid(pid, 0)
        os.close(reading)
        _end(pid)  # what it started and left running
        if not answer.endswith(b"\n"):
            code = os.waitstatus_to_exitcode(ended)
            answer = json.dumps({"kind": "died", "text": in_words(code)}).encode() + b"\n"
        view = memoryview(answer)
        while view:
            view = view[os.write(self._answers, view) :]


def _is_over(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:  # nobody is left
        return


def main() -> int:
    """Fork for jobs; started by a child, whose pipes are our standard input and output."""
    parser = argparse.ArgumentParser(prog="nexus worker (isolated jobs)")
    parser.add_argument("--app", default="")
    given = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the child ends us, by closing our orders
    orders, answers = os.dup(0), os.dup(1)
    os.dup2(2, 1)  # what jobs print is no answer
    try:
        Forker(load_queues(given.app), orders, answers).run()
    except NexusError as error:
        sys.stderr.write(f"nexus worker: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
