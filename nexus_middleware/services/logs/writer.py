"""Takes log lines without waiting, and writes them a moment later from a thread of its own; errors at once."""

from __future__ import annotations

import atexit
import multiprocessing.util
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias
from weakref import WeakSet

import msgspec

from ...forks import THIS
from .files import KEPT, RotatingFile
from .lines import encode

Line: TypeAlias = dict[str, Any]
Show: TypeAlias = Callable[[Line], str]
WAITING = 10_000  # lines; if the disk is slower than the app, the oldest go, and are counted
EVERY = 0.1  # seconds
MANY = 512  # lines that are not made wait for that
LATEST = 500  # lines that stay in memory, for those who look at them where there are no files
ERROR = "error.log"
COMBINED = "combined.log"
PERFORMANCE = "performance.log"
OLD = {COMBINED: KEPT, ERROR: KEPT, PERFORMANCE: 3}  # old files
_STARTING = threading.Lock()
_ALL: WeakSet[Writer] = WeakSet()


class Writer:
    """Standard output, and three files if a folder is given.

    Args:
        folder: Of `combined.log`, `error.log` and `performance.log`; None for standard output only.
        show: How a line looks on standard output; None for JSON.
        pack: Makes JSON of what is put and is no line yet, when it is written and not while a request waits.
        out: Takes the text for standard output.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        show: Show | None = None,
        out: Callable[[str], Any] | None = None,
        pack: Callable[[Iterable[Any]], list[str]] = list,
    ) -> None:
        self.folder = folder
        self._show, self._out, self._pack = show, out, pack
        self._files = {name: RotatingFile(folder / name, kept=kept) for name, kept in OLD.items()} if folder else {}
        self.latest: deque[str] = deque(maxlen=0 if folder else LATEST)
        self._lost: dict[str, int] = {}  # lines that could not be written, by file
        self._waiting: deque[Any] = deque(maxlen=WAITING)
        self._taken = self._written = 0
        self.dropped = 0
        self._lock = threading.RLock()  # a signal may come, and flush, while the main thread holds it
        self._wake = threading.Event()
        self._pid = 0
        _ALL.add(self)

    def put(self, line: Any) -> None:
        """Take a line, or what `pack` makes JSON of; what it holds must be JSON, and is not changed after."""
        if self._pid != THIS.pid:
            self._start()
        self._taken += 1
        waiting = self._waiting
        waiting.append(line)
        if len(waiting) == MANY:
            self._wake.set()

    def put_now(self, line: Line) -> None:
        """Take a line and write it, with all that waits, before returning: a killed process has told of its errors."""
        self.put(line)
        self.flush()

    def flush(self) -> None:
        """Write all that waits; for errors, for the end of the process, and for tests."""
        with self._lock:
            waiting = self._waiting
            batch = [waiting.popleft() for _ in range(len(waiting))]
            self._written += len(batch)
            lines: list[str] = []
            parts: dict[str, list[str]] = {COMBINED: lines, ERROR: [], PERFORMANCE: []}
            for kind, group in groupby(batch, type):
                if kind is dict:
                    self._sort(group, parts)
                else:
                    made = self._pack(group)
                    lines += made
                    parts[PERFORMANCE] += made
            lost = self._taken - self._written - len(waiting)
            if lost > self.dropped:
                lines.append(encode({"level": "warn", "event": "log lines were dropped", "count": lost - self.dropped}))
                self.dropped = lost
            if lines:
                self._write(parts)

    def _sort(self, group: Iterable[Line], parts: dict[str, list[str]]) -> None:
        for line in group:
            text = encode(line)
            parts[COMBINED].append(text)
            if line.get("level") == "error":
                parts[ERROR].append(text)
            if line.get("kind") in ("request", "query", "performance"):
                parts[PERFORMANCE].append(text)

    def _start(self) -> None:
        """Begin to write; in a forked process again, without what its parent still has to write."""
        with _STARTING:
            if self._pid == THIS.pid:
                return
            if self._pid:
                self._lock = threading.RLock()  # the parent's thread may have held it as it forked
                self._wake = threading.Event()
                self._waiting.clear()
                self._taken = self._written = self.dropped = 0
            self._pid = THIS.pid
        threading.Thread(target=self._run, name="nexus-logs", daemon=True).start()
        atexit.register(self.flush)
        multiprocessing.util.Finalize(None, self.flush, exitpriority=1)  # such a process ends without `atexit`

    def _run(self) -> None:
        while True:
            self._wake.wait(EVERY)
            self._wake.clear()
            self.flush()

    def _write(self, parts: dict[str, list[str]]) -> None:
        lines = parts[COMBINED]
        shown = lines if self._show is None else [self._show(msgspec.json.decode(line)) for line in lines]
        (self._out or _print)("\n".join(shown) + "\n")
        self.latest.extend(lines[-LATEST:])
        for name in self._files:
            if parts[name]:
                self._append(name, parts[name])

    def _append(self, name: str, lines: list[str]) -> None:
        try:
            for batch in _batches(lines):
                self._files[name].write(batch)
        except OSError as error:
            if not self._lost:
                _complain(
                    f"cannot write {self.folder}/{name}: {error}; lines are lost until it can:"
                    " make room, or set NEXUS_LOG_DIR (log_dir) to a folder that this process may write"
                )
            self._lost[name] = self._lost.get(name, 0) + len(lines)
        else:
            if self._lost and (lost := self._lost.pop(name, 0)):
                _complain(f"can write {self.folder}/{name} again; {lost} lines were lost")


def flush_all() -> None:
    """Write all that waits in this process's logs; for a signal that ends it, and for tests."""
    for writer in [*_ALL]:
        writer.flush()


def _batches(lines: list[str]) -> Iterator[bytes]:
    """Join lines to what is written at once: little enough that a file ends near its size."""
    for start in range(0, len(lines), MANY):
        yield ("\n".join(lines[start : start + MANY]) + "\n").encode()


def _complain(text: str) -> None:
    if sys.stderr is not None:
        try:
            sys.stderr.write(f"nexus_middleware {text}\n")
        except (OSError, ValueError):
            return  # nobody is left to be told


def _print(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except UnicodeEncodeError:  # a terminal of few characters
        sys.stdout.write(text.encode("ascii", "backslashreplace").decode())
    except (OSError, ValueError, AttributeError):  # the pipe is closed, or there is none: the files still have it
        return
