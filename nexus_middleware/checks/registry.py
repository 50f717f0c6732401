"""The list of checks: each has a code that never changes, and is one small function of what stands around an app."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import msgspec

from .subject import Subject

Told: TypeAlias = Iterable[str]
CHECKS: dict[str, Check] = {}
DOCS = "docs/checks"


class Finding(msgspec.Struct, frozen=True):
    """What one check found."""

    code: str
    title: str
    message: str  # what is there, and what would do
    page: str  # of the documentation


class Check(msgspec.Struct, frozen=True):
    """A check: `find` yields a sentence for each thing that it finds."""

    code: str
    title: str
    find: Callable[[Subject], Told]


def check(code: str) -> Callable[[Callable[[Subject], Told]], Callable[[Subject], Told]]:
    """Put a function on the list, under a code that is free; its docstring is the title."""

    def register(find: Callable[[Subject], Told]) -> Callable[[Subject], Told]:
        if code in CHECKS:
            raise ValueError(f"{code} is {CHECKS[code].title!r}")
        CHECKS[code] = Check(code, (find.__doc__ or code).strip().splitlines()[0].rstrip("."), find)
        return find

    return register


def findings(subject: Subject) -> list[Finding]:
    """Run all checks, in the order of their codes."""
    found: list[Finding] = []
    for code, each in sorted(CHECKS.items()):
        page = f"{DOCS}/{code.lower()}.md"
        found += [Finding(code, each.title, message, page) for message in each.find(subject)]
    return found
