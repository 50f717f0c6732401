"""What each layer's own steps cost one request: nothing is measured, nor slower, unless layers are wrapped here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from ..http import App

if TYPE_CHECKING:
    from .layer import Layer

Make: TypeAlias = "Callable[[App], Layer[Any]]"
COSTS = "costs"  # in `request.notes`: seconds by layer, for `RequestTiming` to tell


def timed(makes: Iterable[Make], *, clock: Callable[[], float] = time.perf_counter) -> list[Make]:
    """Return what makes the same layers, whose steps note their time in `request.notes["costs"]`.

    A trip to the store is no step of a layer: its time is that of the app, which comes after it.

    Args:
        makes: What makes each layer, outermost first.
        clock: Seconds that never go backwards.
    """
    return [_timed(make, clock) for make in makes]


def _timed(make: Make, clock: Callable[[], float]) -> Make:
    def made(app: App) -> Layer[Any]:
        layer = make(app)
        for step in layer.steps - {"watch"}:  # which comes after the head that tells, and takes no request
            setattr(layer, step, _step(getattr(layer, step), type(layer).__name__, clock))
        return layer

    return made


def _step(step: Callable[..., Any], name: str, clock: Callable[[], float]) -> Callable[..., Any]:
    def run(request: Any, *args: Any) -> Any:
        began = clock()
        try:
            return step(request, *args)
        finally:
            took = clock() - began  # before what it takes to note it
            costs = request.notes.setdefault(COSTS, {})
            costs[name] = costs.get(name, 0.0) + took

    return run
