"""The job under RQ's SimpleWorker, which does not fork."""

import os

import redis
from rq import Queue, SimpleWorker

from . import tick

client = redis.Redis.from_url(os.environ["NEXUS_STORE"])
NAMES = ["a", "b", "c", "d", "e"]  # five queues, as ours has


def enqueue(count: int) -> None:
    """Queue so many jobs."""
    queue = Queue("a", connection=client)
    queue.enqueue_many([Queue.prepare_data(tick) for _ in range(count)])


if __name__ == "__main__":
    SimpleWorker([Queue(name, connection=client) for name in NAMES], connection=client).work()
