"""The rules that hold, one by one: of which layer, about which calls, how much they allow, and in which mode."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from inspect import signature
from typing import Any, Literal, TypeAlias

import msgspec

from ..middleware.ip_filter import LIVE_FILTER
from ..middleware.keys import KeyOf, by_api_key, by_client, by_user
from ..middleware.layer import Layer, Mode
from ..middleware.limits import Compiled
from ..middleware.live import STAGED
from ..middleware.policy import Policy
from ..middleware.rate_limit import RateLimit
from ..middleware.response_cache import CacheRule, ResponseCache

Origin: TypeAlias = Literal["code", "live", "staged", ""]  # "": only counted, as of a rule that stands no more
KEYS: dict[KeyOf, str] = {by_client: "client", by_api_key: "api-key", by_user: "user"}


class Standing(msgspec.Struct, kw_only=True, rename="camel"):
    """One rule: what it is about, and how often it spoke against a request; "" for a layer that has no rules of its own."""

    layer: str
    rule: str
    path: str = "*"
    methods: list[str] = []
    exempt: list[str] = []  # paths that it lets off
    does: str = ""  # such as "5/15minutes" or "keeps 60 s"
    key: str = ""
    mode: Mode = "enforce"
    origin: Origin = "code"
    refused: int = 0
    would_refuse: int = 0


def standing(layers: Sequence[Layer[Any]], now: Policy, staged: Policy) -> list[Standing]:
    """Return the rules of `layers`, outermost first; `now` and `staged` tell live ones from the app's own.

    >>> from nexus_middleware import RateLimit
    >>> from nexus_middleware.middleware.policy import read_policy
    >>> none = read_policy("")
    >>> [(x.rule, x.does, x.origin) for x in standing([RateLimit(None, "5/minute")], none, none)]
    [('default', '5/minute', 'code')]
    """
    found: list[Standing] = []
    for layer in layers:
        name = type(layer).__name__
        if isinstance(layer, RateLimit):
            live = {rule.name for rule in (*now.limits, *[each.counting for each in now.calls])}
            found += [_limit(name, layer, rule, live) for rule in layer.rules]
        elif isinstance(layer, ResponseCache):
            found += [
                _kept(layer, rule, n < len(now.cache)) for n, rule in enumerate(layer.rules)
            ]  # live ones come first
        elif "before" in layer.steps and "mode" in signature(type(layer)).parameters:  # it refuses
            found.append(Standing(layer=name, rule="", mode=layer.mode))
            if name == "IPFilter":
                found += _filters(now, staged)
    return found


def counted(rules: Iterable[Standing], counts: Iterable[dict[str, Any]]) -> list[Standing]:
    """Note on the rules how often each refused; what was counted of others comes after them.

    Args:
        rules: Of one stack.
        counts: As `Decisions.counts` gives them.
    """
    found = [*rules]
    for row in counts:
        those = [x for x in found if x.layer == row["layer"] and _is(x, row["rule"])]
        if not those:
            whole = next((x for x in found if x.layer == row["layer"] and not x.rule), None)
            origin, mode = (whole.origin, whole.mode) if whole else ("", "enforce")  # else it stands no more
            those = [Standing(layer=row["layer"], rule=row["rule"], path="", origin=origin, mode=mode)]
            found += those
        by_mode = {x.mode: x for x in those[::-1]}
        by_mode.get("enforce", those[0]).refused += row["refused"]
        by_mode.get("shadow", those[0]).would_refuse += row["wouldRefuse"]
    return found


def _is(rule: Standing, name: str) -> bool:
    """Whether a count is this rule's: one with several limits counts each as name-60s."""
    several = ";" in rule.does and name.startswith(f"{rule.rule}-") and name.endswith("s")
    return rule.rule == name or several


def _limit(name: str, layer: RateLimit, rule: Compiled, live: set[str]) -> Standing:
    own = rule.rule
    mode: Mode = "shadow" if rule.shadow else layer.mode
    origin: Origin = "staged" if own.name.endswith(STAGED) else "live" if own.name in live else "code"
    return Standing(
        layer=name,
        rule=own.name,
        path=own.path,
        methods=[*own.methods],
        exempt=[*own.exempt],
        does=own.limit if isinstance(own.limit, str) else "by the caller's plan",
        key=KEYS.get(own.key) or str(getattr(own.key, "__name__", "")),
        mode=mode,
        origin=origin,
    )


def _kept(layer: ResponseCache, rule: CacheRule, live: bool) -> Standing:  # noqa: FBT001  # of which list it is
    does = "as the answer says" if rule.ttl is None else f"keeps {rule.ttl:g} s"
    origin: Origin = "live" if live else "code"
    return Standing(
        layer=type(layer).__name__, rule=rule.path, path=rule.path, does=does, mode=layer.mode, origin=origin
    )


def _filters(now: Policy, staged: Policy) -> Iterator[Standing]:
    sets: list[tuple[Policy, Origin, Mode]] = [(now, "live", now.filter_mode), (staged, "staged", "shadow")]
    for policy, origin, mode in sets:
        told = [f"{what} {len(of)}" for what, of in (("denies", policy.deny), ("allows only", policy.allow)) if of]
        if told and policy.filter_mode != "off":
            yield Standing(layer="IPFilter", rule=LIVE_FILTER, does=", ".join(told), mode=mode, origin=origin)
