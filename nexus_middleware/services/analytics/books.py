"""Events as they come in, each counted once, and what was counted in a period."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any, cast

import msgspec

from ...errors import SettingsError
from ...rules import periods
from ...rules.funnels import funnel
from ...rules.periods import Period
from ...stores.base import Store
from ...stores.direct import Direct
from .results import Result

SCRIPT = files("nexus_middleware.stores").joinpath("scripts/analytics_record.lua").read_text()
NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}").fullmatch
CURRENCY = re.compile(r"[A-Z]{3}").fullmatch
AT_ONCE = 500  # events in one script
PAGE = 5_000  # members of a step that are read in one trip
KEPT = 400  # days that results are kept


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that one user did. `amount` is in minor units of `currency`, `at` in seconds since the epoch."""

    event: str
    user_id: str
    key: str = ""  # names this very event: of all that have it, one is counted
    amount: int = 0
    currency: str = ""
    at: float | None = None  # None: now


class Analytics:
    """Counts events by day, in Redis, and calculates from them; `record` has a twin for the event loop.

    Users are counted by HyperLogLog: within 0.81 % of the truth, one standard error. Everything else is exact. An event
    with a `key` is counted once within its day, however often it is recorded in the next eight. Names of users are not
    kept, only a digest of them.

    Args:
        store: A Redis; a URL names one store per process.
        zone: Whose midnight ends a day.
        funnels: Steps by the name of the funnel, such as `{"sale": ("course.viewed", "checkout", "paid")}`. Of an event
            that is a step, the time of each is kept for 40 days.
        clock: Seconds since the epoch.

    Raises:
        SettingsError: the store is no Redis, or a zone or a step does not fit.
    """

    def __init__(
        self,
        store: Store | str,
        *,
        zone: str = "UTC",
        funnels: Mapping[str, Sequence[str]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._redis = Direct(store, of="analytics")
        self.zone = periods.zone(zone)
        self.funnels = {name: tuple(steps) for name, steps in (funnels or {}).items()}
        for name, steps in self.funnels.items():
            if not NAME(name) or len(steps) < 2 or not all(NAME(step) for step in steps):
                raise SettingsError(f"funnel {name!r} must have two steps or more, each the name of an event")
        self._steps = frozenset(step for steps in self.funnels.values() for step in steps)
        self._clock = clock
        self._prefix = f"{self._redis.prefix}analytics:"

    def record(
        self,
        event: str,
        user_id: str,
        *,
        key: str = "",
        amount: int = 0,
        currency: str = "",
        at: float | None = None,
    ) -> bool:
        """Count that a user did something; whether it was new.

        Args:
            event: What: letters, digits, '.', '_' and '-', at most 64.
            user_id: Who.
            key: Names this very event, such as "order-17"; "" counts each call.
            amount: What it earned, in minor units; below 0 for a refund.
            currency: Of `amount`: three capital letters (ISO 4217).
            at: Seconds since the epoch, at most 7 days ago; None for now.

        Raises:
            ValueError: one of them does not fit.
            StoreError: it could not be counted.
        """
        given = Event(event=event, user_id=user_id, key=key, amount=amount, currency=currency, at=at)
        return self.record_many([given]) == 1

    async def arecord(
        self,
        event: str,
        user_id: str,
        *,
        key: str = "",
        amount: int = 0,
        currency: str = "",
        at: float | None = None,
    ) -> bool:
        """`record`, for the event loop."""
        given = Event(event=event, user_id=user_id, key=key, amount=amount, currency=currency, at=at)
        return await asyncio.to_thread(self.record_many, [given]) == 1

    def record_many(self, events: Iterable[Event]) -> int:
        """Count many events in few trips; how many were new. None is counted if one of them does not fit."""
        rows = [self._row(event) for event in events]
        new = 0
        with self._redis.quick() as client:
            for first in range(0, len(rows), AT_ONCE):
                words = [word for row in rows[first : first + AT_ONCE] for word in row]
                new += client.eval(SCRIPT, 0, self._redis.prefix, *words)
        return new

    def counts(self, period: Period) -> dict[str, int]:
        """Return how often each event happened."""
        return self._sums(period, "counts")

    def revenue(self, period: Period) -> dict[str, int]:
        """Return what came in, by currency, in minor units."""
        return self._sums(period, "revenue")

    def users(self, period: Period, event: str = "") -> int:
        """Return how many users did `event`, or anything; about, see the class."""
        suffix = f"users:{event}" if event else "users"
        with self._redis.patient() as client:
            return cast("int", client.pfcount(*[f"{self._prefix}{day}:{suffix}" for day in self._days(period)]))

    def conversion(self, period: Period, of: str, to: str) -> float | None:
        """Return the users who did `to`, as a share of those who did `of`; None if nobody did `of`."""
        base = self.users(period, of)
        return self.users(period, to) / base if base else None

    def funnel(self, period: Period, name: str) -> list[int]:
        """Return how many users reached each step within the period, in order.

        Raises:
            SettingsError: no funnel has that name.
        """
        if name not in self.funnels:
            raise SettingsError(f"no funnel is called {name!r}: there are {sorted(self.funnels)}")
        return funnel([self._times(period, step) for step in self.funnels[name]])

    def keep(self, period: Period, metric: str, value: Any) -> None:
        """Keep what was calculated, in the place of an earlier result."""
        key = f"{self._prefix}results:{period.name}"
        line = msgspec.json.encode({"value": value, "at": self._clock()})
        with self._redis.quick() as client:
            pipe = client.pipeline(transaction=True)
            pipe.hset(key, metric, line)
            pipe.expire(key, timedelta(days=KEPT))
            pipe.zadd(f"{self._prefix}periods", {period.name: period.start.timestamp()})
            pipe.zremrangebyscore(f"{self._prefix}periods", "-inf", self._clock() - KEPT * 86_400)
            pipe.execute()

    def results(self, *, since: float = 0.0, metric: str = "") -> list[Result]:
        """Return what was calculated of the periods that began at `since` (seconds since the epoch) or later, by time."""
        with self._redis.patient() as client:
            names = [name.decode() for name in client.zrangebyscore(f"{self._prefix}periods", since, "+inf")]
            pipe = client.pipeline(transaction=False)
            for name in names:
                pipe.hgetall(f"{self._prefix}results:{name}")
            rows: list[dict[bytes, bytes]] = pipe.execute()
        return [
            Result(period=name, metric=field.decode(), **msgspec.json.decode(line))
            for name, fields in zip(names, rows, strict=True)
            for field, line in sorted(fields.items())
            if not metric or field.decode() == metric
        ]

    async def aresults(self, *, since: float = 0.0, metric: str = "") -> list[Result]:
        """`results`, for the event loop."""
        return await asyncio.to_thread(lambda: self.results(since=since, metric=metric))

    def now(self) -> datetime:
        """Return the time, in our zone."""
        return datetime.fromtimestamp(self._clock(), self.zone)

    def period(self, written: str = "") -> Period:
        """Return the period that is written so, in our zone; "" for yesterday."""
        if written:
            return periods.period(written, self.zone)
        return periods.before(periods.at(self.now(), "day", self.zone), self.zone)

    def _row(self, event: Event) -> tuple[Any, ...]:
        at = self._clock() if event.at is None else event.at
        if not NAME(event.event):
            raise ValueError(f"event={event.event!r} must be 1 to 64 letters, digits, dots, dashes or underscores")
        if not 0 < len(event.user_id) <= 256:
            raise ValueError("user_id must have 1 to 256 characters")
        if bool(event.amount) != bool(event.currency) or (event.currency and not CURRENCY(event.currency)):
            raise ValueError("amount and currency go together, and a currency is like EUR")
        if not -7 * 86_400 <= at - self._clock() <= 86_400:
            raise ValueError(f"at={at} is in seconds since the epoch, and must be of the last 7 days")
        day = periods.at(datetime.fromtimestamp(at, self.zone), "day", self.zone).name
        once = _digest(event.key) if event.key else ""
        step = int(event.event in self._steps)
        return day, event.event, _digest(event.user_id), once, event.currency, event.amount, int(at * 1000), step

    def _sums(self, period: Period, what: str) -> dict[str, int]:
        total: dict[str, int] = defaultdict(int)
        with self._redis.patient() as client:
            pipe = client.pipeline(transaction=False)
            for day in self._days(period):
                pipe.hgetall(f"{self._prefix}{day}:{what}")
            for fields in pipe.execute():
                for name, count in fields.items():
                    total[name.decode()] += int(count)
        return dict(sorted(total.items()))

    def _times(self, period: Period, step: str) -> dict[str, list[float]]:
        times: dict[str, list[float]] = defaultdict(list)
        with self._redis.patient() as client:
            for day in self._days(period):
                first = 0
                while page := client.zrange(
                    f"{self._prefix}{day}:step:{step}", first, first + PAGE - 1, withscores=True
                ):
                    for member, score in cast("list[tuple[bytes, float]]", page):
                        times[member.partition(b":")[0].decode()].append(score)
                    first += PAGE
        return times

    def _days(self, period: Period) -> list[str]:
        first, last = period.start.date(), period.end.date()
        return [(first + timedelta(n)).isoformat() for n in range((last - first).days)]


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()
