"""A limit of its own for wrong tokens, so that none is found by trying."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from ..errors import StoreError
from ..middleware.keys import store_key
from ..rules.networks import IPV6_PREFIX, bucket
from ..rules.windows import Allowance, Limit
from ..stores.base import Store
from ..stores.commands import Hit
from ..stores.memory import MemoryStore
from .answers import Problem

FAILURES = Limit(5, 15 * 60.0)
MANY = 10_000  # clients that are remembered here as shut out


class Attempts:
    """Counts wrong tokens by client, and shuts a client out, right token or not, when it had too many.

    Args:
        store: Where they are counted, for all processes; while it is down they are counted in this one.
        ipv6_prefix: An IPv6 client is its network of so many bits.
        clock: Seconds that never go backwards.
    """

    def __init__(
        self, store: Store, *, ipv6_prefix: int = IPV6_PREFIX, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._prefix, self._clock = store, ipv6_prefix, clock
        self._own = MemoryStore(max_callers=MANY)
        self._until: dict[str, float] = {}

    def check(self, client: str) -> None:
        """Raise the 429 of a client that is shut out."""
        left = self._until.get(bucket(client, self._prefix), 0.0) - self._clock()
        if left > 0:
            raise _too_many(left)

    async def failed(self, client: str) -> None:
        """Count a wrong token; raise the 429 if it was one too many."""
        caller = bucket(client, self._prefix)
        commands = [Hit(((f"admin:failed:{store_key(caller)}", FAILURES),))]
        try:
            answers = await self._store.arun(commands)
        except StoreError:
            answers = self._own.run(commands)
        verdict: Allowance = answers[0][0]
        if not verdict.allowed:
            self._remember(caller, self._clock() + verdict.reset_after)
            raise _too_many(verdict.reset_after)

    def _remember(self, caller: str, until: float) -> None:
        if len(self._until) >= MANY:
            self._until = {key: end for key, end in self._until.items() if end > self._clock()}
        if len(self._until) < MANY:  # beyond it the store alone decides
            self._until[caller] = until


def _too_many(left: float) -> Problem:
    wait = str(math.ceil(left))
    return Problem(429, "too_many_attempts", "too many wrong tokens came from this address", {"Retry-After": wait})
