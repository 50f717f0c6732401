"""Keep a dead or slow store from slowing every request."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from ..errors import StoreError


class Breaker:
    """A `with` block around each use of the store.

    A failure closes the way for `pause` seconds, in which every use raises `StoreError` at once; then one use is let
    through as a trial, and the others go on waiting for its outcome. What counts as a failure is any exception.
    """

    def __init__(self, pause: float = 0.5, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._pause, self._clock = pause, clock
        self._shut_until = 0.0  # 0 while all is well
        self._reason = ""

    def __enter__(self) -> None:
        if self._shut_until:
            now = self._clock()
            if now < self._shut_until:
                ago = f"less than {self._pause} s ago"
                raise StoreError(f"the store failed {ago}, and is not asked again yet: {self._reason}")
            self._shut_until = now + self._pause  # this one is the trial

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if error is None:
            self._shut_until = 0.0
        elif isinstance(error, Exception):
            self._shut_until = self._clock() + self._pause
            self._reason = str(error) or type(error).__name__  # redis-py names host and port in it, never a password
            raise StoreError(f"the store did not answer: {self._reason}") from error
