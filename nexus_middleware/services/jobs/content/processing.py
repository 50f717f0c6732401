"""Make of an uploaded file what its job asks for, each operation once for each state of the file."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from ..registry import Permanent, Work
from . import documents, images, recordings
from .outputs import Operation, made_before, note_made, source_of

WHOLE = 3600.0  # seconds for all operations of a job
MOST = 20  # operations of a job
Progress: TypeAlias = Callable[[float], None]  # told the share that is done, from 0 to 1


class Content(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What `content.process` takes."""

    type: str  # image, video, audio or document
    content_id: str  # the name of a file in the folder NEXUS_MEDIA_DIR
    operations: list[str]  # such as "thumbnail:256" or "transcode:480p"


def process(work: Work, content: Content) -> dict[str, Any]:
    """Do the operations in their order; the results say which files were written, and where.

    Raises:
        Permanent: the file or an operation is none, or the file is broken or does harm.
        OSError: the disk, or a program, failed; a retry may do.
    """
    if content.type not in ("image", "video", "audio", "document"):
        raise Permanent(f"type={content.type[:50]!r} must be image, video, audio or document")
    if not 1 <= len(content.operations) <= MOST:
        raise Permanent(f"operations: 1 to {MOST} of them, not {len(content.operations)}")
    operations = [Operation.read(text) for text in content.operations]
    source, folder = source_of(work.settings.media_dir, content.content_id)
    until = time.monotonic() + WHOLE - 10
    made: dict[str, Any] = {}
    for number, (text, operation) in enumerate(zip(content.operations, operations, strict=True)):
        result = made_before(source, folder, text)
        if result is None:
            tell = partial(_tell, work, number, len(operations), text)
            tell(0.0)
            result = _one(content.type, source, operation, folder, until - time.monotonic(), tell)
            note_made(source, folder, text, result)
        made[text] = result
    work.progress(len(operations), len(operations))
    return {"folder": folder.name, "made": made}


def _one(
    kind: str, source: Path, operation: Operation, folder: Path, left: float, progress: Progress
) -> dict[str, Any]:
    if kind == "image":
        return images.process(source, operation, folder)
    if kind == "document":
        return documents.process(source, operation, folder, progress=progress)
    if left <= 0:
        raise TimeoutError(f"the operations took more than {WHOLE:.0f} s")
    return recordings.process(source, operation, folder, timeout=left, progress=progress)


def _tell(work: Work, number: int, total: int, text: str, share: float) -> None:
    work.progress(number + share, total, text)
