"""What a limit asks about one request, and what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import TypeAlias

import msgspec

from ..http import Request
from ..rules.remembered import Remembered
from ..rules.windows import Allowance, Limit
from ..stores.commands import Hit
from .limits import CALLERS, Asked, Compiled, Quota, apart

Allowances: TypeAlias = tuple[Allowance, ...]


class Counted(msgspec.Struct):
    """What was asked about one request, and what the store said."""

    hit: Hit
    quotas: tuple[Quota, ...]
    watched: tuple[Quota, ...] = ()  # of rules in shadow
    answers: Allowances = ()
    unseen: Allowances = ()  # what `watched` say
    here: bool = False  # counted in this process, since the store is down
    unbound: bool = False  # only rules in shadow would refuse

    def hear(self, answers: Allowances) -> None:
        """Take what the store said: of rules that may refuse, then of those in shadow."""
        size = len(self.quotas)
        self.answers, self.unseen = answers[:size], answers[size:]

    def tightest(self) -> tuple[Quota, Allowance]:
        """Return the limit that refuses, or the one of which least is left."""
        pairs = zip(self.quotas, self.answers, strict=True)
        return min(pairs, key=lambda pair: (pair[1].allowed, pair[1].remaining))

    def all(self) -> Iterator[tuple[Quota, tuple[str, Limit], Allowance]]:
        """Go through everything that was answered."""
        limits = (*self.hit.limits, *chain.from_iterable(self.hit.shadows))
        return zip(self.quotas + self.watched, limits, self.answers + self.unseen, strict=False)  # none if it failed


class Book:
    """Rules that hold together, compiled; never changed, only replaced whole.

    Args:
        rules: All of them.
        binding: Whether a refusal binds what is asked after it.

    Raises:
        SettingsError: two are called the same.
    """

    def __init__(self, rules: list[Compiled], *, binding: bool) -> None:
        self.rules, self._binding = rules, binding
        apart(rules)
        self._everywhere = all(each.everywhere for each in rules)
        simple = self._everywhere and len(rules) == 1 and not rules[0].shadow and rules[0].quotas
        self._only = rules[0] if simple else None  # the one rule, which is about every call, with one limit for all
        self._hits = Remembered(self._hit, most=CALLERS)  # what `_only` asks, by caller
        self.gives_back = any(each.rule.count_when for each in rules)  # so that a refusal may end sooner

    def asked(self, request: Request, count: Callable[[Hit], Allowances] | None = None) -> Counted | None:
        """Return what is asked about a request, and what `count` answers if that is known at once.

        None if the request is not counted.
        """
        only = self._only
        if only is not None:  # nearly always
            caller = only.caller(request)
            if caller is None:
                return None
            hit = self._hits[caller]
            return Counted(hit, only.quotas, (), () if count is None else count(hit))
        rules = self.rules if self._everywhere else [rule for rule in self.rules if rule.meets(request)]
        counted = _gathered(rules, request, binding=self._binding)
        if not counted.hit.limits and not counted.hit.shadows:
            return None
        if count is not None:
            counted.hear(count(counted.hit))
        return counted

    def _hit(self, caller: str) -> Hit:
        _, limits = self.rules[0].keyed(caller)
        return Hit(limits, self._binding)


def _gathered(rules: list[Compiled], request: Request, *, binding: bool) -> Counted:
    """Return what several rules ask of one request, those in shadow each for itself."""
    quotas: tuple[Quota, ...] = ()
    watched: tuple[Quota, ...] = ()
    limits: Asked = ()
    shadows: tuple[Asked, ...] = ()
    for rule in rules:
        own, asked = rule.asked(request)
        if not asked:
            continue
        if rule.shadow:
            watched, shadows = watched + own, (*shadows, asked)
        else:
            quotas, limits = quotas + own, limits + asked
    return Counted(Hit(limits, binding, shadows), quotas, watched)
