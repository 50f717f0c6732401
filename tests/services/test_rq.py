"""What we take from RQ, pinned: if one of these fails, the new RQ writes jobs in another way than the ledger reads them."""

import inspect
from importlib.metadata import version

import pytest
from rq.defaults import RQ_KEY_PREFIX
from rq.job import Job, JobStatus, Retry
from rq.queue import Queue
from rq.registry import (
    CanceledJobRegistry,
    DeferredJobRegistry,
    FailedJobRegistry,
    FinishedJobRegistry,
    ScheduledJobRegistry,
    StartedJobRegistry,
)
from rq.serializers import JSONSerializer

from tests.services.jobs import fetch


def test_it_is_the_rq_that_was_read():
    assert version("rq").startswith("3.0.")


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        (Job.create, "func kwargs connection serializer id origin timeout retry status description"),
        (Job.__init__, "id connection serializer"),
        (Job.restore, "raw_data"),
        (Job.to_dict, ""),
        (Retry.__init__, "max interval"),
    ],
)
def test_what_the_ledger_calls_takes_what_it_is_given(method, parameters):
    assert {*parameters.split()} <= {*inspect.signature(method).parameters}


def test_the_scripts_know_rqs_keys(redis_server):
    assert RQ_KEY_PREFIX == "rq"
    assert Queue.redis_queues_keys == "rq:queues"
    assert Queue.redis_queue_namespace_prefix == "rq:queue:"
    assert Job.key_for("7") in (b"rq:job:7", "rq:job:7")
    kinds = {
        "wip": StartedJobRegistry,
        "finished": FinishedJobRegistry,
        "failed": FailedJobRegistry,
        "scheduled": ScheduledJobRegistry,
        "deferred": DeferredJobRegistry,
        "canceled": CanceledJobRegistry,
    }
    for name, kind in kinds.items():
        assert kind("q", connection=redis_server.client).key == f"rq:{name}:q"


def test_the_scripts_know_rqs_words_for_what_a_job_is():
    words = {"queued", "started", "finished", "failed", "scheduled", "deferred", "canceled"}
    assert words <= {status.value for status in JobStatus}


def test_rq_reads_what_the_ledger_wrote_in_every_state(queues, redis_server):
    ident = queues.options(key="k").enqueue("add", a=1, b=2)
    claim = fetch(queues)
    read = Job.fetch(ident, connection=redis_server.client, serializer=JSONSerializer)
    assert (read.func_name, read.kwargs, read.get_status()) == ("add", {"a": 1, "b": 2}, JobStatus.STARTED)
    assert (read.timeout, read.worker_name) == (180, "w")
    queues.ledger.finish("w", claim, "failed", "it broke", times="1:2", note={"attempt": 1})
    read = Job.fetch(ident, connection=redis_server.client, serializer=JSONSerializer)
    assert read.get_status() == JobStatus.FAILED
    assert redis_server.client.hget("rq:job:" + ident, "exc_info") == b"it broke"
