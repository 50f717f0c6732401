"""What is listed in settings, files and functions, read again when it changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from ..errors import SettingsError
from ..rules.networks import Networks
from .fresh import Fresh

T = TypeVar("T")
Listed: TypeAlias = "str | os.PathLike[str] | Callable[[], Iterable[str]] | Iterable[str | os.PathLike[str]]"
FILES_EVERY, CALLS_EVERY = 1.0, 10.0  # seconds between two looks at a file, two calls of a function


class Source(Generic[T]):
    """What `make` makes of the entries that `given` lists: texts, paths of files, or a function that returns texts.

    "file:/etc/list" names a file, which has one entry a line; # begins a comment. A file is read again within a second of
    its change, a function is asked every 10 s, both only while `value` is asked for. What cannot be read again leaves
    the value as it was.

    >>> Source(["10.0.0.0/8"], "deny", Networks).value
    <nexus_middleware.rules.networks.Networks object at ...>

    Args:
        given: The list.
        option: Its name, for errors.
        make: What is made of all entries.

    Raises:
        SettingsError: a file cannot be read.
    """

    def __init__(self, given: Listed, option: str, make: Callable[[list[str]], T]) -> None:
        self._make = make
        self._call = given if callable(given) else None
        entries = _entries(given)
        self._files = [Path(x.removeprefix("file:") if isinstance(x, str) else x) for x in entries if _is_file(x)]
        self._plain = [str(x) for x in entries if not _is_file(x)]
        self._seen: Any = None
        self.changes = self._call is not None or bool(self._files)
        try:
            self._value = self._read()
        except OSError as error:
            raise SettingsError(f"{option}: {error.filename} cannot be read: {error.strerror}") from error
        self._fresh = Fresh(self._read_again, f"{option} list", every=CALLS_EVERY if self._call else FILES_EVERY)

    @property
    def value(self) -> T:
        """What was made last; it may be made anew meanwhile."""
        if self.changes:
            self._fresh.poke()
        return self._value

    def _read(self) -> T:
        entries = sorted({*self._call()}) if self._call is not None else self._plain
        seen: Any = entries if self._call is not None else [_state(path) for path in self._files]
        if seen == self._seen:
            return self._value
        value = self._make([*entries, *[line for path in self._files for line in _lines(path)]])
        self._seen = seen
        return value

    def _read_again(self) -> None:
        self._value = self._read()


class Addresses(Protocol):
    """A set of addresses."""

    def __contains__(self, address: str, /) -> bool: ...


def addresses(given: Listed, option: str) -> Addresses:
    """Return the set that `given` lists, as `Source` says, of networks and addresses; "/etc/list" names a file too.

    >>> "10.1.2.3" in addresses(["10.0.0.0/8"], "deny")
    True

    Raises:
        SettingsError: a network or a file cannot be read.
    """
    if not callable(given):
        given = [Path(x) if isinstance(x, str) and x.startswith(("/", ".")) else x for x in _entries(given)]
    source = Source(given, option, Networks)
    return _Changing(source) if source.changes else source.value


class _Changing:
    """The set that a source has at the moment."""

    def __init__(self, source: Source[Networks]) -> None:
        self._source = source

    def __contains__(self, address: str) -> bool:
        return address in self._source.value


def _entries(given: Listed) -> list[str | os.PathLike[str]]:
    if callable(given):
        return []
    return [given] if isinstance(given, str | os.PathLike) else [*given]


def _is_file(entry: str | os.PathLike[str]) -> bool:
    return not isinstance(entry, str) or entry.startswith("file:")


def _state(path: Path) -> tuple[int, int, int]:
    state = path.stat()
    return state.st_mtime_ns, state.st_size, state.st_ino


def _lines(path: Path) -> list[str]:
    texts = [line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines()]
    return [text for text in texts if text]
