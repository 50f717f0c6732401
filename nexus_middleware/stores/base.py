"""The one protocol every store speaks, and which store a URL names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, Protocol, TypeVar
from weakref import WeakSet

from .commands import Command

E = TypeVar("E")
R = TypeVar("R")


class Ear(Protocol):
    """What hears a channel; its methods are called in the listener's thread."""

    def joined(self) -> None: ...  # it hears all from now on, and has heard nothing for a while
    def heard(self, message: bytes) -> None: ...
    def lost(self) -> None: ...  # the line is cut; it is tried again
    def idle(self, now: float) -> None: ...  # several times a second; `now` never goes backwards


class Listening:
    """A line to a channel of the store; `over` once it is closed."""

    over = False


class Forgets(Protocol):
    """What keeps counts or blocks, by a clock, and can forget them; for tests."""

    clock: Any  # a function that returns seconds; None for the server's own

    def forget(self) -> None: ...


LIVE: WeakSet[Forgets] = WeakSet()  # all of this process


class Store(Protocol):
    """Answers commands, in order, in one round trip: `run` for threads, `arun` for the event loop."""

    url: str
    waits: bool  # False: `run` answers from this process without waiting, so the event loop may call it

    def run(self, commands: Sequence[Command[Any]]) -> list[Any]: ...
    async def arun(self, commands: Sequence[Command[Any]]) -> list[Any]: ...
    async def aopen(self) -> None: ...  # connects before a request has to; never fails
    def tick(self, now: float) -> None: ...  # called once a second by the thread in the background
    def check(self) -> None: ...  # raises StoreError, which says what to do, if nobody answers
    def close(self) -> None: ...
    async def aclose(self) -> None: ...
    def listen(self, channel: str, ear: Ear) -> Listening: ...  # in a thread of its own, until the store is closed


def drive(steps: Generator[E, Any, R], perform: Callable[[E], Any]) -> R:
    """Perform each effect that `steps` yields, hand its outcome or failure back, and return what `steps` returns."""
    try:
        effect = next(steps)
        while True:
            try:
                outcome = perform(effect)
            except Exception as error:  # noqa: BLE001  # raised where `steps` waits, which may know what to do
                effect = steps.throw(error)
            else:
                effect = steps.send(outcome)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


async def adrive(steps: Generator[E, Any, R], perform: Callable[[E], Awaitable[Any]]) -> R:
    """`drive`, for the event loop."""
    try:
        effect = next(steps)
        while True:
            try:
                outcome = await perform(effect)
            except Exception as error:  # noqa: BLE001
                effect = steps.throw(error)
            else:
                effect = steps.send(outcome)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
