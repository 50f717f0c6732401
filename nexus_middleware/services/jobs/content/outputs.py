"""What is to be made of a file, as the job names it, and files that are there whole or not at all."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from ..registry import Permanent

WORD = re.compile(r"[a-z0-9]{1,16}").fullmatch
PART = ".part-"  # what the name of a file begins with that is still being written


class Operation(msgspec.Struct, frozen=True):
    """One thing to do: a name, a size and a format, such as "thumbnail:256:jpeg"; both may be left out."""

    name: str
    size: str = ""
    format: str = ""

    @classmethod
    def read(cls, text: str) -> Operation:
        """Read it.

        >>> Operation.read("resize:800x600:png").file("png")
        'resize-800x600.png'

        Raises:
            Permanent: it is none.
        """
        parts = text.split(":")
        if len(parts) > 3 or not all(WORD(part) for part in parts):
            raise Permanent(f"operation {text[:50]!r} must be name, name:size or name:size:format")
        if len(parts) == 2 and not parts[1][0].isdigit():
            return cls(parts[0], "", parts[1])
        return cls(*parts)

    def box(self, *, square: bool, most: int) -> tuple[int, int]:
        """Return width and height in pixels, as "800x600" or, for a square, "256" says."""
        sides = [int(side) if side.isdigit() else 0 for side in self.size.split("x")]
        if len(sides) == 1 and square:
            sides *= 2
        if len(sides) != 2 or not all(0 < side <= most for side in sides):
            wanted = f"{self.name}:256" if square else f"{self.name}:800x600"
            raise Permanent(f"{self.name} needs a size such as {wanted}, at most {most} a side")
        return sides[0], sides[1]

    def ending(self, known: Container[str], usual: str) -> str:
        """Return the format asked for, or the usual one."""
        ending = self.format or usual
        if ending not in known:
            raise Permanent(f"{self.name} cannot write {ending!r}")
        return ending

    def file(self, ending: str) -> str:
        """Return the name of what is written."""
        return f"{self.name}{'-' if self.size else ''}{self.size}.{ending}"

    def unknown(self, known: str) -> Permanent:
        """Return the error that says what there is."""
        return Permanent(f"no operation is called {self.name!r}: there are {known}")


@contextmanager
def written(folder: Path, name: str) -> Generator[Path]:
    """Yield where to write; when the block has ended well, the file is there under its name, whole.

    A process that is killed in between leaves a file whose name begins with a dot, which the next try replaces.
    """
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{PART}{name}"
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(folder / name)
    finally:
        part.unlink(missing_ok=True)


def source_of(media: str, content_id: str) -> tuple[Path, Path]:
    """Return the file that `content_id` names in the folder `media`, and the folder for what is made of it.

    Raises:
        Permanent: no folder is set, the name could lead elsewhere, or there is no such file.
    """
    if not media:
        raise Permanent("no folder for content: set NEXUS_MEDIA_DIR to where the uploaded files are")
    if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}", content_id):
        raise Permanent("content_id must be the name of a file: letters, digits, '.', '_' and '-', no dot in front")
    source = Path(media) / content_id
    if source.is_symlink() or not source.is_file():
        raise Permanent(f"there is no file {content_id!r} in NEXUS_MEDIA_DIR")
    return source, Path(media) / f"{content_id}.made"


def made_before(source: Path, folder: Path, operation: str) -> dict[str, Any] | None:
    """Return what `operation` made of the file as it is now, if that was done before; a repeat then does nothing."""
    try:
        note = msgspec.json.decode(_note(folder, operation).read_bytes(), type=_Made)
    except (OSError, msgspec.DecodeError):
        return None
    return note.result if note.of == _state(source) else None


def note_made(source: Path, folder: Path, operation: str, result: dict[str, Any]) -> None:
    """Note what `operation` made of the file as it is now."""
    with written(folder, _note(folder, operation).name) as path:
        path.write_bytes(msgspec.json.encode(_Made(_state(source), result)))


class _Made(msgspec.Struct):
    of: tuple[int, int]  # the source's size in bytes, and when it was changed, in nanoseconds
    result: dict[str, Any]


def _state(source: Path) -> tuple[int, int]:
    stat = source.stat()
    return stat.st_size, stat.st_mtime_ns


def _note(folder: Path, operation: str) -> Path:
    return folder / f".made-{operation.replace(':', '-')}.json"
