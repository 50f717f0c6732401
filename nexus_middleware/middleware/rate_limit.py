"""Limit how often each caller may call."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

import msgspec

from ..errors import SettingsError
from ..http import App, Head, Reply, Request, problem
from ..rules.paths import matcher
from ..rules.windows import Allowance, Limit
from ..stores.base import Store
from ..stores.commands import Hit
from ..stores.memory import MemoryStore
from .keys import KeyOf, by_client, store_key
from .layer import Layer, Mode

Allowances: TypeAlias = tuple[Allowance, ...]
OnError: TypeAlias = Literal["local", "open", "closed"]
HeaderStyle: TypeAlias = Literal["ietf", "legacy", "both", "none"]
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}").fullmatch
QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One limit, and which calls it is about.

    Args:
        limit: In the notation of `limits`: "100/minute", or "10/second;1000/hour" for both.
        path: "/auth/*" is all below /auth and itself, in every spelling of it; "*" is every path.
        methods: Such as ("POST",); () for all. HEAD counts as GET.
        key: Who is calling; None from it is not counted.
        name: What callers are told it is called, and a part of its keys in the store.
        cost: What one call counts.
    """

    limit: str = field(kw_only=False)
    path: str = "*"
    methods: tuple[str, ...] = ()
    key: KeyOf = by_client
    name: str = "default"
    cost: int = 1


class RateLimit(Layer[Allowances]):
    """Answer 429 (RFC 6585, section 4) to a caller who calls more often than `limit`, such as "100/minute".

    Never is more than the limit admitted in any window of that length, over all processes that share the store. Of
    several limits and rules that a call meets, a refused call uses up none.

    Args:
        app: What is protected.
        limit: In the notation of `limits`, or a list of `Rule`s, each of which counts on its own.
        key: Who is calling, for a limit that is no list of rules; None from it is not counted.
        store: Where the counts are; a URL names one store per process.
        on_error: While the store is down, count in this process, admit everyone, or refuse everyone with 503.
        headers: What callers are told: the fields of the IETF's draft, X-RateLimit-*, both or none.
        mode: "shadow" decides and records, but refuses nobody and shows nothing.

    Raises:
        SettingsError: a limit cannot be read, or an option is none of those listed.
    """

    counts = True

    def __init__(
        self,
        app: App,
        limit: str | Sequence[Rule] = "100/minute",
        *,
        key: KeyOf = by_client,
        store: Store | str = "memory://",
        on_error: OnError = "local",
        headers: HeaderStyle = "ietf",
        mode: Mode = "enforce",
    ) -> None:
        super().__init__(app, store=store, mode=mode)
        for name, value, allowed in (("on_error", on_error, OnError), ("headers", headers, HeaderStyle)):
            if value not in get_args(allowed):
                raise SettingsError(f"{name}={value!r} must be one of {', '.join(get_args(allowed))}")
        rules = [Rule(limit=limit, key=key)] if isinstance(limit, str) else limit
        self._rules = [_Compiled(rule) for rule in rules]
        _check_names(self._rules)
        self._everywhere = all(rule.path == "*" and not rule.methods for rule in rules)
        self._on_error, self._ietf, self._legacy = on_error, headers in ("ietf", "both"), headers in ("legacy", "both")
        self._local = MemoryStore()

    def ask(self, request: Request) -> Hit | None:
        if request.again:
            return None
        rules = self._rules if self._everywhere else [rule for rule in self._rules if rule.meets(request)]
        if len(rules) == 1:  # nearly always
            quotas, limits = rules[0].quotas, rules[0].limits(request)
        else:
            asked = [(rule.quotas, limits) for rule in rules if (limits := rule.limits(request))]
            quotas = [quota for group, _ in asked for quota in group]
            limits = tuple([limit for _, group in asked for limit in group])
        if not limits:
            return None
        hit = Hit(limits, self.mode == "enforce")
        request.notes[self] = _Counted(hit, quotas)
        return hit

    def before(self, request: Request, answer: Allowances | None) -> Reply | None:
        counted: _Counted | None = request.notes.get(self)
        if counted is None:
            return None
        if answer is None:
            if self._on_error == "closed":
                return problem(request, 503, "Calls cannot be counted just now.", headers=((b"retry-after", b"1"),))
            counted.answers = () if self._on_error == "open" else self._local.run([counted.hit])[0]
        else:
            counted.answers = answer
        for allowance in counted.answers:
            if not allowance.allowed:
                return self._refusal(request, counted)
        return None

    def _refusal(self, request: Request, counted: _Counted) -> Reply:
        full = [(quota, x) for quota, x in zip(counted.quotas, counted.answers, strict=True) if not x.allowed]
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

    def after(self, request: Request, head: Head) -> None:
        counted: _Counted | None = request.notes.get(self)
        if counted is None or not counted.answers:
            return
        if len(counted.quotas) == 1:  # nearly always
            quota, said = counted.quotas[0], counted.answers[0]
            policy = quota.policy
        else:
            quota, said = counted.tightest()
            policy = b", ".join([quota.policy for quota in counted.quotas])
        reset = math.ceil(said.reset_after)
        if self._ietf:
            head.headers += ((b"ratelimit-policy", policy), (b"ratelimit", quota.told % (said.remaining, reset)))
        if self._legacy:
            head.add(b"x-ratelimit-limit", b"%d" % quota.limit.amount)
            head.add(b"x-ratelimit-remaining", b"%d" % said.remaining)
            head.add(b"x-ratelimit-reset", b"%d" % reset)

    def why(self, request: Request) -> str:
        counted: _Counted | None = request.notes.get(self)
        if counted is None or not counted.answers:
            return "not counted"
        pairs = zip(counted.quotas, counted.answers, strict=True)
        return "; ".join(f"{quota.name}: {x.remaining} of {quota.limit.amount} left" for quota, x in pairs)


