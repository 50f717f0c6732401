"""Queues of a test's own, and what a worker would do with a job."""

import pytest

from nexus_middleware.services.queues import Queues
from nexus_middleware.settings import Settings
from tests.services.mail import box, client, work

__all__ = ["box", "client", "work"]  # fixtures


@pytest.fixture
def queues(redis_url):
    made = Queues(redis_url, settings=Settings(store=redis_url))

    @made.job("add", queue="content-processing-queue")
    def add(a, b):
        return a + b

    yield made
    made.close()
    made.store.close()
