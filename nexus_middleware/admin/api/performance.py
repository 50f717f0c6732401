"""What was measured over hours and days: charts, endpoints, queries, timers, slow requests, errors, alerts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from ...stores.base import adrive
from ..answers import Answer, Problem, done, found, nothing_here
from ..described import says
from ..exchange import Exchange
from ..panels import alert_shape, timestamp
from ..shapes import Measured, Windowed
from ..shapes.measurements import (
    Alert,
    Connection,
    Endpoint,
    Failure,
    Muted,
    Named,
    OneEndpoint,
    Performance,
    Process,
    Query,
    Series,
    Slow,
)
from . import asked

Name: TypeAlias = Literal["endpoints", "queries", "timers", "calls", "connections"]
TABLES: dict[Name, Any] = {
    "endpoints": Windowed[Endpoint],
    "queries": Windowed[Query],
    "timers": Windowed[Named],
    "calls": Windowed[Named],
    "connections": Windowed[Connection],
}
Part: TypeAlias = Callable[[Exchange], Awaitable[Answer]]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=7 * 86_400)]


class Mute(msgspec.Struct):
    """How long nobody is to be told of an alert: seconds, 0 to tell again."""

    seconds: Seconds = 3_600.0


class Charts(asked.Window):
    """Of all processes, or of one as GET /processes names it."""

    process: asked.Text = ""


class Of(asked.Window, kw_only=True):
    """A method and a route, such as GET /courses/{id}."""

    endpoint: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Latest(msgspec.Struct):
    """How many of the latest."""

    limit: asked.Most = 100


@says(Performance, query=Charts)
async def read(exchange: Exchange) -> Answer:
    """Tell the charts of ?window= (15m, 1h, 6h, 24h, 7d), of all processes or of one ?process=, endpoints and queries."""
    history, window, value = exchange.runtime.monitor.history, _window(exchange), await _charts(exchange)
    endpoints, queries = await history.aendpoints(window), await history.aqueries(window)
    return _answer(exchange, {**value, "endpoints": endpoints["items"], "queries": queries["items"]})


@says(Series, query=Charts)
async def series(exchange: Exchange) -> Answer:
    """Tell the charts alone, as GET /performance does."""
    return _answer(exchange, await _charts(exchange))


def windowed(name: Name) -> Part:
    """Return the resource that lists them over ?window=."""

    @says(TABLES[name], query=asked.Window)
    async def listed(exchange: Exchange) -> Answer:
        listing = getattr(exchange.runtime.monitor.history, f"a{name}")
        return _answer(exchange, _listing(await listing(_window(exchange))))

    return listed


@says(OneEndpoint, query=Of)
async def endpoint(exchange: Exchange) -> Answer:
    """Tell all of one endpoint, ?endpoint=GET%20/courses/{id}, over ?window=."""
    label = exchange.query.get("endpoint", "")
    if not 0 < len(label) <= 500:
        raise Problem(400, "bad_endpoint", "endpoint is a method and a route, such as GET /courses/{id}")
    return _answer(exchange, await exchange.runtime.monitor.history.aendpoint(label, _window(exchange)))


@says(Measured[Slow], query=Latest)
async def slow(exchange: Exchange) -> Answer:
    """List the latest requests of a second or more."""
    told = await exchange.runtime.monitor.history.aslow(asked.limit(exchange, 100))
    items = [{**item, "at": timestamp(item["at"])} for item in told["items"]]
    return _answer(exchange, _listing({**told, "items": items}))


@says(Measured[Failure])
async def errors(exchange: Exchange) -> Answer:
    """List exceptions by type and raising line, the latest first."""
    told = await exchange.runtime.monitor.history.aerrors()
    items = [{**x, "first": timestamp(x["first"]), "last": timestamp(x["last"])} for x in told["items"]]
    return _answer(exchange, _listing({**told, "items": items}))


@says(Measured[Process])
async def processes(exchange: Exchange) -> Answer:
    """List the live processes."""
    return _answer(exchange, _listing(await exchange.runtime.monitor.history.aprocesses()))


@says(Measured[Alert])
async def alerts(exchange: Exchange) -> Answer:
    """List the alerts that are on, then those that are over."""
    told = await exchange.runtime.monitor.history.aalerts()
    return _answer(exchange, _listing({**told, "items": [alert_shape(item) for item in told["items"]]}))


@says(Muted, body=Mute, optional=True)
async def mute(exchange: Exchange) -> Answer:
    """Tell nobody of an alert for an hour, or for as long as the body says."""
    code, monitor = exchange.parameter("code"), exchange.runtime.monitor
    seconds = (await exchange.json(Mute)).seconds if exchange.headers.get("content-length", "0") != "0" else 3_600.0
    store = monitor.store or monitor.own
    if not await adrive(monitor.alerts.muting(code, seconds), store.arun):
        raise nothing_here()
    exchange.panels.history.forget()
    exchange.audit("alert_mute", target=code, seconds=seconds)
    return done({"success": True, "code": code, "seconds": seconds})


async def _charts(exchange: Exchange) -> dict[str, Any]:
    history = exchange.runtime.monitor.history
    told = await history.aseries(_window(exchange), asked.text(exchange, "process"))
    return {**told, "points": _moments(told["points"]), "deploys": _moments(told["deploys"])}


def _moments(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**item, "at": timestamp(item["at"]), "atMs": int(item["at"] * 1000)} for item in items]


def _window(exchange: Exchange) -> str:
    asked.window(exchange)
    return exchange.query.get("window", "1h")


def _listing(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "nextCursor": None, "total": len(told["items"]), "totalExact": True}


def _answer(exchange: Exchange, value: dict[str, Any]) -> Answer:
    scope = value.get("scope", "process")
    meta = {**exchange.panels.meta(), "scope": scope}
    return found(value, meta, exchange.headers.get("if-none-match", ""))
