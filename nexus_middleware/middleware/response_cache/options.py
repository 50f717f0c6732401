"""What users say of some paths, compiled once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ...errors import SettingsError
from ...http import Request
from ...rules.paths import matcher

KeyOf: TypeAlias = Callable[[Request], str | None]
PERSONAL = frozenset(("cookie", "authorization", "x-api-key"))


@dataclass(frozen=True, kw_only=True)
class CacheRule:
    """How the answers of some paths are kept.

    Args:
        path: "/courses/*" is all below /courses and itself.
        ttl: Seconds for answers that say nothing of their freshness; None leaves those alone. It is for 200, 203, 204,
            300, 301 and 308: errors, a 404 and redirects for now are kept only if they say themselves for how long.
        vary: Names of request headers that make another answer, even if the answer does not say so.
        tags: Names under which the answers can be purged together.
        key: Says whose answer it is, such as a user's id. With it, requests that carry a Cookie, Authorization or an
            API key are answered from the cache too, each from what was kept under its own key; None of a request
            leaves it alone.

    Raises:
        SettingsError: an option does not fit, or would keep what is one caller's for all.
    """

    path: str = field(kw_only=False)
    ttl: float | None = None
    vary: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    key: KeyOf | None = None

    def __post_init__(self) -> None:
        if self.ttl is not None and self.ttl <= 0:
            raise SettingsError(f"ttl of a CacheRule is in seconds and must be above 0, not {self.ttl}")
        for name in ("vary", "tags"):
            if isinstance(getattr(self, name), str):
                raise SettingsError(f"{name} of CacheRule({self.path!r}) is a tuple: write ('name',)")
        if personal := sorted(PERSONAL & {name.lower() for name in self.vary}):
            raise SettingsError(
                f"vary={personal[0]!r} would keep what is one caller's: say whose it is by key=, "
                "a function that returns, say, the user's id"
            )


class Rules:
    """The rules, the first that fits a path first."""

    def __init__(self, rules: Sequence[CacheRule]) -> None:
        self.all = [*rules]
        self._rules = [(matcher(rule.path), rule) for rule in rules]
        self.keyed = any(rule.key is not None for rule in rules)
        self.vary = {rule.path: tuple([name.lower().encode("latin-1") for name in rule.vary]) for rule in rules}

    def of(self, path: str) -> CacheRule | None:
        """Return the rule for `path`, if there is one."""
        for fits, rule in self._rules:
            if fits(path):
                return rule
        return None
