"""The job under saq: four attempts, and a sweep every five seconds for jobs that ran longer than their ten."""

import asyncio
import os

from saq import Queue

from .marks import TAKES, note


async def mark(_context, *, number, kind):
    """Be done, or fail for good."""
    note("start", number)
    if kind == "never":
        raise ValueError("as asked")
    await asyncio.sleep(TAKES)
    note("done", number)


async def add(number, kind):
    """Queue a job, once, however often it is said."""
    queue = Queue.from_url(os.environ["CHAOS_REDIS"], name="chaos")
    try:
        how = {"key": f"mark-{number}", "retries": 4, "retry_delay": 2, "retry_backoff": True, "timeout": 10}
        await queue.enqueue("mark", number=str(number), kind=kind, **how)
    finally:
        await queue.disconnect()


settings = {
    "queue": Queue.from_url(os.environ["CHAOS_REDIS"], name="chaos"),
    "functions": [("mark", mark)],
    "concurrency": 1,
    "timers": {"sweep": 5},
}
