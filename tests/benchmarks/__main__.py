"""Measure what the layers cost, beside bare apps and peers, and print a table: `make bench`."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nexus_middleware import InputGuard, IPFilter, RateLimit, Settings, SettingsError
from nexus_middleware.runtime import Runtime
from nexus_middleware.stores.embedded import find_server
from nexus_middleware.stores.memory import MemoryStore
from nexus_middleware.stores.redis import RedisStore
from tests.benchmarks import detection, headers, lines, peers, subjects
from tests.benchmarks.measure import Race
from tests.conftest import Server

BARE, WSGI, STARLETTE = "a bare ASGI app", "a bare WSGI app", "a bare Starlette route"
SIX, UNFUSED, STACK = "the six layers", "the same, not fused", "the whole stack, nine layers"
NAMED, NAMED_HIT = "the six of the name, uncacheable", "the six of the name, a cache hit"
HIT, HIT_ALONE = "the whole stack, a cache hit", "ResponseCache, a hit"
BASE, LIGHTEST, TUTORIALS = (
    "six BaseHTTPMiddleware that do nothing",
    "the lightest peers, by hand",
    "as tutorials do it",
)
INPUT, INPUT_WSGI, FILTER_WSGI = "and InputGuard inside of IPFilter", "and InputGuard, `.wsgi`", "IPFilter, `.wsgi`"
LIMITER, SLOWAPI, ASGI_RATELIMIT = "RateLimit", "slowapi", "asgi-ratelimit"
LIMITER_INSIDE = "RateLimit inside of IPFilter"
BY_HAND, GUARD = "limits, by hand", "fastapi-guard, its limit alone"
FILTER, MANY_FILTER, GUARD_FILTER = "IPFilter, 10 networks", "IPFilter, 100,000 networks", "fastapi-guard, 104 networks"
TIMING, INSTRUMENTATOR = "RequestTiming", "prometheus-fastapi-instrumentator"
SIX_WSGI, BRIDGED = "the six layers, `.wsgi`", "the six layers, a2wsgi on both sides"
FIFTY, ON_REDIS = "a bare Starlette route, 50 callers", "RateLimit on Redis, 50 callers"
LINE, STRUCTLOG = "RequestLogger's line", "structlog's, in its fastest set-up"
TOGETHER = (STARLETTE, SIX, UNFUSED, NAMED, STACK, NAMED_HIT, HIT, HIT_ALONE, BASE)
Rows = list[tuple[str, str]]  # a subject, and what its cost is counted from


def main() -> None:
    """Measure and print."""
    with asyncio.Runner() as runner, contextlib.ExitStack() as stack:
        race = Race(runner.get_loop())
        tables, notes = _enter(race, stack)
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):  # for the access log
            race.run()
        _print(race, tables, notes)


def _enter(race: Race, stack: contextlib.ExitStack) -> tuple[dict[str, Rows], list[str]]:
    """Add all that is measured; return the tables and what could not be measured."""
    runtime = Runtime(Settings())
    settle = subjects.settle(runtime)
    makes = subjects.layers(runtime)
    race.asgi(BARE, subjects.bare)
    race.asgi(STARLETTE, subjects.starlette())
    race.asgi(SIX, subjects.around(subjects.starlette(), makes), settle=settle)
    race.asgi(UNFUSED, subjects.unfused(subjects.starlette(), makes), settle=settle)
    for name, handler in ((STACK, subjects.items), (HIT, subjects.kept_items)):
        nexus = subjects.stack(handler)
        stack.callback(nexus.runtime.close)
        race.asgi(name, nexus, settle=subjects.settle(nexus.runtime))
    for name, handler in ((NAMED, subjects.items), (NAMED_HIT, subjects.kept_items)):
        own = Runtime(Settings())
        named = subjects.around(subjects.starlette(handler), subjects.named(own))
        race.asgi(name, named, settle=subjects.settle(own))
    race.asgi(BASE, peers.six_base())
    race.asgi(HIT_ALONE, subjects.cache(subjects.starlette(subjects.kept_items)))
    for name, make in makes.items():
        race.asgi(f"{name} alone", make(subjects.bare), settle=settle)
    alone = [(name, BARE) for name in (BARE, *[f"{name} alone" for name in makes])]
    race.asgi(INPUT, makes["IPFilter"](InputGuard(subjects.bare)))
    tables = {
        "together": [(name, STARLETTE) for name in TOGETHER],
        "one layer around the bare app": [*alone, (INPUT, "IPFilter alone")],
    }
    race.call(LINE, lines.our_line(runtime), settle=settle)
    race.call(STRUCTLOG, lines.structlog_line())
    tables["a line of the log about a request"] = [(LINE, LINE), (STRUCTLOG, LINE)]
    tables |= headers.enter(race)
    return tables, [
        *_enter_peers(race, tables),
        *_enter_timing(race, tables, runtime),
        *_enter_wsgi(race, tables, runtime),
        *_enter_redis(race, tables, stack),
    ]


def _enter_peers(race: Race, tables: dict[str, Rows]) -> Iterator[str]:
    race.asgi(LIMITER, RateLimit(subjects.starlette(), subjects.LIMIT, store=MemoryStore()))
    race.asgi(FILTER, IPFilter(subjects.starlette(), deny=subjects.many(10)))
    limited = RateLimit(subjects.starlette(), subjects.LIMIT, store=MemoryStore())
    race.asgi(LIMITER_INSIDE, IPFilter(limited, deny=subjects.many(10)))
    limiters = tables["limiters around the same Starlette route"] = [(LIMITER, STARLETTE), (LIMITER_INSIDE, FILTER)]
    stacks = tables["together"]
    race.asgi(MANY_FILTER, IPFilter(subjects.starlette(), deny=subjects.many(100_000)))
    filters = tables["address filters around the same Starlette route"] = [
        (FILTER, STARLETTE),
        (MANY_FILTER, STARLETTE),
    ]
    makes: list[tuple[str, Callable[[], Any], Rows]] = [
        (BY_HAND, peers.limits_by_hand, limiters),
        (ASGI_RATELIMIT, peers.asgi_ratelimit, limiters),
        (GUARD, peers.fastapi_guard_limit, limiters),
        (GUARD_FILTER, peers.fastapi_guard_filter, filters),
        (SLOWAPI, peers.slowapi, limiters),
        (LIGHTEST, peers.lightest, stacks),
        (TUTORIALS, peers.tutorials, stacks),
    ]
    for name, make, rows in makes:
        try:
            race.asgi(name, make())
        except ImportError as error:
            yield f"{name} is not measured: {error}"
        else:
            rows.append((name, STARLETTE))


def _enter_timing(race: Race, tables: dict[str, Rows], runtime: Runtime) -> Iterator[str]:
    race.asgi(TIMING, subjects.timing(runtime), settle=subjects.settle(runtime))
    rows = tables["measurements around the same Starlette route"] = [(TIMING, STARLETTE)]
    try:
        race.asgi(INSTRUMENTATOR, subjects.instrumentator())
    except ImportError as error:
        yield f"prometheus-fastapi-instrumentator is not measured: {error}"
    else:
        rows.append((INSTRUMENTATOR, STARLETTE))


def _enter_wsgi(race: Race, tables: dict[str, Rows], runtime: Runtime) -> Iterator[str]:
    settle = subjects.settle(runtime)
    makes = subjects.layers(runtime)
    race.wsgi(WSGI, subjects.bare_wsgi)
    race.wsgi(SIX_WSGI, subjects.around(subjects.bare_wsgi, makes).wsgi, settle=settle)
    race.wsgi(FILTER_WSGI, makes["IPFilter"](subjects.bare_wsgi).wsgi)
    race.wsgi(INPUT_WSGI, makes["IPFilter"](InputGuard(subjects.bare_wsgi)).wsgi)
    rows = tables["WSGI"] = [(WSGI, WSGI), (SIX_WSGI, WSGI), (FILTER_WSGI, WSGI), (INPUT_WSGI, FILTER_WSGI)]
    try:
        race.wsgi(BRIDGED, peers.bridged(runtime), settle=settle)
    except ImportError as error:
        yield f"a2wsgi is not measured: {error}"
    else:
        rows.append((BRIDGED, WSGI))


def _enter_redis(race: Race, tables: dict[str, Rows], stack: contextlib.ExitStack) -> Iterator[str]:
    try:
        find_server()
    except SettingsError as error:
        yield f"Redis is not measured: {error}"
        return
    server = Server(Path(stack.enter_context(tempfile.TemporaryDirectory())))
    stack.callback(server.stop)
    store = RedisStore(server.url)
    stack.callback(lambda: race.loop.run_until_complete(store.aclose()))
    race.asgi(FIFTY, subjects.starlette(), callers=50)
    race.asgi(ON_REDIS, RateLimit(subjects.starlette(), subjects.LIMIT, store=store), callers=50)
    tables["a real Redis, processor time"] = [(FIFTY, FIFTY), (ON_REDIS, FIFTY)]


def _print(race: Race, tables: dict[str, Rows], notes: list[str]) -> None:
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors. Medians; trust the ratios, not the times.")
    with contextlib.redirect_stdout(io.StringIO()) as found:
        goals = [*_goals(race), *headers.goals(race), *detection.report()]
    print(f"\n{'goals':70}{'is':>9}{'goal':>9}")
    for text, measured, least, most in goals:
        met = least <= measured <= most
        goal = f"≤ {most:g}" if least == 0 else f"≥ {least:g}"
        print(f"{text:70}{measured:9.2f}{goal:>9}  {'met' if met else 'missed'}")
    for title, rows in tables.items():
        print(f"\n{title:42}{'µs':>9}{'x Starlette':>13}{'adds x':>9}{'adds µs':>9}{'bytecodes':>11}")
        for name, base in rows:
            added, steps = race.ratio(name, base, STARLETTE), race.subjects[name].bytecodes
            print(
                f"{name:42}{race.micros(name):9.2f}{race.share(name, STARLETTE):13.2f}{added:9.2f}"
                f"{added * race.micros(STARLETTE):9.2f}{'' if steps is None else steps:>11}"
            )
    print(found.getvalue(), *notes, sep="\n")


def _goals(race: Race) -> Iterator[tuple[str, float, float, float]]:
    """Yield what is aimed at, what it is, and its bounds."""
    far, there = float("inf"), race.subjects
    for name in (SIX, NAMED):
        yield f"{name}, add, in bare Starlette requests", race.ratio(name, STARLETTE, STARLETTE), 0, 1.0
    for name in (NAMED_HIT, HIT):
        yield f"{name}, takes, in bare Starlette requests", race.share(name, STARLETTE), 0, 0.6
    six = race.ratio(SIX, STARLETTE, STARLETTE)
    for name, least in ((BASE, 7.0), (LIGHTEST, 7.0), (TUTORIALS, 50.0)):
        if name in there:
            yield f"{name}, add, in what the six layers add", race.ratio(name, STARLETTE, STARLETTE) / six, least, far
    yield from _limiter_goals(race)
    yield "structlog's line in its fastest set-up, in lines of RequestLogger", race.share(STRUCTLOG, LINE), 3.0, far
    yield "a lookup among 100,000 networks, microseconds", subjects.lookup(100_000), 0, 0.6
    yield "the same, in lookups among 10", subjects.lookup(100_000) / subjects.lookup(10), 0, 1.5
    yield "RateLimit in memory, after a million callers who called once, MB", subjects.million(), 0, 70
    if INSTRUMENTATOR in there:
        ours = race.ratio(TIMING, STARLETTE, STARLETTE)
        yield (
            f"{INSTRUMENTATOR} adds, in what RequestTiming adds",
            race.ratio(INSTRUMENTATOR, STARLETTE, STARLETTE) / ours,
            5.0,
            far,
        )
    if BRIDGED in there:
        share = race.ratio(SIX_WSGI, WSGI, WSGI) / race.ratio(BRIDGED, WSGI, WSGI)
        yield "the six layers add in WSGI, in what a2wsgi on both sides adds", share, 0, 0.15
    if ON_REDIS in there:
        yield "RateLimit on Redis adds, in bare Starlette requests", race.ratio(ON_REDIS, FIFTY, FIFTY), 0, 5.0


def _limiter_goals(race: Race) -> Iterator[tuple[str, float, float, float]]:
    """Yield what the peers add to an app, in what `RateLimit` does: alone, door and all, and as one more of a chain."""
    for ours, base, where in ((LIMITER, STARLETTE, "alone"), (LIMITER_INSIDE, FILTER, "to a chain")):
        added = race.ratio(ours, base, STARLETTE)
        for name, least in ((ASGI_RATELIMIT, 2.5), (BY_HAND, 1.0), (SLOWAPI, 7.0), (GUARD, 7.0)):
            if name in race.subjects:
                ratio = race.ratio(name, STARLETTE, STARLETTE) / added
                yield f"{name} adds, in what RateLimit adds {where}", ratio, least, float("inf")


if __name__ == "__main__":
    main()
