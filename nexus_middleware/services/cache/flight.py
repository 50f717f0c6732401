"""One fetch for all threads that want its value at the same time."""

from __future__ import annotations

import threading
from typing import Any


class Flight:
    """A fetch on its way, for which other threads wait."""

    def __init__(self) -> None:
        self._landed = threading.Event()
        self._value: Any = None
        self._error: BaseException | None = None

    def land(self, value: Any) -> None:
        """Hand `value` to all who wait."""
        self._value = value
        self._landed.set()

    def fail(self, error: BaseException) -> None:
        """Raise `error` in all who wait."""
        self._error = error
        self._landed.set()

    def wait(self) -> Any:
        """Return the value, or raise what the fetch raised."""
        self._landed.wait()
        if self._error is not None:
            raise self._error
        return self._value
