"""Limit how often each caller may call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil
from typing import Literal, TypeAlias, get_args

from ..errors import SettingsError
from ..http import App, Head, Reply, Request, problem
from ..rules.decisions import Ruling
from ..rules.networks import checked_prefix
from ..rules.windows import Allowance, Strategy
from ..stores.base import Store
from ..stores.borrowed import counted_in
from ..stores.commands import GiveBack, Hit
from ..stores.memory import MemoryStore
from ..stores.standby import standby_of
from .counting import Allowances, Book, Counted
from .keys import KeyOf, by_client
from .layer import Layer, Mode
from .limits import Compiled, CountWhen, LimitOf, Quota, Rule, compiled, refusal
from .passage import Want

Group: TypeAlias = tuple[Sequence[Rule], Strategy]
OnError: TypeAlias = Literal["local", "open", "closed"]
HeaderStyle: TypeAlias = Literal["ietf", "legacy", "both", "none"]


class RateLimit(Layer[Allowances]):
    """Answer 429 (RFC 6585, section 4) to a caller who calls more often than `limit`, such as "100/minute".

    Never is more than the limit admitted in any window of that length, over all processes that share the store, but
    under "gcra". Of several limits and rules that a call meets, a refused call uses up none.

    Args:
        app: What is protected.
        limit: In the notation of `limits`, a function of the request that returns it, or a list of `Rule`s, each of
            which counts on its own.
        strategy: "sliding-window" gives a burst back after exactly one window. "gcra" gives calls back one by one, at
            the limit's rate: smoother, but up to twice the limit may pass in one window. "fixed-window",
            "moving-window" and "sliding-window-counter" are those of `limits`, in its own storages and trips.
        key: Who is calling, for a limit that is no list of rules; None from it is not counted.
        store: Where the counts are; a URL names one store per process. With a strategy of `limits`, any URL of its.
        on_error: While the store is down, count in this process, admit everyone, or refuse everyone with 503.
        headers: What callers are told: the fields of the IETF's draft, X-RateLimit-*, both or none.
        count_when, exempt: As of `Rule`, for every rule that has none of its own.
        ipv6_prefix: An IPv6 caller is its network of so many bits; None for what an outer `TrustedProxies` says, or 64.
        mode: "shadow" decides and records, but refuses nobody and shows nothing.

    Raises:
        SettingsError: a limit cannot be read, or an option is none of those listed.
    """

    counts = True
    _book: Book  # what `prepare` has put here

    def __init__(  # noqa: PLR0913  # each is one choice, by its keyword
        self,
        app: App,
        limit: str | LimitOf | Sequence[Rule] = "100/minute",
        *,
        strategy: Strategy = "sliding-window",
        key: KeyOf = by_client,
        store: Store | str = "memory://",
        on_error: OnError = "local",
        headers: HeaderStyle = "ietf",
        count_when: CountWhen | None = None,
        exempt: Sequence[str] = (),
        ipv6_prefix: int | None = None,
        mode: Mode = "enforce",
    ) -> None:
        super().__init__(app, store=counted_in(store, strategy), mode=mode)
        self._ipv6_prefix = None if ipv6_prefix is None else checked_prefix(ipv6_prefix)
        for name, value, allowed in (("on_error", on_error, OnError), ("headers", headers, HeaderStyle)):
            if value not in get_args(allowed):
                raise SettingsError(f"{name}={value!r} must be one of {', '.join(get_args(allowed))}")
        rules = [Rule(limit, key=key)] if isinstance(limit, str) or callable(limit) else limit
        rules = [
            replace(rule, count_when=rule.count_when or count_when, exempt=rule.exempt or exempt) for rule in rules
        ]
        self._binding = self.mode == "enforce"
        self._asked_for: Mode = self.mode
        self._on_error, self._ietf, self._legacy = on_error, headers in ("ietf", "both"), headers in ("legacy", "both")
        self._standby = standby_of(self.store) if self.store is not None and self.store.waits else None
        # a store in this process is asked by `before`, and not by the chain
        here = self.store if type(self).ask is RateLimit.ask else None
        self._count = here.hit if isinstance(here, MemoryStore) else None
        self.prepare([(rules, strategy)])()

    def prepare(self, groups: Sequence[Group]) -> Callable[[], None]:
        """Compile other rules, each group with its strategy; return what puts them in the place of those that hold.

        Requests under way keep what they began with. The chain of this layer must be compiled again.

        Raises:
            SettingsError: a rule cannot be read, or two are called the same.
        """
        return self._taking(
            [x for rules, strategy in groups for x in compiled(rules, strategy, ipv6_prefix=self._ipv6_prefix)]
        )

    def _taking(self, made: list[Compiled]) -> Callable[[], None]:
        book = Book(made, binding=self._binding)

        def swap() -> None:
            self._book = book
            self.mode = self._asked_for if book.rules else "off"
            unused = {"ask"} if self._count is not None else set[str]()
            # a step less for every request, if nothing is given back
            self.steps = type(self).steps - (unused if book.gives_back else unused | {"done"})

        return swap

    def ask(self, request: Request) -> Hit | Literal[Want.NO_MORE] | None:
        if request.again or (counted := self._book.asked(request)) is None:
            return None
        request.notes[self] = counted
        if self._standby is not None and (said := self._standby.refusal(counted.hit)) is not None:
            counted.hear(said)
            return Want.NO_MORE if self.mode == "enforce" else None
        return counted.hit

    def before(self, request: Request, answer: Allowances | None) -> Reply | None:
        if answer is None and self._count is not None:
            return self._at_once(request)
        counted: Counted | None = request.notes.get(self)
        if counted is None:
            return None
        if answer is not None:
            counted.hear(answer)
            if self._standby is not None:
                self._standby.heard(counted.hit, answer, lasting=not self._book.gives_back)
        elif not counted.answers:  # no refusal that was known before
            if self._on_error == "closed" and counted.quotas:
                return problem(request, 503, "Calls cannot be counted just now.", headers=((b"retry-after", b"1"),))
            if self._on_error == "local" and self._standby is not None:
                counted.here = True
                counted.hear(self._standby.run(counted.hit))
        return _judged(request, counted)

    def _at_once(self, request: Request) -> Reply | None:
        """Count in this process."""
        if request.again or (counted := self._book.asked(request, self._count)) is None:
            return None
        request.notes[self] = counted
        answers = counted.answers
        if len(answers) == 1 and answers[0].allowed and not counted.unseen:  # nearly always
            return None
        return _judged(request, counted)

    def enforces(self, request: Request) -> bool:
        counted: Counted | None = request.notes.get(self)
        return self.mode == "enforce" and not (counted is not None and counted.unbound)

    def after(self, request: Request, head: Head) -> None:
        counted: Counted | None = request.notes.get(self)
        if counted is None or not counted.answers:
            return
        if len(counted.quotas) == 1:  # nearly always
            (quota,), (said,) = counted.quotas, counted.answers
            policy = quota.policy
        else:
            quota, said = counted.tightest()
            policy = b"ratelimit-policy", b", ".join([quota.policy[1] for quota in counted.quotas])
        reset = ceil(said.reset_after)
        if self._ietf:
            head.headers += (policy, (b"ratelimit", quota.told % (said.remaining, reset)))
        if self._legacy:
            head.add(b"x-ratelimit-limit", b"%d" % quota.limit.amount)
            head.add(b"x-ratelimit-remaining", b"%d" % said.remaining)
            head.add(b"x-ratelimit-reset", b"%d" % reset)

    def done(self, request: Request, status: int) -> GiveBack | None:
        counted: Counted | None = request.notes.get(self)
        if counted is None:
            return None
        taken = tuple(
            [
                (key, limit, said)
                for quota, (key, limit), said in counted.all()
                if said.at and quota.count_when is not None and not quota.count_when(request, status)
            ]
        )
        if taken and counted.here and self._standby is not None:
            self._standby.give_back(taken)
            return None
        return GiveBack(taken) if taken else None

    def covers(self, path: str) -> bool:
        """Whether some rule that may refuse is about this path, or lets it off on purpose."""
        rules = [rule for rule in self._book.rules if not rule.shadow]
        return self.mode == "enforce" and any(rule.about(path) or rule.exempts(path) for rule in rules)

    @property
    def rules(self) -> list[Compiled]:
        """The rules that hold now."""
        return self._book.rules

    def why(self, request: Request) -> str:
        counted: Counted | None = request.notes.get(self)
        if counted is None or not (counted.answers or counted.unseen):
            return "not counted"
        told = [f"{quota.name}: {_left(quota, x)}" for quota, x in zip(counted.quotas, counted.answers, strict=False)]
        for quota, x in zip(counted.watched, counted.unseen, strict=False):
            told.append(f"{quota.name} (shadow): {_left(quota, x)}{'' if x.allowed else ', would refuse'}")
        return "; ".join(told)

    def rulings(self, request: Request) -> list[Ruling]:
        counted: Counted | None = request.notes.get(self)
        if counted is None:
            return []
        binding = self.mode == "enforce"
        return [
            Ruling(
                quota.name,
                said.allowed,
                binding and quota not in counted.watched,
                key.removeprefix(quota.prefix),
                quota.limit.amount - said.remaining,
                quota.limit.amount,
                quota.limit.window,
            )
            for quota, (key, _), said in counted.all()
        ]


def _judged(request: Request, counted: Counted) -> Reply | None:
    """Return what the answers come to: a refusal, or one of rules in shadow alone, which is only recorded."""
    for allowance in counted.answers:
        if not allowance.allowed:
            return refusal(request, counted.quotas, counted.answers)
    counted.unbound = any(not said.allowed for said in counted.unseen)
    return refusal(request, counted.watched, counted.unseen) if counted.unbound else None


def _left(quota: Quota, said: Allowance) -> str:
    return f"{said.remaining} of {quota.limit.amount} left"
