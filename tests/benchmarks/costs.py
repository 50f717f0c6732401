"""Compare what Server-Timing says that the layers take with what the app takes more within them: `python -m tests.benchmarks.costs`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import time
from pathlib import Path
from typing import Any

import msgspec

from nexus_middleware import Settings
from nexus_middleware.middleware.costs import COSTS, timed
from nexus_middleware.middleware.requests import STATE
from nexus_middleware.runtime import Runtime
from nexus_middleware.standard import standard, wrap
from tests.benchmarks import subjects
from tests.benchmarks.measure import CALLERS, SCOPE, send

ROUNDS, REQUESTS = 61, 100
TEXT = "A course of twelve lessons, with exercises: each takes an hour, and a test stands at the end of it. "
FORM = msgspec.json.encode({"title": "Sums", "lessons": [{"id": i, "text": TEXT * 3} for i in range(6)]})
POST = {**SCOPE, "method": "POST", "headers": [*SCOPE["headers"], (b"content-type", b"application/json")]}  # type: ignore[misc]
KINDS: dict[str, tuple[dict[str, Any], bytes]] = {
    "a GET without a body": (SCOPE, b""),
    f"a POST of {len(FORM) / 1000:.0f} KB of JSON": (POST, FORM),
}


def main() -> None:
    """Measure and print."""
    print(f"{'the layers of the stack, in µs':48}{'A/B':>9}{'told':>9}{'told / A/B':>12}")
    with contextlib.ExitStack() as stack, asyncio.Runner() as runner:
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):  # for the access log
            rows = [(name, *_compared(runner, stack, scope, body)) for name, (scope, body) in KINDS.items()]
        for name, added, told, ratio in rows:
            print(f"{name:48}{added:9.1f}{told:9.1f}{ratio:12.3f}")


def _compared(
    runner: asyncio.Runner, stack: contextlib.ExitStack, scope: dict[str, Any], body: bytes
) -> tuple[float, float, float]:
    """Return what the layers add, what they are told to take, and the ratio: medians of rounds side by side."""
    told: list[float] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await subjects.bare(scope, receive, send)
        trace = scope["state"].get(STATE)  # every step has run by now, those after the last byte too
        if trace is not None and COSTS in trace.request.notes:
            told.append(sum(trace.request.notes[COSTS].values()))

    plain, watched = (_stack(stack, app, watched=watched) for watched in (False, True))
    added: list[float] = []
    sums: list[float] = []
    for _ in range(ROUNDS):
        alone, within = (runner.run(_median(each, scope, body)) for each in (app, plain))
        told.clear()
        runner.run(_median(watched, scope, body))
        added.append((within - alone) * 1e6)
        sums.append(statistics.median(told) * 1e6)
    ratios = [x / y for x, y in zip(sums, added, strict=True)]
    return statistics.median(added), statistics.median(sums), statistics.median(ratios)


def _stack(stack: contextlib.ExitStack, app: Any, *, watched: bool) -> Any:
    runtime = Runtime(Settings(rate_limit="100000/minute", deny=tuple(subjects.DENIED), log_level="error"))
    stack.callback(runtime.close)
    makes = standard(runtime, rules=(), cache_rules=())
    return wrap(app, timed(makes) if watched else makes)


async def _median(app: Any, scope: dict[str, Any], body: bytes) -> float:
    """Return the median of many requests, in seconds: whatever holds the process up for a moment is in few of them."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    took: list[float] = []
    for client in CALLERS[:REQUESTS]:
        asked = {**scope, "client": client, "state": {}}
        began = time.perf_counter()
        await app(asked, receive, send)
        took.append(time.perf_counter() - began)
    return statistics.median(took)


if __name__ == "__main__":
    main()
