"""The job under dramatiq, eight threads in one process, which is its default for one processor."""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from . import tick

dramatiq.set_broker(RedisBroker(url=os.environ["NEXUS_STORE"]))
actor = dramatiq.actor(tick)


def enqueue(count: int) -> None:
    """Queue so many jobs."""
    for _ in range(count):
        actor.send()
