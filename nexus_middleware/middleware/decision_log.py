"""Keep what each layer decided about a request, and tell administrators in a header."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from ..errors import SettingsError
from ..http import App, Head, Request
from ..rules.decisions import Record, brief, opens, outcome
from ..rules.security_events import plain
from .layer import Layer
from .passage import Passage

HEADER = b"x-nexus-decisions"


class DecisionLog(Layer[None]):
    """Hand a `Record` to `record` for each request that a layer refused or, in shadow mode, would have refused.

    It reads what the chain has noted anyway, once the request is over; a request that nobody refuses costs nothing,
    unless it is one of the sample. A request whose X-Nexus-Decisions has a key that `sign(secret, until)` made is told
    the decisions in a header of that name.

    >>> app = DecisionLog(None, record=print, sample=0.01)

    Args:
        app: Whose requests are looked at.
        record: Takes the records; it must not wait.
        sample: Share, from 0 to 1, of the other requests that are recorded too.
        secret: What keys are signed with; "" tells nobody.
        clock: Seconds since the epoch.
        chance: A number from 0 to 1, by chance.

    Raises:
        SettingsError: `sample` is no share.
    """

    def __init__(
        self,
        app: App,
        *,
        record: Callable[[Record], object],
        sample: float = 0.0,
        secret: str = "",
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(app)
        if not 0 <= sample <= 1:
            raise SettingsError(f"sample={sample} must be a share from 0 to 1")
        self._record, self._sample, self._secret = record, sample, secret
        self._clock, self._chance = clock, chance
        unused = {step for step, used in (("after", bool(secret)), ("done", sample > 0)) if not used}
        self.steps -= unused  # a step less for every request

    def after(self, request: Request, head: Head) -> None:
        key = request.header(HEADER)
        if key is not None and opens(self._secret, key.decode("latin-1"), self._clock()):
            head.set(HEADER, brief(request.trace.decisions).encode("latin-1", "replace"))
            head.set(b"cache-control", b"private, no-store")  # it is for one reader

    def done(self, request: Request, status: int) -> None:
        if not request.again and self._chance() < self._sample:
            request.notes[self] = True
            self._keep(request.trace, status)

    def watch(self, passage: Passage[Any]) -> None:
        if passage.request.again or self in passage.request.notes:
            return
        if any(trace.refused for trace in passage.chains):
            self._keep(passage, passage.status)

    def _keep(self, trace: Any, status: int) -> None:
        decisions, request = trace.decisions, trace.request
        self._record(
            Record(
                request.request_id,
                self._clock(),
                trace.client,
                plain(request.method, 16),
                plain(request.path),
                status,
                outcome(decisions),
                tuple(decisions),
            )
        )
