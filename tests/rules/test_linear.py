"""No expression that sees what a caller sends takes the square of its length, nor more."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
import time

import pytest

import nexus_middleware
from nexus_middleware.rules.caching.fields import directives
from nexus_middleware.rules.injection import detect

LENGTH = 16_000  # characters: most servers take no longer header
BUDGET = 0.05  # seconds of the processor; the square takes 0.1 and more, what is linear 0.002
UNITS = (
    *("a", "0", " ", "'", '"', "\\", "/", "*", "-", "(", "[", "<", ">", "=", "&", "%", "\t", "\n", "é", "{"),
    *(
        "%2",
        "; ",
        "a,",
        "a=",
        "a.",
        "a ",
        "a;",
        "0.",
        "''",
        "\\'",
        "/*",
        "--",
        "::",
        "on",
        "&#",
        "?,",
        "$a$",
        '="',
        "a  b",
    ),
)
SKIPPED = {  # only ever asked at one place of a text, or see what the app's own people write
    "checks.rules.PARAMETER",
    "middleware.policy.WHERE",
    "rules.forwarded.PARAMETER",
    "rules.globs.GROUP",
    "services.jobs.payloads.WHERE",
}


@functools.cache
def expressions():
    """Every expression of the package that has a name, with the method that is used, or both that may be."""
    found = {}
    for module in pkgutil.walk_packages(nexus_middleware.__path__, "nexus_middleware."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            where = f"{module.name.removeprefix('nexus_middleware.')}.{name}"
            for each in value if isinstance(value, list | tuple) else [value]:
                if isinstance(each, re.Pattern) and where not in SKIPPED:
                    found |= {
                        (each.pattern, "match"): (where, each.match),
                        (each.pattern, "search"): (where, each.search),
                    }
                elif isinstance(own := getattr(each, "__self__", None), re.Pattern):
                    found[own.pattern, each.__name__] = (where, each)
    return found


def seconds(ask, text):
    """Return the least of three rounds, of the processor's time."""
    least = 9.0
    for _ in range(3):
        began = time.process_time()
        answer = ask(text)
        _ = [*answer] if hasattr(answer, "__next__") else answer
        least = min(least, time.process_time() - began)
        if least < BUDGET:
            break
    return least


@pytest.mark.parametrize("unit", UNITS)
def test_no_expression_takes_the_square_of_a_hostile_text(unit):
    slow = []
    for (pattern, method), (where, ask) in expressions().items():
        if method in ("sub", "split"):
            continue
        for start, end in (("", ""), ("a=", ";")):
            text = start + unit * (LENGTH // len(unit)) + end
            if seconds(ask, text.encode() if isinstance(pattern, bytes) else text) > BUDGET:
                slow.append((where, method, start))
    assert slow == []


@pytest.mark.parametrize("unit", UNITS)
def test_nor_do_cache_control_and_the_detectors(unit):
    text = "a=" + unit * (LENGTH // len(unit)) + '"'

    assert seconds(directives, text.encode()) < BUDGET
    assert seconds(detect, text) < BUDGET
