"""The job under our worker."""

from nexus_middleware.services.queues import Queues
from nexus_middleware.settings import Settings

from . import tick

settings = Settings.from_env()
queues = Queues(settings.store, settings=settings)
queues.job("tick", queue="analytics-queue")(tick)


def enqueue(count: int) -> None:
    """Queue so many jobs."""
    queues.enqueue_many("tick", [{}] * count)
