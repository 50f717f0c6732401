"""One fetch for all that want its value at the same time: threads, or the tasks of an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Awaitable, Callable, Generator
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

_FETCHING: ContextVar[frozenset[tuple[int, str]]] = ContextVar("fetching", default=frozenset())


class Flights:
    """The fetches that are on their way in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._pid = os.getpid()
        self._flights: dict[str, Flight] = {}
        self._tasks: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Task[bytes]]]
        self._tasks = WeakKeyDictionary()

    def lead(self, key: str) -> tuple[Flight, bool]:
        """Return the flight of `key`, and whether the caller is the one to fly it."""
        if self._pid != os.getpid():  # after a fork nobody flies on
            self._lock = threading.Lock()
            self._forget()
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None:
                return flight, False
            flight = self._flights[key] = Flight()
            return flight, True

    def fly(self, key: str, flight: Flight, fetch: Callable[[], bytes]) -> bytes:
        """Fetch, and hand the value or the failure to all who wait."""
        try:
            with self._over(key):
                value = fetch()
        except BaseException as error:
            flight.fail(error)
            raise
        else:
            flight.land(value)
            return value
        finally:
            self._flights.pop(key, None)

    def task(self, key: str, fetch: Callable[[], Awaitable[bytes]]) -> tuple[asyncio.Task[bytes], bool]:
        """Return the task that fetches `key` in this event loop, and whether it was begun now.

        It goes on if a caller is cancelled: wait for it through `asyncio.shield`.
        """
        tasks = self._tasks.setdefault(asyncio.get_running_loop(), {})
        task = tasks.get(key)
        if task is not None:
            return task, False

        async def fly() -> bytes:
            try:
                with self._over(key):
                    return await fetch()
            finally:
                tasks.pop(key, None)

        task = tasks[key] = asyncio.get_running_loop().create_task(fly())
        task.add_done_callback(_hear)
        return task, True

    def check(self, key: str) -> None:
        """See that it is not the fetch of `key` itself that asks for it.

        Raises:
            RuntimeError: it is, and would wait for itself.
        """
        if (id(self), key) in _FETCHING.get():
            raise RuntimeError(f"the fetch of {key!r} asks the cache for {key!r}")

    @contextlib.contextmanager
    def _over(self, key: str) -> Generator[None]:
        token = _FETCHING.set(_FETCHING.get() | {(id(self), key)})
        try:
            yield
        finally:
            _FETCHING.reset(token)


class Flight:
    """A fetch on its way, for which other threads wait."""

    def __init__(self) -> None:
        self._landed = threading.Event()
        self._value = b""
        self._error: BaseException | None = None

    def land(self, value: bytes) -> None:
        """Hand `value` to all who wait."""
        self._value = value
        self._landed.set()

    def fail(self, error: BaseException) -> None:
        """Raise `error` in all who wait."""
        self._error = error
        self._landed.set()

    def wait(self) -> bytes:
        """Return the value, or raise what the fetch raised."""
        self._landed.wait()
        if self._error is not None:
            raise self._error
        return self._value


def _hear(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()  # if all callers were cancelled, nobody else asks for it
