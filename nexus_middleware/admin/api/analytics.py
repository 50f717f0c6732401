"""GET /analytics: what was calculated of users, sales and revenue, as JSON or for a spreadsheet."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec

from ...errors import SettingsError
from ..answers import API, Answer, Problem, found
from ..described import says
from ..exchange import Exchange
from ..panels import timestamp
from ..shapes import Listing
from ..shapes.jobs import Result
from . import asked

DAY = {"anyOf": [{"const": ""}, {"format": "date"}]}
CSV = (b"content-type", b"text/csv; charset=utf-8")


class Results(msgspec.Struct):
    """Which results: of which metric, and calculated since which day."""

    metric: asked.Text = ""
    since: Annotated[str, msgspec.Meta(extra_json_schema=DAY)] = ""
    format: Literal["json", "csv"] = "json"


@says(Listing[Result], query=Results, media=("text/csv",))
async def read(exchange: Exchange) -> Answer:
    """List the kept results by time: ?since=2026-10-01, ?metric=users, ?format=csv; {} of items without Redis."""
    since, metric = _since(exchange), asked.text(exchange, "metric")
    form = exchange.query.get("format", "json")
    if form not in ("json", "csv"):
        raise Problem(400, "bad_format", "format is json or csv")
    try:
        analytics = exchange.runtime.analytics
    except SettingsError:  # on memory:// nothing is counted
        results = []
    else:
        results = await analytics.aresults(since=since, metric=metric)
    if form == "csv":
        from ...services.analytics import as_csv

        name = (b"content-disposition", b'attachment; filename="analytics.csv"')
        return Answer(200, as_csv(results).encode(), (CSV, name, *API))
    items = [{"period": x.period, "metric": x.metric, "value": x.value, "at": timestamp(x.at)} for x in results]
    value = {"items": items, "nextCursor": None, "total": len(items), "totalExact": True}
    return found(value, exchange.panels.meta(), exchange.headers.get("if-none-match", ""))


def _since(exchange: Exchange) -> float:
    text = exchange.query.get("since", "")
    if not text:
        return 0.0
    try:
        return datetime.fromisoformat(text[:10]).replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise Problem(400, "bad_since", "since is a day, such as 2026-10-31") from error
