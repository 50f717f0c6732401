"""The jobs that are run under fire, registered for our worker."""

import time

from nexus_middleware.services.jobs.registry import QUEUES, Permanent
from nexus_middleware.services.queues import Queues
from nexus_middleware.settings import Settings

from .marks import TAKES, begun, note

settings = Settings.from_env()
queues = Queues(settings.store, settings=settings)


def mark(number, kind="plain"):
    """Be done; or fail the first time, or for good."""
    note("start", number)
    if kind == "never":
        raise Permanent("as asked")
    if kind == "late" and begun(number) == 1:
        note("failed", number)
        raise ValueError("the first time")
    time.sleep(TAKES)
    note("done", number)


for queue in QUEUES:
    queues.job(f"mark.{queue}", queue=queue)(mark)
