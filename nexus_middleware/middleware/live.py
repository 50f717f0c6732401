"""Rules files put in force on layers that run: compiled whole first, then swapped, never half."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..errors import SettingsError
from ..rules.networks import Networks
from ..rules.windows import BORROWED
from .ip_filter import Filter, Filters
from .layer import Layer
from .limits import Rule
from .policy import Policy, read_policy
from .rate_limit import Group, RateLimit
from .response_cache import CacheRule, ResponseCache
from .rpc_limit import RPCLimit

STAGED = ".staged"  # what the name of a staged rule ends with


class LiveRules:
    """What rules files change of a stack: the limits, those of JSON-RPC calls too, a second address filter, and how long answers are kept.

    A rule of the file takes the place of one of the same name that the app has. Its cache rules come before the app's.

    Args:
        stack: The outermost layer.
        rules: The app's own limits.
        cache_rules: The app's own.
        filters: Where the filters are that the stack's `IPFilter`s ask too.
    """

    def __init__(self, stack: Any, rules: Sequence[Rule], cache_rules: Sequence[CacheRule], filters: Filters) -> None:
        self._layers = layers_of(stack)
        self._rules, self._cache_rules, self._filters = [*rules], [*cache_rules], filters

    def prepare(self, enforced: str, staged: str) -> Callable[[], None]:
        """Compile two texts of rules files, "" for none; return what puts them in force.

        Raises:
            SettingsError: one cannot be taken.
        """
        now, tried = read_policy(enforced), read_policy(staged)
        swaps = [self._limits(now, tried), self._calls(now, tried), self._cache(now)]
        filters = tuple([one for one in (_filter(now, binds=True), _filter(tried, binds=False)) if one is not None])

        def swap() -> None:
            self._filters.value = filters
            for each in swaps:
                each()
            for layer in self._layers:  # chains are compiled anew at the next request; those under way keep theirs
                layer.compiled = None

        return swap

    def _limits(self, now: Policy, tried: Policy) -> Callable[[], None]:
        for policy in (now, tried):
            if (policy.limits or policy.calls) and policy.strategy in BORROWED:
                raise SettingsError(
                    f"strategy={policy.strategy!r} counts in a storage of its own: live rules take "
                    "sliding-window or gcra"
                )
        names = {rule.name for rule in now.limits}
        own = [rule for rule in self._rules if rule.name not in names]
        shadows = [replace(x, name=x.name + STAGED, mode="shadow") for x in tried.limits if x.mode != "off"]
        groups: list[Group] = [(own, "sliding-window"), (now.limits, now.strategy), (shadows, tried.strategy)]
        layer = next((x for x in self._layers if type(x) is RateLimit), None)
        if layer is not None:
            return layer.prepare(groups)
        if now.limits or shadows:
            raise SettingsError("there is no RateLimit in this stack that could count")
        return _nothing

    def _calls(self, now: Policy, tried: Policy) -> Callable[[], None]:
        layer = next((x for x in self._layers if isinstance(x, RPCLimit)), None)
        shadows = [replace(x, name=x.name + STAGED, mode="shadow") for x in tried.calls if x.mode != "off"]
        if layer is not None:
            names, (rules, strategy) = {rule.name for rule in now.calls}, layer.own
            own = [rule for rule in rules if rule.name not in names]
            return layer.prepare_calls([(own, strategy), (now.calls, now.strategy), (shadows, tried.strategy)])
        if now.calls or shadows:
            raise SettingsError(
                "[[rpc]] needs an RPCLimit in the stack: Nexus(app, layers=lambda standard: [*standard, partial(RPCLimit, "
                'rules=[], path="/mcp")])'
            )
        return _nothing

    def _cache(self, now: Policy) -> Callable[[], None]:
        layer = next((x for x in self._layers if isinstance(x, ResponseCache)), None)
        if layer is not None:
            return layer.prepare([*now.cache, *self._cache_rules])
        if now.cache:
            raise SettingsError("there is no ResponseCache in this stack")
        return _nothing


def layers_of(app: Any) -> list[Layer[Any]]:
    """Return the layers directly inside one another, outermost first."""
    found: list[Layer[Any]] = []
    while isinstance(app := getattr(app, "__self__", app), Layer):
        found.append(app)
        app = app.app
    return found


def _filter(policy: Policy, *, binds: bool) -> Filter | None:
    if policy.filter_mode == "off" or not (policy.allow or policy.deny):
        return None
    allow = Networks(policy.allow) if policy.allow else None
    return Filter(allow, Networks(policy.deny), binds and policy.filter_mode == "enforce")


def _nothing() -> None:
    """Change nothing: there is no such layer, and no rule for it."""
