"""Checks of rules: those that never match, that another makes idle, and whose keys a caller makes up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ..middleware.keys import by_api_key, by_client
from ..middleware.limits import Compiled
from ..middleware.response_cache import CacheRule
from ..rules.paths import matcher
from .registry import check
from .subject import Subject

PARAMETER = re.compile(r"(\{[^}]*\}|<[^>]*>)")
ENDLESS = frozenset(("user-agent", "referer", "x-forwarded-for", "x-request-id", "traceparent", "if-none-match"))


@check("NX013")
def idle(subject: Subject) -> Iterator[str]:
    """Rules that never match."""
    routes = subject.routes
    if not routes:
        return  # nothing is known of what the app serves
    for what, path in _paths(subject):
        if not any(_meet(path, route) for route in routes):
            yield f"{what} is about {path!r}, where the app has no route: correct its path, or take it out"


@check("NX014")
def covered(subject: Subject) -> Iterator[str]:
    """Rules that another makes idle."""
    for layer in subject.of("ResponseCache"):
        rules: list[CacheRule] = layer.rules
        for n, rule in enumerate(rules):
            if (first := next((x for x in rules[:n] if _covers(x.path, rule.path)), None)) is not None:
                yield (
                    f"CacheRule({rule.path!r}) comes after CacheRule({first.path!r}), which holds for all of its paths: "
                    "put it first"
                )
    for layer in subject.of("RateLimit"):
        for rule in layer.rules:
            if (tighter := next((x for x in layer.rules if _tighter(x, rule, layer.rules)), None)) is not None:
                yield (
                    f"the rule {rule.rule.name!r} never refuses anyone: {tighter.rule.name!r} refuses the same callers on "
                    "the same paths before. Lower its limit, or take it out"
                )


@check("NX015")
def endless(subject: Subject) -> Iterator[str]:
    """Keys that a caller makes up."""
    keyed = bool(subject.of("APIKey"))
    for layer in subject.of("RateLimit"):
        by_address = [x for x in layer.rules if x.rule.key is by_client and not x.shadow]
        for rule in layer.rules:
            key = rule.rule.key
            own = getattr(key, "__qualname__", "") == "by_header.<locals>.key" or (key is by_api_key and not keyed)
            if own and not any(_about_all(x, rule) for x in by_address):
                yield (
                    f"the rule {rule.rule.name!r} counts by a header, of which a caller sends a new value each time and is "
                    "never refused: add a rule by address for the same paths"
                )
    for layer in subject.of("ResponseCache"):
        for each in layer.rules:
            for name in sorted(ENDLESS & {x.lower() for x in each.vary}):
                yield f"CacheRule({each.path!r}) varies by {name}, which nearly every caller has another of: take it out"


def _paths(subject: Subject) -> Iterator[tuple[str, str]]:
    for layer in subject.of("RateLimit"):
        yield from [(f"the rule {x.rule.name!r}", x.rule.path) for x in layer.rules]
    for layer in subject.of("ResponseCache"):
        yield from [("a CacheRule", x.path) for x in layer.rules]


def _meet(path: str, route: str) -> bool:
    """Whether some path may fit both a rule's pattern and a route; when in doubt, yes."""
    fits = matcher(path)
    samples = _samples(path)
    if fits(route) or fits(PARAMETER.sub("x", route)) or any(x.startswith(route.rstrip("/") + "/") for x in samples):
        return True
    parts = PARAMETER.split(route.casefold())
    template = "".join([".+" if n % 2 else re.escape(part) for n, part in enumerate(parts)])
    return any(re.fullmatch(template, sample) for sample in samples)


def _samples(path: str) -> list[str]:
    """Return paths that fit a pattern."""
    made = [path.replace("*", "x"), path.replace("*", "x/y")]
    return [*made, path.removesuffix("/*") or "/"] if path.endswith("/*") else made


def _covers(wide: str, narrow: str) -> bool:
    fits = matcher(wide)
    return all(fits(sample if sample.startswith("/") else "/" + sample) for sample in _samples(narrow))


def _about_all(wide: Compiled, narrow: Compiled) -> bool:
    """Whether a rule is about all calls that another one is about."""
    more, fewer = {*wide.rule.methods}, {*narrow.rule.methods}
    methods = not more or (bool(fewer) and fewer <= more)
    return methods and wide.rule.exempt == narrow.rule.exempt and _covers(wide.rule.path, narrow.rule.path)


def _tighter(tight: Compiled, rule: Compiled, order: list[Compiled]) -> bool:
    """Whether `tight` refuses whoever `rule` would, and before; of two that are alike, the second is idle."""
    if tight is rule or tight.shadow or not tight.quotas or not rule.quotas:
        return False
    same: Callable[[Compiled], Any] = lambda x: (x.rule.key, x.rule.count_when)  # noqa: E731
    if same(tight) != same(rule) or not _about_all(tight, rule):
        return False
    if _alike(tight, rule) and _about_all(rule, tight):
        return order.index(tight) < order.index(rule)
    return all(any(_bites_first(a.limit, b.limit) for a in tight.quotas) for b in rule.quotas)


def _alike(one: Compiled, other: Compiled) -> bool:
    return [x.limit for x in one.quotas] == [x.limit for x in other.quotas]


def _bites_first(tight: Any, limit: Any) -> bool:
    calls, most = tight.amount // tight.cost, limit.amount // limit.cost
    exact = tight.strategy == limit.strategy == "sliding-window"
    return bool(exact and calls <= most and tight.window >= limit.window)
