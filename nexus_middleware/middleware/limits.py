"""Limits as they are written down, and as they are met: what a `Rule` is about, and what its calls count on."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, TypeAlias, get_args

from ..errors import SettingsError
from ..http import Reply, Request, problem
from ..rules.paths import exemption, matcher
from ..rules.remembered import Remembered
from ..rules.windows import BORROWED, Allowance, Limit, Strategy
from .keys import KeyOf, by_client, store_key, within

NAME = re.compile(r"[A-Za-z0-9._-]{1,64}").fullmatch
QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded"
CALLERS = 4096  # whose keys a rule keeps ready, if they are short
PLANS = 256  # notations that one rule keeps ready; the one not met for longest is read again
LimitOf: TypeAlias = Callable[[Request], str | None]
CountWhen: TypeAlias = Callable[[Request, int], bool]
Asked: TypeAlias = tuple[tuple[str, Limit], ...]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One limit, and which calls it is about.

    Args:
        limit: In the notation of `limits`: "100/minute", or "10/second;1000/hour" for both. Or a function of the
            request that returns one, such as that of the caller's plan; None from it is not counted.
        path: "/auth/*" is all below /auth and itself, in every spelling of it; "*" is every path.
        methods: Such as ("POST",); () for all. HEAD counts as GET.
        exempt: Paths that it is not about, such as ("/static/*",); other spellings of them are not let off.
        key: Who is calling; None from it is not counted.
        name: What callers are told it is called, and a part of its keys in the store.
        cost: What one call counts.
        count_when: Told the request and the response's status: whether the call counts. It is counted on its way in
            and given back if not. None counts every call.
        mode: "shadow" counts what the other rules let pass, refuses nobody and shows nothing; "off" is as if it were
            not there.
    """

    limit: str | LimitOf = field(kw_only=False)
    path: str = "*"
    methods: tuple[str, ...] = ()
    exempt: Sequence[str] = ()
    key: KeyOf = by_client
    name: str = "default"
    cost: int = 1
    count_when: CountWhen | None = None
    mode: Literal["enforce", "shadow", "off"] = "enforce"


class Quota:
    """One limit of a rule, and how callers are told of it (draft-ietf-httpapi-ratelimit-headers)."""

    __slots__ = ("count_when", "limit", "name", "policy", "prefix", "told")

    def __init__(self, name: str, limit: Limit, count_when: CountWhen | None) -> None:
        self.name, self.limit, self.count_when = name, limit, count_when
        kind = "" if limit.strategy == "sliding-window" else f"{limit.strategy}:"  # what is kept is not alike
        self.prefix = f"rate:{name}:{kind}{limit.amount}/{limit.window:g}:"
        self.policy = b"ratelimit-policy", b'"%s";q=%d;w=%d' % (name.encode(), limit.amount, limit.window)
        self.told = b'"%s";r=%%d;t=%%d' % name.encode()  # a name has no percent sign


