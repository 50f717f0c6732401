"""What a worker does with a job of ours, without the worker."""

import uuid

import pytest
import redis

from nexus_middleware.services.jobs.once import Once
from nexus_middleware.services.jobs.registry import Work
from nexus_middleware.services.queues import Queues
from nexus_middleware.settings import Settings
from tests.receivers import receiving


class Desk:
    """Runs a job of `queues` as a worker would, once for each call."""

    def __init__(self, url):
        self.url, self.client = url, redis.Redis.from_url(url)
        self.queues = Queues(url, settings=Settings(store=url))
        self.told = []

    def run(self, name, payload, *, key="job-1", slot=None, **settings):
        job = self.queues.jobs.find(name)
        work = Work(
            id=key,
            attempt=1,
            payload=job.check(payload),
            settings=Settings(store=self.url, **settings),
            once=Once(self.client, "nexus:1:", uuid.uuid4().hex),
            key=key,
            slot=slot,
            client=self.client,
            prefix="nexus:1:",
            report=self.told.append,
        )
        return job.run(work)


@pytest.fixture
def desk(redis_url):
    made = Desk(redis_url)
    yield made
    made.queues.close()
    made.client.close()


@pytest.fixture
def receiver():
    """A real receiver of webhooks on this machine."""
    with receiving("/in") as server:
        yield server
