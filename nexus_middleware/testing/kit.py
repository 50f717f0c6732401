"""What tests do to the limits, bans and expiry times around them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Any, cast
from unittest.mock import patch

from ..errors import StoreError
from ..middleware.counting import Book
from ..middleware.limits import NOTHING, Compiled
from ..stores.base import LIVE
from ..stores.blocks import Blocks
from ..stores.memory import MemoryStore
from ..stores.standby import Standby

LOG = logging.getLogger("nexus_middleware")


class Clock:
    """Time that passes only when a test says so, in seconds."""

    def __init__(self) -> None:
        self.passed = 0.0

    def advance(self, seconds: float) -> None:
        """Let that much time pass."""
        self.passed += seconds

    def after(self, now: float) -> Callable[[], float]:
        """Return a clock that showed `now` at the beginning."""
        return lambda: now + self.passed


@contextmanager
def freeze() -> Generator[Clock]:
    """Let time stand still for limits, bans and what stores keep for a time, whether they exist already or are made meanwhile.

    A Redis keeps deleting by its own clock what its time has come for. The strategies of `limits` keep real time.

    >>> from nexus_middleware.stores.memory import MemoryStore
    >>> from nexus_middleware.stores.commands import Get, Put
    >>> with freeze() as clock:
    ...     store = MemoryStore()
    ...     kept = store.run([Put("key", b"value", 60)])
    ...     clock.advance(60)
    ...     store.run([Get("key")])
    [None]
    """
    from ..services.security import Security  # the plugin of pytest is loaded in every suite, and shall cost nothing
    from ..stores.redis import RedisStore

    clock = Clock()
    with ExitStack() as stack:
        for each in [*LIVE]:
            stack.enter_context(patch.object(each, "clock", clock.after((each.clock or time.time)())))
        for make, now in (
            (MemoryStore.__init__, time.monotonic()),
            (Standby.__init__, time.monotonic()),
            (RedisStore.__init__, time.time()),
            (Security.__init__, time.time()),
            (Blocks.__init__, time.time()),
        ):
            stack.enter_context(patch.dict(cast("dict[str, Any]", make.__kwdefaults__), clock=clock.after(now)))
        yield clock


def reset() -> None:
    """Forget all counts, refusals, blocked addresses and bans, and what else stores of this process's memory hold.

    In a Redis only what is this package's own is deleted, of limits and bans, in the namespace of each store that is open.
    One that does not answer is named in the log, and the others are reset: an earlier test may have ended its server.
    """
    for each in [*LIVE]:
        try:
            each.forget()
        except StoreError as error:
            LOG.warning("a store was not reset: %s", error)


@contextmanager
def disable() -> Generator[None]:
    """Let everybody through, as often as they like: no `RateLimit`, `limit` or `allow` counts anything.

    >>> from nexus_middleware import RateLimit
    >>> with disable():
    ...     pass  # call your app
    """
    nothing = patch.object(Compiled, "asked", lambda self, request: NOTHING)  # of handlers and calls
    with nothing, patch.object(Book, "asked", lambda self, request, count=None: None):
        yield


def assert_limited(call: Callable[[], Any], *, after: int) -> Any:
    """Call `after` times, which must pass, and once more, which must be refused with 429 and Retry-After.

    Args:
        call: Makes one request and returns the response, which has `status_code` or `status`, and `headers`.
        after: How many calls pass.

    Returns:
        The response that refuses.

    Raises:
        AssertionError: it says which call was answered how.
    """
    for number in range(1, after + 1):
        response = call()
        if _status(response) == 429:
            raise AssertionError(f"call {number} of {after} was refused already: {_status(response)}")
    response = call()
    if _status(response) != 429:
        raise AssertionError(f"call {after + 1} was answered {_status(response)}, not refused with 429")
    headers = {str(name).lower(): value for name, value in dict(response.headers).items()}
    if not str(headers.get("retry-after", "")).isdecimal():
        raise AssertionError("the refusal does not say in Retry-After when to come again")
    return response


def _status(response: Any) -> int:
    return int(getattr(response, "status_code", None) or response.status)
