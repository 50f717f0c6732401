"""What the tests of queues put in, and what a worker would do with it."""

from rq.job import Job
from rq.serializers import JSONSerializer

MAIL = {"to": "ann@example.org", "subject": "Hello", "html": "<p>Hi</p>"}
NOTE = {"user_id": "7", "type": "info", "title": "T", "message": "M"}


def fetch(queues, worker="w", served=()):
    claim = queues.ledger.fetch(worker, served or queues.jobs.queues)
    return None if isinstance(claim, float) else claim


def run_one(queues, outcome="done", *, text="null", seconds=0.0):
    claim = fetch(queues)
    assert claim is not None, "no job was there"
    assert queues.ledger.finish("w", claim, outcome, text, seconds=seconds, times="1:2")
    return claim


def read(redis_server, ident):
    return Job.fetch(ident, connection=redis_server.client, serializer=JSONSerializer)
