"""From what the store keeps to the tables and charts that people see."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from .rings import SEPARATOR, Ring, Slot
from .stats import Stat, gathered, told, total

ROWS = 100
Stats: TypeAlias = dict[tuple[str, ...], Stat]


def chosen(fields: dict[str, bytes], process: str) -> list[Slot]:
    """Return the slots of all processes, or of one."""
    decode = msgspec.msgpack.Decoder(Slot).decode
    return [decode(text) for name, text in fields.items() if not process or name == process]


def point(at: int, ring: Ring, slots: list[Slot]) -> dict[str, Any]:
    """Return one point of a chart."""

    def stat(kind: str) -> Stat:
        return total([slot.stats[kind] for slot in slots if kind in slot.stats])

    def gauge(name: str) -> float | None:
        values = [slot.gauges[name] for slot in slots if name in slot.gauges]
        return round(sum(values), 1) if values else None

    api, database = stat("api"), stat("db")
    statuses: dict[str, int] = {}
    for slot in slots:
        for group, count in slot.statuses.items():
            statuses[group] = statuses.get(group, 0) + count
    return {
        "at": at,
        "requests": api.count,
        "perSecond": round(api.count / ring.step, 2),
        "statuses": statuses,
        "avg": api.mean,
        "p50": api.ms(0.5),
        "p95": api.ms(0.95),
        "p99": api.ms(0.99),
        "firstP95": stat("first").ms(0.95),
        "rssMB": gauge("rssMB"),
        "cpu": gauge("cpu"),
        "running": gauge("running"),
        "lagP95": stat("lag").ms(0.95),
        "dbCount": database.count,
        "dbAvg": database.mean,
        "dbP95": database.ms(0.95),
        "calls": stat("call").count,
        "streams": stat("stream").count,
        "sockets": stat("socket").count,
    }


def by_endpoint(stats: dict[tuple[str, ...], Stat]) -> dict[str, dict[str, Any]]:
    """Return rows by endpoint, of all status classes together."""
    groups: dict[str, dict[str, Stat]] = {}
    for (kind, label, group), stat in stats.items():
        if kind == "api":
            groups.setdefault(label, {})[group] = stat
    return {
        label: {**told(total(by.values())), "statuses": {group: stat.count for group, stat in by.items()}}
        for label, by in groups.items()
    }


def repeated(fields: dict[str, bytes]) -> dict[str, list[dict[str, Any]]]:
    """Return where each query was sent again and again."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for field, amount in fields.items():
        query, endpoint, what = field.split(SEPARATOR)
        row = found.setdefault(query, {}).setdefault(endpoint, {"endpoint": endpoint})
        row["requests" if what == "n" else "most"] = int(amount)
    return {query: [*rows.values()] for query, rows in found.items()}


def heaviest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows that took most of the time, with their share of it."""
    whole = sum([row["totalMs"] for row in rows])
    first = sorted(rows, key=lambda row: -row["totalMs"])[:ROWS]
    return [{**row, "share": round(row["totalMs"] / whole, 4) if whole else 0.0} for row in first]


def named(hashes: list[dict[str, bytes]]) -> Stats:
    """Return stats by kind, label and status class."""
    return {tuple(name.split(SEPARATOR)): stat for name, stat in gathered(hashes, SEPARATOR).items()}
