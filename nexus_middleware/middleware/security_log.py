"""Note which requests the other layers refused, or would have refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..http import App
from ..rules.security_events import BY_STATUS, SEVERITY, Event, kind_of, plain
from .layer import Layer
from .passage import Passage


class SecurityLog(Layer[None]):
    """Hand an `Event` to `record` for each refusal of a layer, around this one or inside it, shadow mode included.

    It reads what the chain has noted anyway, once the request is over. A request that nobody refuses costs nothing.

    >>> from nexus_middleware.services.security import Security
    >>> app = SecurityLog(None, record=Security().note)

    Args:
        app: Whose requests are watched.
        record: Takes the events; it must not wait.
        clock: Seconds since the epoch.
    """

    def __init__(self, app: App, *, record: Callable[[Event], object], clock: Callable[[], float] = time.time) -> None:
        super().__init__(app)
        self._record, self._clock = record, clock

    def watch(self, passage: Passage[Any]) -> None:
        if passage.request.again:
            return
        noted = False
        for trace in passage.chains:
            for i, reply in (trace.verdicts or {}).items():
                if reply.status >= 400:
                    layer, noted = trace.chain.layers[i], True
                    action = "refused" if layer.enforces(trace.request) else "would refuse"
                    self._note(passage, type(layer).__name__, reply.status, layer.why(trace.request), action)
        if not noted and passage.status in BY_STATUS:
            self._note(passage, "", passage.status, "", "refused")

    def _note(self, passage: Passage[Any], layer: str, status: int, why: str, action: str) -> None:
        request = passage.request
        kind = kind_of(layer, status, why) if layer else BY_STATUS[status]
        self._record(
            Event(
                kind,
                self._clock(),
                SEVERITY[kind],
                passage.client,
                plain(request.method, 16),
                plain(request.path),
                action,
                status,
                layer or "app",
                plain(why),
                request.request_id,
            )
        )
