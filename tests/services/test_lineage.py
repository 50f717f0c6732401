"""Lineage: from a request to the jobs it queued, their retries and the jobs of those, by one id."""

from __future__ import annotations

from nexus_middleware import RequestID
from nexus_middleware.worker.runs import perform
from tests.services.jobs import fetch

QUEUE = "content-processing-queue"


class App:
    """Queues a job for each request."""

    def __init__(self, queues):
        self.queues = queues

    async def asgi(self, scope, receive, send):
        await self.queues.aenqueue("first")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def test_from_a_request_to_its_jobs_their_retries_and_the_jobs_of_those(queues, asgi_door):
    @queues.job("first", queue=QUEUE)
    def first():
        queues.enqueue("fails")

    @queues.job("fails", queue=QUEUE)
    def fails():
        raise RuntimeError("not today")

    app = RequestID(App(queues).asgi)
    asgi_door.get(app, headers=[("x-request-id", "abc")])
    asgi_door.get(app, headers=[("x-request-id", "other")])
    assert perform(fetch(queues), queues).kind == "done"
    assert perform(fetch(queues), queues).kind == "done"
    note = {"attempt": 1, "outcome": "retry", "worker": "w", "error": "RuntimeError: not today"}
    claim = fetch(queues)
    outcome = perform(claim, queues)
    queues.ledger.finish("w", claim, outcome.kind, outcome.text, seconds=60, times="1:2", note=note)

    jobs = queues.board.of_request("abc")

    assert [job.name for job in jobs] == ["first", "fails"]
    assert {job.request_id for job in jobs} == {"abc"}
    assert [(x["attempt"], x["outcome"]) for x in jobs[1].history] == [(1, "retry")]
    assert len(queues.board.of_request("other")) == 2
    assert queues.board.of_request("nobody") == []


def test_the_index_of_a_request_is_bounded_and_ends(queues, asgi_door):
    class Many(App):
        async def asgi(self, scope, receive, send):
            await self.queues.aenqueue_many("add", [{"a": 1, "b": i} for i in range(130)])
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    asgi_door.get(RequestID(Many(queues).asgi), headers=[("x-request-id", "abc")])

    key = f"{queues.ledger.prefix}queues:request:abc"
    assert queues.ledger.client.llen(key) == 100
    assert 0 < queues.ledger.client.ttl(key) <= 8 * 86_400
    assert queues.board.of_request("abc")[-1].payload == {"a": 1, "b": 129}


def test_jobs_of_no_request_leave_no_index(queues):
    queues.enqueue("add", a=1, b=2)
    assert queues.ledger.client.keys("*queues:request:*") == []
