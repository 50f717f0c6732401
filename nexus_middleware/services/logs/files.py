"""Log files that several processes write and that are rotated by size, without losing a line."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

LARGEST = 5 * 2**20  # bytes
KEPT = 5  # old files


class RotatingFile:
    """A file that every process appends to; who finds it too large moves it to `name.1`, under a lock.

    Args:
        path: The file; its folder is made.
        largest: Bytes from which on it is rotated.
        kept: How many old ones stay.
    """

    def __init__(self, path: Path, *, largest: int = LARGEST, kept: int = KEPT) -> None:
        self._path, self._largest, self._kept = path, largest, kept
        self._file: int | None = None
        self._pid = 0

    def write(self, lines: bytes) -> None:
        """Append whole lines.

        Raises:
            OSError: the disk is full, or the folder not writable.
        """
        file = self._current()
        while lines:
            lines = lines[os.write(file, lines) :]
        if os.fstat(file).st_size >= self._largest:
            self._rotate()

    def close(self) -> None:
        """Close the file; a later `write` opens it again."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _current(self) -> int:
        """Return the open file, opened anew if another process has moved it away."""
        if self._file is not None and not self._same():
            self.close()
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        return self._file

    def _same(self) -> bool:
        try:
            return self._path.stat().st_ino == os.fstat(self._file or 0).st_ino
        except FileNotFoundError:
            return False

    def _rotate(self) -> None:
        lock = os.open(self._path.with_name(f".{self._path.name}.lock"), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._same() and self._path.stat().st_size >= self._largest:  # nobody has been faster
                for number in range(self._kept, 0, -1):
                    older = self._numbered(number - 1) if number > 1 else self._path
                    if older.exists():
                        older.replace(self._numbered(number))
        finally:
            os.close(lock)
        self.close()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
