"""Budgets for what is known to cost something only afterwards, such as the tokens of a language model."""

from __future__ import annotations

import hashlib
import os
from types import TracebackType
from typing import Any, Self

from ..errors import NexusError, SettingsError
from ..rules.budgets import Room
from ..stores import open_store
from ..stores.base import Store
from ..stores.commands import Reserve, Settle


class OverBudget(NexusError):
    """The budget has no room for the reservation; answer it with 429 and this Retry-After, in seconds."""

    def __init__(self, room: Room) -> None:
        super().__init__(f"over budget: {room.left} left, more in {room.wait:.0f} s")
        self.left, self.retry_after = room.left, room.wait


class Budget:
    """So much for each key in any window of time, shared by all processes.

    Reserve what it may cost at most, act, settle what it did cost. Only what costs more than its reservation takes the
    budget over the limit, and the next reservation waits for it. A process that dies in between gives its reservation
    back when its time is over.

    >>> budget = Budget("1000/hour")
    >>> with budget.reserve("ann", 600) as spent:
    ...     spent.settle(250)
    >>> budget.left("ann")
    750

    Args:
        limit: In the notation of `limits`, such as "100000/day".
        name: Tells budgets apart that share a store.
        store: Where it is kept; a URL names one store per process.
        lasts: Seconds after which a reservation that nobody settled is given back: longer than the act may take.

    Raises:
        SettingsError: the limit cannot be read, or an option does not fit.
    """

    def __init__(
        self, limit: str, *, name: str = "default", store: Store | str = "memory://", lasts: float = 300.0
    ) -> None:
        from limits import parse  # 70 ms that an import shall not cost

        try:
            item = parse(limit)
        except ValueError as error:
            raise SettingsError(f"limit={limit!r} must be like '100000/day'") from error
        if item.amount < 1 or lasts <= 0:
            raise SettingsError(f"limit={limit!r} and lasts={lasts} must be above 0")
        self.limit, self.window, self.lasts = item.amount, float(item.get_expiry()), lasts
        self.store = open_store(store) if isinstance(store, str) else store
        self._prefix = f"budget:{name}:{self.limit}/{self.window:g}:"

    def reserve(self, key: str, amount: int) -> Reservation:
        """Return a reservation of `amount`, to be entered by `with` or `async with`, which may raise `OverBudget`.

        Raises:
            ValueError: `amount` is below 1, or more than the whole limit.
        """
        if not 1 <= amount <= self.limit:
            raise ValueError(f"amount={amount} must be from 1 to the limit, {self.limit}")
        return Reservation(self, self._key(key), amount)

    def left(self, key: str) -> int:
        """Return what of the budget is neither spent nor reserved."""
        return self.store.run(self._question(key))[0].left  # type: ignore[no-any-return]

    async def aleft(self, key: str) -> int:
        """`left`, for the event loop."""
        return (await self.store.arun(self._question(key)))[0].left  # type: ignore[no-any-return]

    def _question(self, key: str) -> list[Reserve]:
        """Ask for more than there is: that is refused, told how much there is, and kept nowhere."""
        return [Reserve(self._key(key), "left", self.limit + 1, self.limit, self.window, self.lasts)]

    def _key(self, key: str) -> str:
        return self._prefix + hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


class Reservation:
    """A part of a budget that is held while the block runs.

    A block that ends well without `settle` has spent all of it; one that raises without it, nothing.
    """

    def __init__(self, budget: Budget, key: str, amount: int) -> None:
        self._budget, self._key, self.amount = budget, key, amount
        self._name = os.urandom(12).hex()
        self._spent: int | None = None

    def settle(self, amount: int) -> None:
        """Say what it did cost: 0 or more, and more than was reserved if so it was. Told when the block ends.

        Raises:
            ValueError: `amount` is below 0.
        """
        if amount < 0:
            raise ValueError(f"amount={amount} must be 0 or more")
        self._spent = amount

    def __enter__(self) -> Self:
        self._check(self._budget.store.run([self._asked()])[0])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._budget.store.run([self._told(failed=error is not None)])

    async def __aenter__(self) -> Self:
        self._check((await self._budget.store.arun([self._asked()]))[0])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._budget.store.arun([self._told(failed=error is not None)])

    def _asked(self) -> Reserve:
        budget = self._budget
        return Reserve(self._key, self._name, self.amount, budget.limit, budget.window, budget.lasts)

    def _check(self, room: Any) -> None:
        if not room.granted:
            raise OverBudget(room)

    def _told(self, *, failed: bool) -> Settle:
        spent = self._spent if self._spent is not None else 0 if failed else self.amount
        return Settle(self._key, self._name, spent, self._budget.window)
