"""What an administrator may do, by name, and the shape of a hook that says who may."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Literal, TypeAlias

from ..errors import SettingsError
from ..http import Scope

RIGHTS = frozenset(
    {
        "view",
        "cache:clear",
        "cache:read_values",
        "queues:retry",
        "queues:delete",
        "queues:pause",
        "schedules:run",
        "security:block",
        "security:unblock",
        "limits:reset",
        "logs:read",
        "logs:level",
        "alerts:mute",
        "rules:edit",
    },
)
Allowed: TypeAlias = Literal["all", "read_only"] | Iterable[str] | None
Hook: TypeAlias = Callable[[Scope], Allowed | Awaitable[Allowed]]  # None: nothing, and no sign that there is anything


def granted(allowed: Any) -> frozenset[str]:
    """Return the rights that a hook's answer names.

    >>> granted("read_only"), granted(None)
    (frozenset({'view'}), frozenset())

    Raises:
        SettingsError: the hook named a right that does not exist, or said something else.
    """
    if allowed is None:
        return frozenset()
    if allowed == "all":
        return RIGHTS
    if allowed == "read_only":
        return frozenset({"view"})
    if isinstance(allowed, (str, bytes, bool)) or not isinstance(allowed, Iterable):
        raise SettingsError(f"access(scope) gave {allowed!r}; give 'all', 'read_only', a set of rights or None")
    rights = frozenset(allowed)
    if rights - RIGHTS:
        unknown = ", ".join(sorted(map(str, rights - RIGHTS)))
        raise SettingsError(f"access(scope) named {unknown}; the rights are {', '.join(sorted(RIGHTS))}")
    return rights
