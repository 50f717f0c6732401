"""The job under saq, ten at once on one event loop, which is its default."""

import asyncio
import os
from typing import Any

from saq import Queue

from . import tick

queue = Queue.from_url(os.environ["NEXUS_STORE"])


async def job(_context: Any) -> None:
    """Do it."""
    tick()


settings = {"queue": queue, "functions": [("tick", job)], "concurrency": 10}


def enqueue(count: int) -> None:
    """Queue so many jobs."""

    async def add() -> None:
        for _ in range(count):
            await queue.enqueue("tick")
        await queue.disconnect()

    asyncio.run(add())
