"""Queues of a test's own, and what a worker would do with a job."""

import pytest

from nexus_middleware.services.queues import Queues
from nexus_middleware.settings import Settings


@pytest.fixture
def queues(redis_url):
    made = Queues(redis_url, settings=Settings(store=redis_url))

    @made.job("add", queue="content-processing-queue")
    def add(a, b):
        return a + b

    yield made
    made.close()
    made.store.close()
