"""Layers directly inside one another, run as one: same order, one frame, one trip to the store."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from wsgiref.types import WSGIApplication

from ..errors import StoreError
from ..http import App, ASGIApp
from ..stores.base import Store
from ..stores.commands import Command
from . import unrolled
from .passage import Passage, Want

if TYPE_CHECKING:
    from asyncio import Task

    from .layer import Layer

log = logging.getLogger("nexus_middleware")
COMPLAIN_EVERY = 30.0  # seconds
Step: TypeAlias = tuple[int, int, "Callable[..., Any] | None"]


class Chain:
    """What the layers' steps compile to; nothing of a request is kept here."""

    def __init__(self, layers: list[Layer[Any]], asgi_app: App, wsgi_app: App) -> None:
        numbered = [*enumerate(layers)]
        self.layers, self.size = layers, len(layers)
        self.asgi_app = cast("ASGIApp", asgi_app)  # only the one whose door is used is what it says
        self.wsgi_app = cast("WSGIApplication", wsgi_app)
        self.store: Store | None = next((x.store for x in layers if x.store is not None), None)
        self.waits = self.store is None or self.store.waits
        self.innermost = self.size - 1
        self.asks = [(i, x.ask) for i, x in numbered if "ask" in x.steps]
        self.plan = self._plan(self.asks[0][0] if self.asks else -1)
        question = next((at for at, _, step in self.plan if step is None), len(self.plan))
        early = [(at, i, step) for at, i, step in self.plan[:question] if step is not None]
        afters = [(i, x.after) for i, x in numbered[::-1] if "after" in x.steps and x.mode == "enforce"]
        dones = [(i, x.done) for i, x in numbered if "done" in x.steps]
        self.watches = [x.watch for x in layers if "watch" in x.steps]
        depths = [*range(len(layers)), -1]  # by how deep a request came; -1, for not at all, is the last item
        self.afters = [[(i, step) for i, step in afters if i <= depth] for depth in depths]
        self.dones = [[(i, step) for i, step in dones if i <= depth] for depth in depths]
        self.go_in = unrolled.go_in(early, self.innermost, waits=question < len(self.plan))
        self.go_out, self.end = unrolled.go_out(afters, self.innermost), unrolled.end(dones)
        self.background: set[Any] = set()  # tasks or threads that repeat a request unseen
        self._complained = -COMPLAIN_EVERY

    def _plan(self, first_ask: int) -> list[Step]:
        """List the steps on the way in: each one's place here, whose it is, and what to call.

        A layer's `before` stands by its number, what it needs first by -(number) - 1: the body, or the store's answers,
        which are nothing to call (None).
        """
        plan: list[tuple[int, Callable[..., Any] | None]] = []
        for i, layer in enumerate(self.layers):
            if layer.reads_body:  # first, for what it asks may depend on it
                plan.append((-i - 1, _body_for(layer)))
            if i == first_ask:
                plan.append((-i - 1, None))
            if "before" in layer.steps:
                plan.append((i, layer.before))
        return [(at, i, step) for at, (i, step) in enumerate(plan)]

    def ended(self, task: Task[None]) -> None:
        """Forget a repeat that is over; its failure reaches the log, since nobody waits for it."""
        self.background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a request that was repeated in the background failed", exc_info=error)

    def store_failed(self, passage: Passage[Any], commands: list[Command[Any]], error: StoreError) -> list[None]:
        """Answer for a store that is down: None to everyone, and a log line every 30 s."""
        passage.request.degraded = True
        now = time.monotonic()
        if now - self._complained >= COMPLAIN_EVERY:
            self._complained = now
            log.error("the store is down; each layer goes on by its own policy: %s", error)
        return [None] * len(commands)


def _body_for(layer: Layer[Any]) -> Callable[[Any, None], Want | None]:
    def want(request: Any, _: None) -> Want | None:
        return Want.BODY if request.body is None and layer.reads(request) else None

    return want
