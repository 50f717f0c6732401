"""Queues, jobs, workers, schedules and results."""

from __future__ import annotations

from typing import Any

import msgspec

from ...services.queues.shapes import Ends, JobDetail, JobRow, Point
from . import Done, Listing, Moment, Read, Shape


class Steered(Done):
    """What was done to a queue; `count` of its jobs."""

    queue: str
    count: int | msgspec.UnsetType = msgspec.UNSET


class Ended(Read):
    """How a queue went; histograms by bucket, times in milliseconds."""

    queue: str
    step: int
    points: list[Point]
    wait: dict[str, int]
    run: dict[str, int]
    wait_p50: float | None
    wait_p95: float | None
    run_p50: float | None
    run_p95: float | None
    throughput_per_minute: float


class Throughput(Read):
    """How all queues went; `at` is when the first step began, in seconds since the epoch, and the last is not over."""

    step: int
    at: int
    queues: dict[str, Ends]


class Job(Read):
    """GET /jobs/{id}."""

    job: JobDetail


class OfRequest(Listing[JobRow]):
    """The jobs of one request."""

    request_id: str


class ToJob(Done):
    """What was done to a job."""

    id: str
    state: str | msgspec.UnsetType = msgspec.UNSET


class ToJobs(Done):
    """To how many jobs it was done."""

    count: int


class ToSchedule(Done):
    """What was done to a schedule; `job` is the id of what was queued."""

    schedule: str
    job: str | msgspec.UnsetType = msgspec.UNSET


class Result(Shape):
    """One metric of one period."""

    period: str
    metric: str
    value: Any
    at: Moment
