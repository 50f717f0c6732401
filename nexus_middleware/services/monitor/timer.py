"""Time a stretch of code, and the stages in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import msgspec


class Timing(msgspec.Struct, frozen=True):
    """How long something took, in milliseconds: in all, and up to each mark."""

    total: float
    marks: dict[str, float]


class PerformanceTimer:
    """Started when it is made; `mark` notes a stage, `end` gives the times.

    >>> with PerformanceTimer("import") as timer:
    ...     reached = timer.mark("parsed")
    >>> timer.end().marks == {"parsed": reached}
    True

    Args:
        name: What is timed.
        note: What is told of the name and each mark, "import: parsed", with the milliseconds and whether it failed, such
            as `Monitor.track_timer`; `Monitor.timer` gives a timer that has it.
        clock: Seconds that never go backwards.
    """

    def __init__(
        self,
        name: str,
        *,
        note: Callable[[str, float, bool], None] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.name = name
        self._clock, self._note = clock, note
        self._began = clock()
        self._marks: dict[str, float] = {}
        self._timing: Timing | None = None
        self._failed = False

    def mark(self, label: str) -> float:
        """Note that the stage `label` is reached, and return the milliseconds since the start."""
        self._marks[label] = passed = self._passed()
        return passed

    def end(self) -> Timing:
        """Stop, and return the times; what is called first stops the clock."""
        if self._timing is None:
            self._timing = Timing(self._passed(), {**self._marks})
            if self._note is not None:
                self._note(self.name, self._timing.total, self._failed)
                for label, passed in self._timing.marks.items():
                    self._note(f"{self.name}: {label}", passed, False)
        return self._timing

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._failed = error is not None
        self.end()

    def _passed(self) -> float:
        return (self._clock() - self._began) * 1000
