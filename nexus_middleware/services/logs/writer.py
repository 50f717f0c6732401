"""Takes log lines without waiting, and writes them a moment later from a thread of its own."""

from __future__ import annotations

import atexit
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from ...forks import THIS
from .files import RotatingFile

Line: TypeAlias = dict[str, Any]
Show: TypeAlias = Callable[[Line], str]
WAITING = 10_000  # lines; if the disk is slower than the app, the oldest go, and are counted
EVERY = 0.2  # seconds
ENCODE = msgspec.json.Encoder(enc_hook=repr).encode
ERROR = "error.log"
COMBINED = "combined.log"
PERFORMANCE = "performance.log"
_STARTING = threading.Lock()


class Writer:
    """Standard output, and three files if a folder is given.

    Args:
        folder: Of `combined.log`, `error.log` and `performance.log`; None for standard output only.
        show: How a line looks on standard output; None for JSON.
        unpack: Makes a line of what is put and is none yet, when it is written and not while a request waits.
        out: Takes the text for standard output.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        show: Show | None = None,
        out: Callable[[str], Any] | None = None,
        unpack: Callable[[Any], Line] = dict,
    ) -> None:
        self._show, self._out, self._unpack = show, out, unpack
        self._files = {name: RotatingFile(folder / name) for name in (COMBINED, ERROR, PERFORMANCE)} if folder else {}
        self._waiting: deque[Any] = deque(maxlen=WAITING)
        self._taken = self._written = 0
        self.dropped = 0
        self._lock = threading.Lock()
        self._pid = 0

    def put(self, line: Any) -> None:
        """Take a line, or what `unpack` makes one of; what it holds must be JSON, and is not changed after."""
        if self._pid != THIS.pid:
            self._start()
        self._taken += 1
        self._waiting.append(line)

    def flush(self) -> None:
        """Write all that waits; for the end of the process, and for tests."""
        with self._lock:
            lines: list[Line] = []
            while self._waiting:
                line = self._waiting.popleft()
                lines.append(line if type(line) is dict else self._unpack(line))
            if lines:
                self._write(lines)

    def _start(self) -> None:
        """Begin to write; in a forked process again, without what its parent still has to write."""
        with _STARTING:
            if self._pid == THIS.pid:
                return
            if self._pid:
                self._lock = threading.Lock()  # the parent's thread may have held it as it forked
                self._waiting.clear()
            self._pid = THIS.pid
        threading.Thread(target=self._run, name="nexus-logs", daemon=True).start()
        atexit.register(self.flush)

    def _run(self) -> None:
        while True:
            time.sleep(EVERY)
            self.flush()

    def _write(self, lines: list[Line]) -> None:
        self._written += len(lines)
        lost = self._taken - self._written - len(self._waiting)
        if lost > self.dropped:
            lines = [*lines, {"level": "warn", "event": "log lines were dropped", "count": lost - self.dropped}]
            self.dropped = lost
        encoded = [ENCODE(line) for line in lines]
        shown = "\n".join(map(self._show, lines)) if self._show else b"\n".join(encoded).decode()
        (self._out or _print)(shown + "\n")
        for name in self._files:
            keep = KEEP[name]
            chosen = [text for line, text in zip(lines, encoded, strict=True) if keep(line)]
            if chosen:
                self._append(name, b"".join([text + b"\n" for text in chosen]))

    def _append(self, name: str, lines: bytes) -> None:
        try:
            self._files[name].write(lines)
        except OSError as error:
            sys.stderr.write(f"nexus_middleware cannot write {name}: {error}\n")


KEEP: dict[str, Callable[[Line], bool]] = {
    COMBINED: lambda line: True,
    ERROR: lambda line: line.get("level") == "error",
    PERFORMANCE: lambda line: line.get("kind") in ("request", "query", "performance"),
}


def _print(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except (OSError, ValueError):  # the pipe is closed: the files still have it
        return
