"""The job under dramatiq: four attempts, a worker counts as dead after 30 s, as ours does, not after a minute.

Maintenance, which puts its messages back, comes with one command in ten, not in a thousand: else it may take an hour.
"""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from nexus_middleware.services.jobs.registry import QUEUES

from .marks import mark

broker = RedisBroker(url=os.environ["CHAOS_REDIS"], heartbeat_timeout=30_000, maintenance_chance=100_000)
dramatiq.set_broker(broker)
actors = [
    dramatiq.actor(mark, actor_name=f"mark-{queue}", queue_name=queue, max_retries=3, min_backoff=2_000)
    for queue in QUEUES
]
