"""Networks from lists, files and functions, read again when they change."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sized
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from ..errors import SettingsError
from ..rules.networks import Networks
from .fresh import Fresh

Listed: TypeAlias = "str | os.PathLike[str] | Callable[[], Iterable[str]] | Iterable[str | os.PathLike[str]]"
FILES_EVERY, CALLS_EVERY = 1.0, 10.0  # seconds between two looks at a file, two calls of a function


class Addresses(Sized, Protocol):
    """A set of addresses."""

    def __contains__(self, address: str, /) -> bool: ...


def addresses(given: Listed, option: str) -> Addresses:
    """Return the set that `given` lists: networks and addresses, paths of files that list them, or a function.

    A text that begins with "/" or "." is the path of a file, which lists one network a line; # begins a comment.

    >>> "10.1.2.3" in addresses(["10.0.0.0/8"], "deny")
    True

    Raises:
        SettingsError: a network or a file cannot be read.
    """
    if callable(given):
        return Changing([], option, call=given)
    entries = [given] if isinstance(given, str | os.PathLike) else [*given]
    files = [Path(entry) for entry in entries if not isinstance(entry, str) or entry.startswith(("/", "."))]
    plain = [entry for entry in entries if isinstance(entry, str) and not entry.startswith(("/", "."))]
    return Changing(plain, option, files=files) if files else Networks(plain)


class Changing:
    """A set that is read again while it is used: a file within a second of its change, a function every 10 s.

    What cannot be read again leaves the set as it was.
    """

    def __init__(
        self,
        plain: list[str],
        option: str,
        *,
        files: Iterable[Path] = (),
        call: Callable[[], Iterable[str]] | None = None,
    ) -> None:
        self._plain, self._files, self._call, self._option = plain, [*files], call, option
        self._seen: Any = None
        self._networks = Networks()
        try:
            self._read()
        except OSError as error:
            raise SettingsError(f"{option}: {error.filename} cannot be read: {error.strerror}") from error
        self._fresh = Fresh(self._read, f"{option} list", every=CALLS_EVERY if call else FILES_EVERY)

    def __contains__(self, address: str) -> bool:
        self._fresh.poke()
        return address in self._networks

    def __len__(self) -> int:
        return len(self._networks)

    def _read(self) -> None:
        if self._call is not None:
            self._take(sorted({*self._call()}))
        elif (seen := [_state(path) for path in self._files]) != self._seen:
            self._networks = Networks([*self._plain, *[line for path in self._files for line in _lines(path)]])
            self._seen = seen

    def _take(self, listed: list[str]) -> None:
        if listed != self._seen:
            self._networks = Networks(listed)
            self._seen = listed


def _state(path: Path) -> tuple[int, int, int]:
    state = path.stat()
    return state.st_mtime_ns, state.st_size, state.st_ino


def _lines(path: Path) -> list[str]:
    texts = [line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines()]
    return [text for text in texts if text]
