"""Read an access log in the order in which its requests came, and say how far it is."""

from __future__ import annotations

import gzip
import heapq
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from ...errors import SettingsError
from ...rules.accesslog import Visit, read_line

AHEAD = 20_000  # lines: a log is written by the end of each request, and requests overlap
EVERY = 50_000  # lines between two looks at the clock


class Source:
    """A log file, plain or .gz.

    Raises:
        SettingsError: it cannot be opened.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.lines = self.skipped = 0
        self.first = self.last = 0.0
        try:
            self._file = self.path.open("rb")
        except OSError as error:
            raise SettingsError(f"the log {path!r} cannot be read: {error.strerror}") from error
        self._size = max(1, self.path.stat().st_size)
        self._bar = sys.stderr.isatty()

    def visits(self) -> Iterator[Visit]:
        """Go through the requests, the earliest first."""
        waiting: list[tuple[float, int, Visit]] = []
        with self._file:
            plain = self._plain()
            for self.lines, line in enumerate(plain, 1):
                visit = read_line(line)
                if self.lines % EVERY == 0:
                    self._tell()
                if visit is None:
                    self.skipped += 1
                    continue
                heapq.heappush(waiting, (visit.at, self.lines, visit))
                if len(waiting) > AHEAD:
                    yield self._noted(heapq.heappop(waiting)[2])
        while waiting:
            yield self._noted(heapq.heappop(waiting)[2])
        if self._bar:
            sys.stderr.write("\r\x1b[K")

    def _plain(self) -> BinaryIO:
        return cast("BinaryIO", gzip.open(self._file)) if self.path.suffix == ".gz" else self._file

    def _noted(self, visit: Visit) -> Visit:
        self.first = self.first or visit.at
        self.last = max(self.last, visit.at)
        return visit

    def _tell(self) -> None:
        if self._bar:
            share = min(1.0, self._file.tell() / self._size)
            bar = "█" * round(share * 30)
            sys.stderr.write(f"\r{bar:30} {share:4.0%}  {self.lines:,} lines")
            sys.stderr.flush()
