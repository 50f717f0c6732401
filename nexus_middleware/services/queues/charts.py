"""How queues went over time: the methods of `Board` that tell it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import SettingsError
from ...rules.buckets import merged, percentile
from ..jobs.scripts import trip
from .shapes import Ends, History, Point, Throughput, point
from .twins import twin

if TYPE_CHECKING:
    from ..jobs.ledger import Ledger

FINEST = 6 * 3600  # seconds of history that are told by the minute
LONGEST = 31 * 86_400
STEPS = 60  # of what is told of all queues at once


class Charts:
    """What `Board` tells of time."""

    _ledger: Ledger

    def history(self, queue: str, *, window: int = 3600) -> History:
        """Tell how `queue` went in the last `window` seconds: by the minute up to six hours, else by the hour.

        How many waited, and how long the oldest, is looked at every few seconds by workers and web processes.

        Raises:
            SettingsError: the window is not between a minute and 31 days.
        """
        step = _span(window)
        at = f"{self._ledger.prefix}queues:every:{step}:{self._ledger.wire(queue)}"
        with trip():
            client: Any = self._ledger.client
            last = client.time()[0] // step  # by the clock that the scripts go by
            numbers = range(last - window // step + 1, last + 1)
            pipe: Any = client.pipeline(transaction=False)
            pipe.hvals(f"{self._ledger.prefix}queues:looked:{step}")
            for number in numbers:
                pipe.hgetall(f"{at}:{number}")
            looked, *told = pipe.execute()
        seen = {int(number) for number in looked}
        counts = [{k.decode(): int(v) for k, v in each.items()} for each in told]
        points = [
            point(number * step, each, looked=number in seen) for number, each in zip(numbers, counts, strict=True)
        ]
        return _history(step, points, counts)

    def throughput(self, queues: Sequence[str], *, window: int = 3600) -> Throughput:
        """Tell how many jobs of each of `queues` ended in the last `window` seconds, in 60 steps at the most.

        It is one trip, whose cost does not grow with the number of jobs.

        Raises:
            SettingsError: the window is not between a minute and 31 days.
        """
        span = _span(window)
        each = math.ceil(window / span / STEPS)
        steps = math.ceil(window / span / each)
        wires = [self._ledger.wire(queue) for queue in queues]
        first, rows = json.loads(self._ledger.run("throughput", span, each, steps, *wires))
        return Throughput(span * each, first, {queue: Ends(*row) for queue, row in zip(queues, rows, strict=True)})

    ahistory = twin(history)
    athroughput = twin(throughput)


def _span(window: int) -> int:
    """Return the seconds by which a window is told."""
    if not 60 <= window <= LONGEST:
        raise SettingsError(f"window={window} must be from 60 to {LONGEST} seconds")
    return 60 if window <= FINEST else 3600


def _history(step: int, points: list[Point], told: Sequence[Mapping[str, int]]) -> History:
    wait, run = (
        merged(
            {int(name[1:]): count for name, count in each.items() if name[0] == kind and name[1:].isdigit()}
            for each in told
        )
        for kind in ("w", "r")
    )
    whole = points[:-1] or points
    return History(
        step=step,
        points=points,
        wait=wait,
        run=run,
        wait_p50=_ms(percentile(wait, 0.5)),
        wait_p95=_ms(percentile(wait, 0.95)),
        run_p50=_ms(percentile(run, 0.5)),
        run_p95=_ms(percentile(run, 0.95)),
        throughput_per_minute=round(sum(point.done for point in whole) * 60 / (step * len(whole)), 2),
    )


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 2)
