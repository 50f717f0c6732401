"""What was refused: counted by the minute, listed newest first, for all processes, within bounds."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Generator
from typing import Any, TypeAlias

import msgspec

from ...rules.security_events import COUNTED, SEVERITY, Event
from ...rules.violations import Violation
from ...stores.commands import AddFields, Command, GetFields, Latest, Push, SetFields

Steps: TypeAlias = Generator[list[Command[Any]], list[Any], Any]
KEY, KEPT, LASTS = "security:events", 5_000, 7 * 86_400.0
MINUTE, HOUR, DAY = 60, 3_600, 86_400  # seconds
MOST_EVENTS, MOST_NAMES = 500, 500  # kinds of events in a second; clients or violations in an hour or day, a process
OTHER = "(other)"
LOOKS = (256, 2_048, KEPT)  # how far down the list is looked, step by step, for what was asked for


class Events:
    """Takes events without waiting, and tells the store of them once a second.

    Args:
        clock: Seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._listed: dict[tuple[str, ...], Event] = {}
        self._added: dict[str, dict[str, int]] = {}  # by key of a hash: what to add to its fields
        self._seen: dict[str, dict[str, bytes]] = {}
        self._names: dict[str, set[str]] = {}  # by key of a hash: the clients, or violations, that have a field

    def note(self, event: Event) -> None:
        """Count an event and put it on the list; within a second, those that are alike are one."""
        now = int(event.at)
        with self._lock:
            self._add(f"security:count:{now // HOUR}", f"{now // MINUTE}:{event.kind}")
            self._add(f"security:count:day:{now // DAY}", f"{now // HOUR}:{event.kind}")
            if event.kind == "rate_limited":
                key = f"security:limited:{now // HOUR}"
                self._add(key, self._name(key, event.client or "unknown"))
            alike = self._listed.get(event.alike)
            if alike is not None:
                alike.times += 1
            elif len(self._listed) < MOST_EVENTS:
                self._listed[event.alike] = event

    def violated(self, client: str, violation: Violation) -> None:
        """Count what a browser reported; the first of a kind is put on the list, today, by this process."""
        now = self._clock()
        key, name = f"security:csp:{int(now) // DAY}", msgspec.json.encode(violation).decode()
        with self._lock:
            new = name not in self._names.get(key, ())
            name = self._name(key, name)
            self._add(key, name)
            self._seen.setdefault(f"{key}:seen", {})[name] = b"%d" % now
        detail = f"{violation.directive} {violation.blocked}"
        event = Event("csp", now, SEVERITY["csp"], client, path=violation.page, action="noted", detail=detail)
        if new and name != OTHER:
            self.note(event)
        else:
            with self._lock:
                self._add(f"security:count:{int(now) // HOUR}", f"{int(now) // MINUTE}:csp")
                self._add(f"security:count:day:{int(now) // DAY}", f"{int(now) // HOUR}:csp")

    def _add(self, key: str, field: str) -> None:
        fields = self._added.setdefault(key, {})
        fields[field] = fields.get(field, 0) + 1

    def _name(self, key: str, name: str) -> str:
        names = self._names.get(key)
        if names is None:
            family = key.rpartition(":")[0]
            self._names = {other: kept for other, kept in self._names.items() if other.rpartition(":")[0] != family}
            names = self._names[key] = set()
        if name not in names and len(names) >= MOST_NAMES:
            return OTHER
        names.add(name)
        return name

    def flush(self) -> Steps:
        """Tell the store of what came since; what it does not take is told again."""
        with self._lock:
            listed, self._listed = self._listed, {}
            added, self._added = self._added, {}
            seen, self._seen = self._seen, {}
        if not added:
            return
        told: list[Command[Any]] = [AddFields(key, fields, 9.0 * DAY) for key, fields in added.items()]
        told += [SetFields(key, fields, 9.0 * DAY) for key, fields in seen.items()]
        if listed:
            told.append(Push(KEY, tuple([msgspec.json.encode(event) for event in listed.values()]), KEPT, LASTS))
        try:
            yield told
        except BaseException:
            self._again(listed, added)
            raise

    def _again(self, listed: dict[tuple[str, ...], Event], added: dict[str, dict[str, int]]) -> None:
        with self._lock:
            self._listed = {**listed, **self._listed} if len(listed) < MOST_EVENTS else listed
            oldest = int(self._clock()) // HOUR - 24  # an outage of days is not kept by the minute
            for key, fields in added.items():
                number = int(key.rpartition(":")[2])
                if "day" in key or "csp" in key or number >= oldest:
                    kept = self._added.setdefault(key, {})
                    for field, count in fields.items():
                        kept[field] = kept.get(field, 0) + count

    def listed(self, count: int, kind: str, client: str, since: float, cursor: str) -> Steps:
        """Return the newest events that fit, after the one whose `id` is `cursor`."""
        yield from self.flush()
        found: list[dict[str, Any]] = []
        for depth in LOOKS:
            (texts,) = yield [Latest(KEY, depth)]
            found = _fitting(texts, kind, client, since, cursor)
            if len(found) >= count or len(texts) < depth:
                break
        return found[:count]

    def counts(self, window: float) -> Steps:
        """Return how many of each kind there were in the last `window` seconds."""
        totals = dict.fromkeys(COUNTED, 0)
        for step in (yield from self.history(window)):
            for kind, count in step["counts"].items():
                totals[kind] = totals.get(kind, 0) + count
        return totals

    def history(self, window: float) -> Steps:
        """Return the counts by minute, or by hour of a window of more than a day, oldest first; `at` is their start."""
        yield from self.flush()
        now = int(self._clock())
        per, span, prefix = (MINUTE, HOUR, "") if window <= DAY else (HOUR, DAY, "day:")
        first = int(now - window) // per + 1
        spans = range(first * per // span, now // span + 1)
        hashes = yield [GetFields(f"security:count:{prefix}{number}") for number in spans]
        steps: dict[int, dict[str, int]] = {}
        for fields in hashes:
            for field, count in fields.items():
                number, _, kind = field.partition(":")
                if int(number) >= first:
                    steps.setdefault(int(number), {})[kind] = int(count)
        return [{"at": float(number * per), "counts": steps[number]} for number in sorted(steps)]

    def limited(self, window: float, most: int) -> Steps:
        """Return the clients that were limited most in the last hours, of which `window` seconds is the length."""
        yield from self.flush()
        hour = int(self._clock()) // HOUR
        hours = range(hour - max(0, round(window) // HOUR - 1), hour + 1)
        totals: dict[str, int] = {}
        for fields in (yield [GetFields(f"security:limited:{number}") for number in hours]):
            for name, count in fields.items():
                totals[name] = totals.get(name, 0) + int(count)
        top = sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:most]
        return [{"client": name, "refusals": count} for name, count in top]

    def reports(self, days: int) -> Steps:
        """Return the violations that browsers reported in the last days, the most frequent first."""
        yield from self.flush()
        today = int(self._clock()) // DAY
        keys = [f"security:csp:{today - n}" for n in range(days)]
        hashes = yield [GetFields(key) for name in keys for key in (name, f"{name}:seen")]
        groups: dict[str, dict[str, Any]] = {}
        for counts, seen in zip(hashes[::2], hashes[1::2], strict=True):
            for name, count in counts.items():
                group = groups.setdefault(name, {**_violation(name), "count": 0, "last": 0.0})
                group["count"] += int(count)
                group["last"] = max(group["last"], float(seen.get(name, 0)))
        return sorted(groups.values(), key=lambda group: (-group["count"], group["directive"]))


def _violation(name: str) -> dict[str, Any]:
    if name == OTHER:
        return {"directive": OTHER, "blocked": "", "page": "", "disposition": ""}
    return msgspec.json.decode(name)  # type: ignore[no-any-return]


def _fitting(texts: list[bytes], kind: str, client: str, since: float, cursor: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    waiting = bool(cursor)
    for text in texts:
        name = hashlib.blake2b(text, digest_size=8).hexdigest()
        if waiting:
            waiting = name != cursor
            continue
        event = _whole(msgspec.json.decode(text), name)
        if kind in ("", event["kind"]) and client in ("", event["client"]) and event["at"] >= since:
            found.append(event)
    return found


def _whole(event: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an event with all its fields; those about blocked addresses have some others besides."""
    kind = event["kind"]
    if "address" in event:
        event = {**event, "client": event["address"], "detail": event.get("reason", ""), "action": "noted"}
    return {**msgspec.to_builtins(Event(kind, event["at"], SEVERITY.get(kind, "low"))), **event, "id": name}
