"""Sum up what happened: what such jobs take. Their handlers are not built: every one fails at once, and says so."""

from __future__ import annotations

import msgspec

from .registry import Work, not_built


class Aggregation(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What `analytics.aggregate` takes."""

    type: str
    date: str = ""  # "" in a recurring job: what ended at the time it was due
    metrics: list[str] = []


def aggregate(work: Work, wanted: Aggregation) -> None:
    """Aggregate metrics of one day or week."""
    not_built(work, wanted)


def metric(work: Work, metric: str, period: str) -> None:
    """Calculate one metric."""
    not_built(work, metric, period)