class Compiled:
    """A rule, ready to be met.

    Raises:
        SettingsError: the rule cannot be read.
    """

    def __init__(self, rule: Rule, strategy: Strategy, ipv6_prefix: int | None = None) -> None:
        if not NAME(rule.name):
            raise SettingsError(f"name={rule.name!r} must be of letters, digits, '.', '_' and '-'")
        if rule.mode not in ("enforce", "shadow", "off"):
            raise SettingsError(f"mode={rule.mode!r} must be one of enforce, shadow, off")
        self.rule, self.shadow = rule, rule.mode == "shadow"
        self._strategy: Strategy = strategy
        self._read = lru_cache(PLANS)(self._quotas)
        self._known = Remembered(self.keyed, most=CALLERS)
        self.quotas = self._read(rule.limit) if isinstance(rule.limit, str) else ()  # () if each request has its own
        self.caller = rule.key if ipv6_prefix is None else within(rule.key, ipv6_prefix)
        if isinstance(rule.exempt, str):
            raise SettingsError(f"exempt={rule.exempt!r} must be a tuple of paths, such as ({rule.exempt!r},)")
        self._path, self.exempts = matcher(rule.path), exemption(rule.exempt)
        methods = {method.upper() for method in rule.methods}
        self._methods = methods | {"HEAD"} if "GET" in methods else methods

    @property
    def names(self) -> list[str]:
        """What its limits are called."""
        return [quota.name for quota in self.quotas] or [self.rule.name]

    def asked(self, request: Request) -> tuple[tuple[Quota, ...], Asked]:
        """Return the limits that this call counts on, each with its caller's key; none if it is not counted."""
        caller = self.caller(request)
        if caller is None:
            return NOTHING
        if self.quotas:  # nearly always
            return self._known[caller]
        quotas, caller = self._planned(request), store_key(caller)
        return quotas, tuple([(quota.prefix + caller, quota.limit) for quota in quotas])

    def keyed(self, caller: str) -> tuple[tuple[Quota, ...], Asked]:
        """Return the limits that are the same for all, each with the key of `caller`."""
        caller = store_key(caller)
        return self.quotas, tuple([(quota.prefix + caller, quota.limit) for quota in self.quotas])

    def about(self, path: str) -> bool:
        """Whether the rule is about this path, with some method."""
        return self._path(path) and not self.exempts(path)

    @property
    def everywhere(self) -> bool:
        """Whether it is about every call."""
        rule = self.rule
        return rule.path == "*" and not rule.methods and not rule.exempt

    def meets(self, request: Request) -> bool:
        """Whether the rule is about this call."""
        return (not self._methods or request.method in self._methods) and self.about(request.path)

    def _planned(self, request: Request) -> tuple[Quota, ...]:
        limit = self.rule.limit
        notation = limit if isinstance(limit, str) else limit(request)
        return () if notation is None else self._read(notation)

    def _quotas(self, notation: str) -> tuple[Quota, ...]:
        rule = self.rule
        limits = parse(notation, rule.cost, self._strategy)
        names = [rule.name if len(limits) == 1 else f"{rule.name}-{limit.window:g}s" for limit in limits]
        return tuple([Quota(name, limit, rule.count_when) for name, limit in zip(names, limits, strict=True)])


NOTHING: tuple[tuple[Quota, ...], Asked] = ((), ())


def compiled(rules: Sequence[Rule], strategy: Strategy, *, ipv6_prefix: int | None = None) -> list[Compiled]:
    """Make `rules` ready, except those that are off.

    Raises:
        SettingsError: one cannot be read, two are called the same, or the strategy is none.
    """
    if strategy not in get_args(Strategy):
        raise SettingsError(f"strategy={strategy!r} must be one of {', '.join(get_args(Strategy))}")
    if strategy in BORROWED and any(rule.count_when for rule in rules):
        raise SettingsError(f"count_when takes calls back, which strategy={strategy!r} cannot: use 'sliding-window'")
    made = [each for each in [Compiled(rule, strategy, ipv6_prefix) for rule in rules] if each.rule.mode != "off"]
    apart(made)
    return made


def apart(rules: Sequence[Compiled]) -> None:
    """See that no two limits are called the same.

    Raises:
        SettingsError: two are.
    """
    names = [name for each in rules for name in each.names]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"two limits are called {name!r}: give each Rule a name of its own")


def parse(notation: str, cost: int, strategy: Strategy) -> list[Limit]:
    """Read a limit in the notation of `limits`.

    Raises:
        SettingsError: it is none, it admits nobody, or one call costs more than it admits.
    """
    from limits import parse_many  # 70 ms that `import nexus_middleware` shall not cost

    try:
        items = parse_many(notation)
    except ValueError as error:
        raise SettingsError(f"limit={notation!r} must be like '100/minute' or '10/second;1000/hour'") from error
    found = [Limit(item.amount, float(item.get_expiry()), cost, strategy) for item in items]
    if any(x.amount < 1 for x in found):
        raise SettingsError(f"limit={notation!r} admits nobody: to refuse everyone, use IPFilter(deny=['0.0.0.0/0'])")
    if any(not 1 <= cost <= x.amount for x in found):
        raise SettingsError(f"cost={cost} must be from 1 to the limit, {notation!r}")
    return found


def refusal(request: Request, quotas: Sequence[Quota], answers: Sequence[Allowance]) -> Reply:
    """Return the 429 (RFC 6585, section 4) that says when to come again, and names the limits that are used up."""
    full = [(quota, x) for quota, x in zip(quotas, answers, strict=True) if not x.allowed]
    wait = max(1, math.ceil(max(x.reset_after for _, x in full)))
    return problem(
        request,
        429,
        f"Too many requests: try again in {wait} s.",
        kind=QUOTA_EXCEEDED,
        title="Quota Exceeded",
        headers=((b"retry-after", b"%d" % wait),),
        members={"violated-policies": [quota.name for quota, _ in full]},
    )
