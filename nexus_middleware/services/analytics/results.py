"""What was calculated, as rows that a program or a spreadsheet reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

import msgspec

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would take for a formula


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of one period; `at` is when it was calculated, in seconds since the epoch."""

    period: str
    metric: str
    value: Any
    at: float


def as_csv(results: Iterable[Result]) -> str:
    """Return the results as CSV (RFC 4180); a value of several parts becomes a row for each of them.

    >>> print(as_csv([Result(period="2026-10", metric="revenue", value={"EUR": 4900}, at=0.0)]), end="")
    period,metric,part,value
    2026-10,revenue,EUR,4900
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["period", "metric", "part", "value"])
    for each in results:
        for part, value in _parts(each.value):
            writer.writerow([_safe(cell) for cell in (each.period, each.metric, part, value)])
    return text.getvalue()


def _parts(value: Any, name: str = "") -> Iterable[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _parts(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value, 1):
            yield from _parts(inner, f"{name}.{number}" if name else str(number))
    else:
        yield name, value


def _safe(cell: Any) -> Any:
    """Return a cell that no spreadsheet runs; numbers stay numbers."""
    if isinstance(cell, str) and cell.startswith(DANGEROUS):
        return "'" + cell
    return "" if cell is None else cell
