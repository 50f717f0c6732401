"""Decisions that are kept: the last ones of this process, refusals of all processes, and counts by rule."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import Any, TypeAlias

import msgspec

from ..rules.decisions import Record
from ..stores import open_store
from ..stores.base import Store, adrive, drive
from ..stores.commands import AddFields, Command, GetFields, Latest, Push

Steps: TypeAlias = Generator[list[Command[Any]], list[Any], Any]
KEY, KEPT, LASTS = "decisions", 10_000, 86_400.0  # of all processes: how many, and for how many seconds
HERE = 1_000  # of this process
MOST = 500  # told to the store in a second, and rules counted in an hour, by one process
HOUR, DAY = 3_600, 86_400.0
LOOKS = (256, 2_048, KEPT)  # how far down the list is looked, step by step
PARTED = "\x1f"  # parts the names in a field of counts


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """Which records are wanted; "" for any. `cursor` is the `id` of the last one of the page before."""

    outcome: str = ""  # refused, would refuse, passed
    rule: str = ""  # that spoke against it
    client: str = ""
    cursor: str = ""

    def among(self, texts: Iterable[bytes]) -> list[dict[str, Any]]:
        """Return the records that fit."""
        found: list[dict[str, Any]] = []
        waiting = bool(self.cursor)
        for text in texts:
            if waiting:
                waiting = _id(text) != self.cursor
            elif self._fits(record := _told(text)):
                found.append(record)
        return found

    def _fits(self, record: dict[str, Any]) -> bool:
        if self.outcome not in ("", record["outcome"]) or self.client not in ("", record["client"]):
            return False
        rulings = [ruling for decision in record["decisions"] for ruling in decision["rules"]]
        return not self.rule or any(x["rule"] == self.rule and not x["allowed"] for x in rulings)


ALL = Sought()


class Decisions:
    """Takes records without waiting, tells the store of refusals once a second, and finds them again.

    >>> decisions = Decisions()
    >>> decisions.note(Record("id-1", 0.0, "203.0.113.9", "GET", "/", 429, "refused", ()))
    >>> decisions.find("id-1")["client"]
    '203.0.113.9'

    Args:
        store: Where refusals are, for all processes; a URL names one store per process.
        clock: Seconds since the epoch.
    """

    def __init__(self, store: Store | str = "memory://", *, clock: Callable[[], float] = time.time) -> None:
        self._store = open_store(store) if isinstance(store, str) else store
        self._clock, self._lock = clock, threading.Lock()
        self._here: deque[Record] = deque(maxlen=HERE)
        self._late: list[Record] = []
        self._counts: dict[str, dict[str, int]] = {}  # by hour

    def note(self, record: Record) -> None:
        """Keep a record; of refusals, count the rules and tell the store within a second, the first 500 whole."""
        self._here.append(record)
        if record.outcome == "passed":
            return
        with self._lock:
            if len(self._late) < MOST:
                self._late.append(record)
            counts = self._counts.setdefault(f"decisions:count:{int(record.at) // HOUR}", {})
            for names in record.refusals:
                field = PARTED.join(names)
                if field in counts or len(counts) < MOST:
                    counts[field] = counts.get(field, 0) + 1

    def here(self, count: int = 100, sought: Sought = ALL) -> list[dict[str, Any]]:
        """Return the newest records of this process, passed ones of the sample too; newest first."""
        return sought.among(map(msgspec.json.encode, list(self._here)[::-1]))[:count]

    def tick(self, now: float) -> None:
        """Tell the store what came since, for the background thread.

        Raises:
            StoreError: the store is down; what it was not told is told again.
        """
        drive(self._flush(), self._store.run)

    def latest(self, count: int = 100, sought: Sought = ALL) -> list[dict[str, Any]]:
        """Return the newest refusals of all processes, and those of shadow mode, newest first; at most 10,000, 24 h."""
        return drive(self._latest(count, sought), self._store.run)

    async def alatest(self, count: int = 100, sought: Sought = ALL) -> list[dict[str, Any]]:
        """`latest`, for the event loop."""
        return await adrive(self._latest(count, sought), self._store.arun)

    def find(self, request_id: str) -> dict[str, Any] | None:
        """Return the record of a request, if it is kept."""
        return drive(self._find(request_id), self._store.run)  # type: ignore[no-any-return]

    async def afind(self, request_id: str) -> dict[str, Any] | None:
        """`find`, for the event loop."""
        return await adrive(self._find(request_id), self._store.arun)

    def counts(self, hours: int = 1) -> list[dict[str, Any]]:
        """Return how often each rule refused, or would have in shadow, in this hour and those before; the most first."""
        return drive(self._counted(hours), self._store.run)

    async def acounts(self, hours: int = 1) -> list[dict[str, Any]]:
        """`counts`, for the event loop."""
        return await adrive(self._counted(hours), self._store.arun)

    def _flush(self) -> Steps:
        with self._lock:
            late, self._late = self._late, []
            counts, self._counts = self._counts, {}
        told: list[Command[Any]] = [AddFields(key, fields, 8 * DAY) for key, fields in counts.items()]
        if late:
            told.append(Push(KEY, tuple([msgspec.json.encode(record) for record in late]), KEPT, LASTS))
        if not told:
            return
        try:
            yield told
        except BaseException:
            self._again(late, counts)
            raise

    def _again(self, late: list[Record], counts: dict[str, dict[str, int]]) -> None:
        with self._lock:
            self._late = [*late, *self._late][:MOST]
            for key, fields in counts.items():
                kept = self._counts.setdefault(key, {})
                for field, count in fields.items():
                    kept[field] = kept.get(field, 0) + count
            self._counts = dict(sorted(self._counts.items())[-24:])  # an outage of days is not kept by the hour

    def _latest(self, count: int, sought: Sought) -> Steps:
        yield from self._flush()
        found: list[dict[str, Any]] = []
        for depth in (count, *LOOKS):
            (texts,) = yield [Latest(KEY, depth)]
            found = sought.among(texts)
            if len(found) >= count or len(texts) < depth:
                break
        return found[:count]

    def _find(self, request_id: str) -> Steps:
        for record in list(self._here)[::-1]:
            if record.request_id == request_id:
                return _told(msgspec.json.encode(record))
        yield from self._flush()
        needle = msgspec.json.encode(request_id)
        for depth in LOOKS:
            (texts,) = yield [Latest(KEY, depth)]
            for text in texts:
                if needle in text and (found := _told(text))["request_id"] == request_id:
                    return found
            if len(texts) < depth:
                break
        return None

    def _counted(self, hours: int) -> Steps:
        yield from self._flush()
        now = int(self._clock()) // HOUR
        totals: dict[tuple[str, str], dict[str, int]] = {}
        for fields in (yield [GetFields(f"decisions:count:{now - n}") for n in range(hours)]):
            for field, count in fields.items():
                layer, rule, what = field.split(PARTED)
                row = totals.setdefault((layer, rule), {"refused": 0, "would refuse": 0})
                row[what] += int(count)
        most_first = sorted(totals.items(), key=lambda item: (-sum(item[1].values()), item[0]))
        return [
            {"layer": layer, "rule": rule, "refused": row["refused"], "wouldRefuse": row["would refuse"]}
            for (layer, rule), row in most_first
        ]


def _told(text: bytes) -> dict[str, Any]:
    return {**msgspec.json.decode(text), "id": _id(text)}


def _id(text: bytes) -> str:
    return hashlib.blake2b(text, digest_size=8).hexdigest()
