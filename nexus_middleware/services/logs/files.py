"""Log files that several processes write and that are rotated by size, without losing or tearing a line."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Generator
from pathlib import Path

LARGEST = 5 * 2**20  # bytes
KEPT = 5  # old files
PATIENCE = 0.5  # seconds for which a lock is waited for; one that is held longer belongs to a process that was stopped
AGAIN = 10.0  # seconds until it is waited for again


class RotatingFile:
    """A file that every process appends to; who finds that it would grow too large moves it to `name.1` first.

    Args:
        path: The file; its folder is made.
        largest: Bytes that it does not exceed, unless a single batch of lines does.
        kept: How many old ones stay.
    """

    def __init__(self, path: Path, *, largest: int = LARGEST, kept: int = KEPT) -> None:
        self._path, self._largest, self._kept = path, largest, kept
        self._lock_path = path.with_name(f".{path.name}.lock")
        self._file = self._lock = -1
        self._pid = 0
        self._hopeless = 0.0  # until then, the lock is not waited for

    def write(self, lines: bytes) -> None:
        """Append whole lines: all of them or, where the disk is full, none.

        Raises:
            OSError: the disk is full, or the folder not writable.
        """
        if self._pid != os.getpid():  # a lock that was inherited would be held for the parent too
            self._pid, self._file, self._lock = os.getpid(), -1, -1
        with self._alone() as alone:
            file = self._current()
            size = os.fstat(file).st_size
            if alone and size and size + len(lines) > self._largest:
                self._rotate()
                file, size = self._current(), 0
            written = os.write(file, lines)
            if written != len(lines):
                self._finish(file, lines[written:], size, alone=alone)

    def _finish(self, file: int, rest: bytes, size: int, *, alone: bool) -> None:
        """Write what did not go at once; if that fails, take back what did, or a line would be torn."""
        try:
            while rest:
                rest = rest[os.write(file, rest) :]
        except OSError:
            if alone:
                os.ftruncate(file, size)
            raise

    def close(self) -> None:
        """Close the file; a later `write` opens it again."""
        for file in (self._file, self._lock):
            if file >= 0 and self._pid == os.getpid():
                os.close(file)
        self._file = self._lock = -1

    @contextlib.contextmanager
    def _alone(self) -> Generator[bool]:
        """Keep the other processes from writing; False if one of them holds the lock and does not go on."""
        if self._lock < 0:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self._lock_path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
        held = self._locked()
        try:
            yield held
        finally:
            if held:
                fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _locked(self) -> bool:
        began = time.monotonic()
        while not _locked(self._lock):
            now = time.monotonic()
            if now < self._hopeless:
                return False
            if now - began > PATIENCE:
                self._hopeless = now + AGAIN
                return False
            time.sleep(0.001)
        return True

    def _current(self) -> int:
        """Return the open file, opened anew if another process has moved it away."""
        if self._file >= 0 and not self._same():
            os.close(self._file)
            self._file = -1
        if self._file < 0:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        return self._file

    def _same(self) -> bool:
        try:
            there, here = self._path.stat(), os.fstat(self._file)
        except FileNotFoundError:
            return False
        return (there.st_ino, there.st_dev) == (here.st_ino, here.st_dev)

    def _rotate(self) -> None:
        for number in range(self._kept, 0, -1):
            older = numbered(self._path, number - 1)
            if older.exists():
                older.replace(numbered(self._path, number))


def numbered(path: Path, number: int) -> Path:
    """Return where an old file lies; number 0 is the present one."""
    return path.with_name(f"{path.name}.{number}") if number else path


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
