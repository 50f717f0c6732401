"""How a test holds an app in the middle of an answer, in whatever process it runs: by files in a folder of both."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

FOLDER = Path(os.environ.get("MATRIX_FOLDER", "."))
PAGE = FOLDER / "page.bin"  # what the apps answer as a file
PATIENCE = 30  # seconds
FIRST, SECOND = b"data: one\n\n", b"data: two\n\n"


async def opened(gate: str) -> None:
    """Wait until the test opens a gate."""
    for _ in range(PATIENCE * 50):
        if (FOLDER / gate).exists():
            return
        await asyncio.sleep(0.02)
    raise TimeoutError(gate)


def opened_now(gate: str) -> None:
    """Wait on a thread."""
    for _ in range(PATIENCE * 50):
        if (FOLDER / gate).exists():
            return
        time.sleep(0.02)
    raise TimeoutError(gate)


async def chunks(gate: str) -> AsyncIterator[bytes]:
    yield FIRST
    await opened(gate)
    yield SECOND


def chunks_now(gate: str) -> Iterator[bytes]:
    yield FIRST
    opened_now(gate)
    yield SECOND


async def later(gate: str) -> None:
    """Work that goes on after the answer."""
    await opened(gate)
    (FOLDER / f"{gate}.done").touch()


def later_now(gate: str) -> None:
    opened_now(gate)
    (FOLDER / f"{gate}.done").touch()
