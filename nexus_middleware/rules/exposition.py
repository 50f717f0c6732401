"""Prometheus's text format 0.0.4, and OpenMetrics 1.0 with its exemplars."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

PLAIN = "text/plain; version=0.0.4; charset=utf-8"
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
Kind: TypeAlias = Literal["counter", "gauge", "histogram"]
Labels: TypeAlias = Mapping[str, str]


class Exposition:
    r"""A page for Prometheus, built family by family.

    >>> page = Exposition()
    >>> page.family("jobs", "gauge", "Jobs by state", [({"state": "wait\ning"}, 3)])
    >>> print(page.text(), end="")
    # HELP jobs Jobs by state
    # TYPE jobs gauge
    jobs{state="wait\ning"} 3

    Args:
        open_metrics: Write OpenMetrics.
    """

    def __init__(self, *, open_metrics: bool = False) -> None:
        self._open = open_metrics
        self._lines: list[str] = []

    def family(self, name: str, kind: Kind, about: str, samples: Iterable[tuple[Labels, float | None]]) -> None:
        """Add a counter, whose name ends with _total, or a gauge; a value of None is left out."""
        known = [(labels, value) for labels, value in samples if value is not None]
        if known:
            self._head(name.removesuffix("_total") if self._open else name, kind, about)
            self._lines += [f"{name}{_braces(labels)} {_number(value)}" for labels, value in known]

    def histograms(
        self,
        name: str,
        about: str,
        samples: Iterable[tuple[Labels, list[tuple[float, int]], int, float]],
        exemplars: Mapping[int, tuple[Labels, float, float]] | None = None,
    ) -> None:
        """Add histograms: labels, cumulative counts by upper bound, the count and the sum of each.

        `exemplars`, by the number of the sample, are labels, a value and a time; plain text has none.
        """
        rows = [*samples]
        if not rows:
            return
        self._head(name, "histogram", about)
        for i, (labels, buckets, count, total) in enumerate(rows):
            example = (exemplars or {}).get(i) if self._open else None
            self._lines += _buckets(name, labels, [*buckets, (math.inf, count)], example)
            self._lines += [f"{name}_sum{_braces(labels)} {_number(total)}", f"{name}_count{_braces(labels)} {count}"]

    def text(self) -> str:
        """Return the page."""
        return "\n".join([*self._lines, *(["# EOF"] if self._open else []), ""])

    def _head(self, name: str, kind: Kind, about: str) -> None:
        self._lines += [f"# HELP {name} {_escaped(about, quotes=self._open)}", f"# TYPE {name} {kind}"]


def _buckets(
    name: str, labels: Labels, buckets: list[tuple[float, int]], example: tuple[Labels, float, float] | None
) -> list[str]:
    lines = [f"{name}_bucket{_braces({**labels, 'le': _number(float(bound))})} {below}" for bound, below in buckets]
    if example is not None:
        at = next(i for i, (bound, _) in enumerate(buckets) if example[1] <= bound)
        lines[at] += f" # {_braces(example[0])} {_number(example[1])} {example[2]:.3f}"
    return lines


def _braces(labels: Labels) -> str:
    inner = ",".join([f'{name}="{_escaped(value, quotes=True)}"' for name, value in labels.items()])
    return f"{{{inner}}}" if inner else ""


def _escaped(text: str, *, quotes: bool) -> str:
    text = text.replace("\\", r"\\").replace("\n", r"\n")
    return text.replace('"', r"\"") if quotes else text


def _number(value: float) -> str:
    return "+Inf" if value == math.inf else str(value)
