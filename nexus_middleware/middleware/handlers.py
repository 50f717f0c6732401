"""Limits on single handlers of a framework, and the question whether one more call is allowed."""

from __future__ import annotations

import inspect
import logging
import math
import re
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache, wraps
from typing import Any, TypeVar, cast

from ..errors import StoreError
from ..http import Reply, Request
from ..rules.windows import BORROWED, Allowance, Strategy
from ..stores import open_store
from ..stores.base import Store
from ..stores.borrowed import counted_in
from ..stores.commands import Hit
from ..stores.memory import MemoryStore
from ..stores.standby import standby_of
from .carriers import INJECTED, carrier_of, closes, response, seen_by_layers, signature
from .keys import KeyOf, by_client
from .limits import Compiled, LimitOf, Quota, Rule, compiled, refusal

F = TypeVar("F", bound=Callable[..., Any])
HERE = MemoryStore()  # for handlers without layers around them
log = logging.getLogger("nexus_middleware")


def limit(  # each is one choice, by its keyword
    notation: str | LimitOf,
    *,
    key: KeyOf = by_client,
    name: str = "",
    cost: int = 1,
    strategy: Strategy = "sliding-window",
    store: Store | str | None = None,
) -> Callable[[F], F]:
    """Limit how often each caller may call one handler; who calls more often gets 429, and the handler does not run.

    The handler may be sync or async, of Starlette, FastAPI, Flask, Quart, Django, Litestar or Falcon; put this below the
    framework's own decorator. It may be a Litestar guard or a Falcon hook as well. Each handler counts for itself.

    Args:
        notation: As `limit` of `Rule`.
        key: Who is calling; None from it is not counted.
        name: What callers are told the limit is called; the handler's own name if empty.
        cost: What one call counts.
        strategy: As of `RateLimit`.
        store: Where the counts are; None for the store of the layers around the app, or this process without any.

    Raises:
        SettingsError: the limit cannot be read.
    """

    def decorate(handler: F) -> F:
        place = f"{handler.__module__}.{handler.__qualname__}"
        called = name or re.sub(r"[^A-Za-z0-9._-]+", "-", handler.__name__)[:64]
        gate = _Gate(Rule(notation, key=key, name=called, cost=cost), place, strategy, store)
        injected = signature(handler)
        make = _guarded_async if inspect.iscoroutinefunction(handler) else _guarded
        guarded = make(handler, gate, injected=injected is not None)
        if injected is not None:
            guarded.__signature__ = injected  # type: ignore[attr-defined]
        return cast("F", guarded)

    return decorate


async def allow(
    request: Any,
    limit: str,
    *,
    key: KeyOf = by_client,
    name: str = "allow",
    cost: int = 1,
    store: Store | str | None = None,
) -> Allowance:
    """Count one call, and say whether it is allowed; of several limits the tightest answers.

    Args:
        request: Of any framework that `limit` knows.
        limit: In the notation of `limits`, such as `RateLimits.AUTH`.
        key: Who is calling; None from it is not counted.
        name: Whose count it is: one name with one limit is one count, wherever it is asked.
        cost: What this call counts.
        store: As of the decorator `limit`.

    Raises:
        SettingsError: the limit cannot be read.
    """
    return _tightest(*await _gate(limit, key, name, cost, store).count_async(request))


def allow_now(
    request: Any,
    limit: str,
    *,
    key: KeyOf = by_client,
    name: str = "allow",
    cost: int = 1,
    store: Store | str | None = None,
) -> Allowance:
    """`allow` for handlers that are not async."""
    return _tightest(*_gate(limit, key, name, cost, store).count(request))


