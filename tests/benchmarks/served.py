"""Whole servers: what a request costs a uvicorn process around the bare app, around ours, and around the peers."""

from __future__ import annotations

import contextlib
import statistics
from functools import partial
from typing import Any

from nexus_middleware import Nexus, RateLimit, Settings
from nexus_middleware.runtime import Runtime
from nexus_middleware.stores.memory import MemoryStore

from .serving import uvicorn
from .subjects import BODY, DENIED, START, around, kept_items, layers, starlette

MANY = "100000000/minute"  # all calls come from one address
ROUNDS, CALLS = 5, 4_000  # so many that the ticks of the processor's clock, 10 ms, do not tell
SUBJECTS = {
    "an empty ASGI app": "empty",
    "a bare Starlette route": "route",
    "the six layers": "six",
    "the whole stack": "whole",
    "the whole stack, a cache hit": "hit",
    "the lightest peers, by hand": "lightest",
    "as tutorials do it": "tutorials",
}
GOALS = [  # requests a second of the first, in those of the second
    ("the six layers", "a bare Starlette route", 0.65),
    ("the whole stack, a cache hit", "a bare Starlette route", 1.0),
    ("the whole stack, a cache hit", "an empty ASGI app", 0.8),
]


async def empty(scope: Any, receive: Any, send: Any) -> None:
    """Answer as little as an app can on a connection that is kept."""
    if scope["type"] == "http":
        await send({**START, "headers": [*START["headers"], (b"content-length", b"12")]})
        await send(BODY)


def __getattr__(name: str) -> Any:
    """Make the app that a server asks for, and none of the others."""
    return MAKERS[name]()


def _six() -> Any:
    makes = layers(Runtime(Settings()))
    return around(starlette(), {**makes, "RateLimit": partial(RateLimit, limit=MANY, store=MemoryStore())})


def _whole(handler: Any) -> Nexus:
    return Nexus(starlette(handler) if handler else starlette(), Settings(rate_limit=MANY, deny=tuple(DENIED)))


def _peers(name: str) -> Any:
    from . import peers, subjects

    subjects.LIMIT, peers.PER_MINUTE = MANY, 100_000_000
    return getattr(peers, name)()


MAKERS = {
    "route": starlette,
    "six": _six,
    "whole": partial(_whole, None),
    "hit": partial(_whole, kept_items),
    "lightest": partial(_peers, "lightest"),
    "tutorials": partial(_peers, "tutorials"),
}


def measured() -> dict[str, float]:
    """Return the microseconds of processor time that each takes for a request; the median of rounds in turn."""
    with contextlib.ExitStack() as stack:
        servers = {
            name: stack.enter_context(uvicorn(f"tests.benchmarks.served:{app}")) for name, app in SUBJECTS.items()
        }
        rounds: dict[str, list[float]] = {name: [] for name in servers}
        for each in servers.values():
            each.cost(CALLS)
        for _ in range(ROUNDS):
            for name, server in servers.items():
                rounds[name].append(server.cost(CALLS))
    return {name: statistics.median(times) for name, times in rounds.items()}


def main() -> None:
    """Measure and print."""
    costs = measured()
    base = costs["a bare Starlette route"]
    print("One call after another: a server that sleeps between them pays for waking too, ours and the others alike.")
    print(f"{'one uvicorn process, one connection':40}{'µs':>9}{'requests/s of a core':>22}{'x Starlette':>13}")
    for name, cost in costs.items():
        print(f"{name:40}{cost:9.1f}{1e6 / cost:22,.0f}{base / cost:13.2f}")
    print()
    for name, beside, goal in GOALS:
        share = costs[beside] / costs[name]
        told = f"{name}, requests a second, in those of {beside}"
        print(f"{told:88}{share:6.2f}{f'≥ {goal}':>8}  {'met' if share >= goal else 'missed'}")


if __name__ == "__main__":
    main()