class _Counted(msgspec.Struct):
    """What was asked about one request, and what the store said."""

    hit: Hit
    quotas: list[_Quota]
    answers: Allowances = ()

    def tightest(self) -> tuple[_Quota, Allowance]:
        """Return the limit that refuses, or the one of which least is left."""
        pairs = zip(self.quotas, self.answers, strict=True)
        return min(pairs, key=lambda pair: (pair[1].allowed, pair[1].remaining))


class _Quota:
    """One limit of a rule, and how callers are told of it (draft-ietf-httpapi-ratelimit-headers)."""

    __slots__ = ("limit", "name", "policy", "prefix", "told")

    def __init__(self, name: str, limit: Limit) -> None:
        self.name, self.limit = name, limit
        self.prefix = f"rate:{name}:{limit.amount}/{limit.window:g}:"
        self.policy = b'"%s";q=%d;w=%d' % (name.encode(), limit.amount, limit.window)
        self.told = b'"%s";r=%%d;t=%%d' % name.encode()  # a name has no percent sign


class _Compiled:
    """A rule, ready to be met."""

    def __init__(self, rule: Rule) -> None:
        limits = _parse(rule.limit, rule.cost)
        if not NAME(rule.name):
            raise SettingsError(f"name={rule.name!r} must be of letters, digits, '.', '_' and '-'")
        names = [rule.name if len(limits) == 1 else f"{rule.name}-{limit.window:g}s" for limit in limits]
        self.quotas = [_Quota(name, limit) for name, limit in zip(names, limits, strict=True)]
        self.key = rule.key
        self._path = matcher(rule.path)
        methods = {method.upper() for method in rule.methods}
        self._methods = methods | {"HEAD"} if "GET" in methods else methods

    def limits(self, request: Request) -> tuple[tuple[str, Limit], ...]:
        """Return the limits that this call counts on, each with its caller's key; () if it is not counted."""
        caller = self.key(request)
        if caller is None:
            return ()
        caller = store_key(caller)
        if len(self.quotas) == 1:  # nearly always
            quota = self.quotas[0]
            return ((quota.prefix + caller, quota.limit),)
        return tuple([(quota.prefix + caller, quota.limit) for quota in self.quotas])

    def meets(self, request: Request) -> bool:
        """Whether the rule is about this call."""
        return (not self._methods or request.method in self._methods) and self._path(request.path)


def _parse(notation: str, cost: int) -> list[Limit]:
    """Read a limit in the notation of `limits`."""
    from limits import parse_many  # 70 ms that `import nexus_middleware` shall not cost

    try:
        items = parse_many(notation)
    except ValueError as error:
        raise SettingsError(f"limit={notation!r} must be like '100/minute' or '10/second;1000/hour'") from error
    found = [Limit(item.amount, float(item.get_expiry()), cost) for item in items]
    if any(x.amount < 1 for x in found):
        raise SettingsError(f"limit={notation!r} admits nobody: to refuse everyone, use IPFilter(deny=['0.0.0.0/0'])")
    if any(not 1 <= cost <= x.amount for x in found):
        raise SettingsError(f"cost={cost} must be from 1 to the limit, {notation!r}")
    return found


def _check_names(rules: Iterable[_Compiled]) -> None:
    names = [quota.name for rule in rules for quota in rule.quotas]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"two limits are called {name!r}: give each Rule a name of its own")