class _Gate:
    """A rule that is asked from inside the app."""

    def __init__(self, rule: Rule, place: str, strategy: Strategy, store: Store | str | None) -> None:
        def key(request: Request) -> str | None:  # apart from the counts of layers, and of other handlers
            caller = rule.key(request)
            return None if caller is None else f"{place}:{caller}"

        own = Rule(rule.limit, key=key, name=rule.name, cost=rule.cost)
        self.rule: Compiled = compiled([own], strategy)[0]
        self._strategy: Strategy = strategy
        self._store: Store | None = None  # where this counts, if that is known; kept, since what nobody holds is gone
        if isinstance(store, str) and strategy not in BORROWED:
            self._store = open_store(store)
        elif store is not None:
            self._store = cast("Store", counted_in(store, strategy))

    def count(self, carrier: Any) -> tuple[Request, Sequence[Quota], Sequence[Allowance]]:
        """Count a call from a thread."""
        request, store, quotas, hit = self._asked(carrier)
        if (known := self._known(store, quotas, hit)) is not None:
            return request, quotas, known
        try:
            return request, quotas, self._heard(store, hit, store.run([hit])[0])
        except StoreError as error:
            return request, quotas, _down(request, store, hit, error)

    async def count_async(self, carrier: Any) -> tuple[Request, Sequence[Quota], Sequence[Allowance]]:
        """Count a call from the event loop; Flask runs each async handler in a loop of its own, which may wait."""
        if not hasattr(carrier, "scope"):
            return self.count(carrier)
        request, store, quotas, hit = self._asked(carrier)
        if (known := self._known(store, quotas, hit)) is not None:
            return request, quotas, known
        try:
            return request, quotas, self._heard(store, hit, (await store.arun([hit]))[0])
        except StoreError as error:
            return request, quotas, _down(request, store, hit, error)

    def _known(self, store: Store, quotas: Sequence[Quota], hit: Hit) -> Sequence[Allowance] | None:
        if not quotas:
            return ()
        return standby_of(store).refusal(hit) if store.waits else None

    def _heard(self, store: Store, hit: Hit, answer: tuple[Allowance, ...]) -> Sequence[Allowance]:
        if store.waits:
            standby_of(store).heard(hit, answer)
        return answer

    def _asked(self, carrier: Any) -> tuple[Request, Store, Sequence[Quota], Hit]:
        request, around = seen_by_layers(carrier)
        quotas, limits = self.rule.asked(request)
        hit = Hit(() if request.again else limits)
        store = self._store or around or HERE
        if self._strategy in BORROWED and self._store is None:
            self._store = store = cast("Store", counted_in(store, self._strategy))
        return request, store, quotas if hit.limits else (), hit


def _made(limit: str, key: KeyOf, name: str, cost: int, store: Store | str | None) -> _Gate:
    return _Gate(Rule(limit, key=key, name=name, cost=cost), "allow", "sliding-window", store)


_gate = cast("Callable[..., _Gate]", lru_cache(256)(_made))


def _tightest(_request: Request, quotas: Sequence[Quota], answers: Sequence[Allowance]) -> Allowance:
    if not quotas:
        return Allowance(True, sys.maxsize, 0.0)  # not counted
    return min(answers, key=lambda x: (x.allowed, x.remaining, -x.reset_after))


def _down(request: Request, store: Store, hit: Hit, error: StoreError) -> tuple[Allowance, ...]:
    request.degraded = True
    log.error("the store is down; a handler's calls are counted in this process: %s", error)
    return standby_of(store).run(hit)


def _guarded(handler: Callable[..., Any], gate: _Gate, *, injected: bool) -> Callable[..., Any]:
    @wraps(handler)
    def guarded(*args: Any, **options: Any) -> Any:
        carrier = carrier_of(handler, args, options)
        if injected:
            options.pop(INJECTED, None)
        request, quotas, answers = gate.count(carrier)
        if all(x.allowed for x in answers):
            return handler(*args, **options)
        return response(carrier, _dressed(refusal(request, quotas, answers), quotas, answers))

    return guarded


def _guarded_async(handler: Callable[..., Any], gate: _Gate, *, injected: bool) -> Callable[..., Any]:
    @wraps(handler)
    async def guarded(*args: Any, **options: Any) -> Any:
        carrier = carrier_of(handler, args, options)
        if injected:
            options.pop(INJECTED, None)
        request, quotas, answers = await gate.count_async(carrier)
        if all(x.allowed for x in answers):
            return await handler(*args, **options)
        if closes(carrier):
            return await carrier.close(1008)
        return response(carrier, _dressed(refusal(request, quotas, answers), quotas, answers))

    return guarded


def _dressed(reply: Reply, quotas: Sequence[Quota], answers: Sequence[Allowance]) -> Reply:
    policy = b", ".join([quota.policy[1] for quota in quotas])
    full = [pair for pair in zip(quotas, answers, strict=True) if not pair[1].allowed]
    quota, said = max(full, key=lambda pair: pair[1].reset_after)
    told = quota.told % (said.remaining, math.ceil(said.reset_after))
    return Reply(reply.status, reply.body, (*reply.headers, (b"ratelimit-policy", policy), (b"ratelimit", told)))
