"""What callers give a cache: keys, tags, seconds, amounts, fetches; what does not fit is told in one line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

FOR_GOOD = 100 * 365 * 86_400.0  # seconds: what shall live longer never ends
COUNTABLE = 2**63  # Redis counts up to it


def named(prefix: str, name: Any, what: str = "key") -> str:
    """Return what the store calls it.

    Raises:
        TypeError: `name` is no text.
    """
    if not isinstance(name, str):
        raise TypeError(f"the {what} {name!r} must be a text")
    return prefix + name


def life(ttl: Any) -> float | None:
    """Return the seconds that a value lives; None for good.

    Raises:
        TypeError: `ttl` is no number.
        ValueError: it is not above 0.
    """
    if not isinstance(ttl, int | float):
        raise TypeError(f"ttl={ttl!r} must be a number of seconds; math.inf keeps a value for good")
    if not ttl > 0:
        raise ValueError(f"ttl={ttl} is in seconds and must be above 0")
    return ttl if ttl < FOR_GOOD else None


def several(tags: Any) -> None:
    """See that `tags` are texts.

    Raises:
        TypeError: they are one text, or none at all.
    """
    if isinstance(tags, str):
        raise TypeError(f"tags={tags!r} is one text: write tags=({tags!r},)")
    if not isinstance(tags, Iterable) or not all(isinstance(tag, str) for tag in tags):
        raise TypeError(f"tags={tags!r} must be texts, as in tags=('courses',)")


def whole(amount: Any) -> None:
    """See that `amount` can be added.

    Raises:
        TypeError: it is no whole number.
        ValueError: it is larger than any that Redis has.
    """
    if not isinstance(amount, int):
        raise TypeError(f"amount={amount!r} must be a whole number")
    if not -COUNTABLE < amount < COUNTABLE:
        raise ValueError(f"amount={amount} is larger than any number that can be counted to, 2**63")


def fetcher(fetch: Any) -> None:
    """See that `fetch` can be called.

    Raises:
        TypeError: it cannot.
    """
    if not callable(fetch):
        raise TypeError(f"fetch={fetch!r} must be a function that returns the value")
