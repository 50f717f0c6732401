"""The newest lines of the log, read from the end of its files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from .files import KEPT, numbered
from .lines import LEVELS, NAMES, stamp
from .writer import COMBINED, ERROR, Writer

BLOCK = 64 * 1024  # bytes in memory at a time, and the rest of one line
MOST = 4 * 2**20  # bytes that are looked through
MOST_LINES = 1_000


class Tail(msgspec.Struct, frozen=True):
    """Some of the newest lines."""

    lines: list[dict[str, Any]]  # newest first
    complete: bool  # False: there may be more that fit, further back than was looked
    shared: bool  # of all processes; False: of this one, since there are no files


def read(writer: Writer, *, level: str, text: str, request_id: str, since: float, limit: int) -> Tail:
    """Do what `Log.tail` says."""
    fits = _filter(level, text, request_id)
    first = stamp(since) if since else ""
    rows = _Rows(writer, ERROR if level == "error" else COMBINED)
    found: list[dict[str, Any]] = []
    for row in rows:
        line = fits(row)
        if line is None:
            continue
        if str(line.get("at", "9")) < first:
            return Tail(found, True, rows.shared)
        found.append(line)
        if len(found) >= min(limit, MOST_LINES):
            return Tail(found, False, rows.shared)
    return Tail(found, rows.whole, rows.shared)


class _Rows:
    """The lines of a file and of its older ones, newest first."""

    def __init__(self, writer: Writer, name: str) -> None:
        self.shared, self.whole = writer.folder is not None, False
        self._writer, self._name = writer, name

    def __iter__(self) -> Iterator[bytes]:
        left = MOST
        if self._writer.folder is None:
            yield from [line.encode() for line in reversed(self._writer.latest)]
            self.whole = True
            return
        for number in range(KEPT + 1):
            for row, size in _backwards(numbered(self._writer.folder / self._name, number)):
                left -= size
                if left < 0:
                    return
                yield row
        self.whole = True


def _backwards(path: Path) -> Iterator[tuple[bytes, int]]:
    """Yield the lines of a file, last first, and how many bytes were read for each."""
    try:
        with path.open("rb") as file:
            end, rest = file.seek(0, os.SEEK_END), b""
            while end > 0:
                start = max(0, end - BLOCK)
                file.seek(start)
                first, *rows = (file.read(end - start) + rest).split(b"\n")
                for row in reversed(rows):
                    if row:
                        yield row, len(row) + 1
                rest, end = first, start
            if rest:
                yield rest, len(rest)
    except FileNotFoundError:
        return


def _filter(level: str, text: str, request_id: str) -> Callable[[bytes], dict[str, Any] | None]:
    """Return what makes a line of a row, or None of one that does not fit; most rows are told apart unread."""
    lowest = LEVELS.get(NAMES.get(level, level), 0)
    words = msgspec.json.encode(text)[1:-1].lower()
    wanted = request_id.encode("utf-8", "replace")

    def fits(row: bytes) -> dict[str, Any] | None:
        if wanted not in row or words not in row.lower():
            return None
        try:
            line = msgspec.json.decode(row, type=dict[str, Any])
        except msgspec.DecodeError:
            return None  # something else has written there
        if LEVELS.get(line.get("level", ""), 20) < lowest or (request_id and line.get("request_id") != request_id):
            return None
        return line

    return fits
