"""One soak: traffic and faults for a while, looks at what each process holds, and a count at the end."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from .site import LIMIT, PROCESSES, SPARED, TOKEN, Site
from .traffic import Traffic

MIB = 2**20
EVERY = 2.0  # seconds between two looks
BETWEEN = 5.0  # seconds between two faults
CALM = 20.0  # seconds after the last fault, in which connections of the crowd are closed
COUNTED = 400  # requests of the last count
FLUSHED = 5.0  # seconds in which every process has told what it counted
WARM = 1 / 2  # of the time, in which what is kept within bounds fills up


@dataclass
class Look:
    """What one process holds at a moment."""

    at: float
    rss: float
    threads: int
    fds: int


@dataclass
class Goal:
    """What was found, and what it may be."""

    name: str
    found: float
    most: float
    least: float = float("-inf")

    @property
    def met(self) -> bool:
        return self.least <= self.found <= self.most

    def line(self) -> str:
        bound = f"= {self.most:g}" if self.least == self.most else f"≤ {self.most:g}"
        return f"{self.name:64}{self.found:>12.6g}{bound:>12}  {'met' if self.met else 'missed'}"


@dataclass
class Report:
    """What came of it."""

    goals: list[Goal] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    keys: Counter[str] = field(default_factory=Counter)

    @property
    def met(self) -> bool:
        return all(goal.met for goal in self.goals)

    def lines(self) -> list[str]:
        """Return what is printed at the end."""
        faults = ", ".join(f"{name} {count}" for name, count in sorted(self.faults.items()))
        seen = ", ".join(f"{name}: {count}" for name, count in sorted(self.seen.items()))
        keys = ", ".join(f"{name} {count}" for name, count in self.keys.most_common(12))
        told = [f"faults: {faults}", f"answers: {seen}", f"keys: {keys}", *self.wrong[:10], ""]
        return [*told, *[goal.line() for goal in self.goals]]


def soak(folder: Path, seconds: float, *, seed: int = 1, say: Callable[[str], object] = lambda _: None) -> Report:
    """Run for `seconds`, and then some for the count."""
    site = Site(folder, seed=seed)
    try:
        site.well()
        return asyncio.run(_Run(site, seconds, seed, say).run())
    finally:
        site.stop()


class _Run:
    def __init__(self, site: Site, seconds: float, seed: int, say: Callable[[str], object]) -> None:
        self._site, self._seconds, self._say = site, seconds, say
        self._traffic = Traffic(site.urls, seed=seed)
        self._looks: list[list[Look]] = [[] for _ in range(SPARED)]
        self._keys: list[tuple[float, int]] = []
        self._report = Report(seen=self._traffic.seen, wrong=self._traffic.wrong)
        self._began = time.monotonic()

    async def run(self) -> Report:
        calling = asyncio.create_task(self._traffic.run())
        await asyncio.sleep(min(20.0, self._seconds / 4))  # what is made once is made
        rest = await self._calm(calling)
        calling = asyncio.create_task(self._traffic.run())
        looking = asyncio.create_task(self._look())
        await self._trouble()
        looking.cancel()
        after = await self._calm(calling)
        self._grown(rest, after)
        self._report.keys = await asyncio.to_thread(self._kinds)
        await self._counted()
        self._report.faults = Counter(self._site.faults)
        return self._report

    async def _trouble(self) -> None:
        ends = self._began + self._seconds
        while time.monotonic() < ends:
            await asyncio.sleep(BETWEEN)
            await asyncio.to_thread(self._site.fault)

    async def _calm(self, calling: asyncio.Task[None]) -> list[dict[str, float]]:
        """End the traffic, wait until all is closed that was open, and return what the spared processes hold."""
        self._traffic.stop()
        await calling
        await asyncio.to_thread(self._site.well)
        await asyncio.sleep(min(CALM, self._seconds / 4))
        held = []
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            for i in range(SPARED):
                inside = (await client.get(f"{self._site.urls[i]}/inside")).json()
                look = self._one(i)
                held.append({**inside, "threads": look.threads, "fds": look.fds})
        return held

    def _one(self, which: int) -> Look:
        process = psutil.Process(self._site.webs[which].pid)
        with process.oneshot():
            rss = process.memory_info().rss / MIB
            return Look(time.monotonic() - self._began, rss, process.num_threads(), process.num_fds())

    async def _look(self) -> None:
        self._say(f"{'minute':>7}{'calls':>9}{'rss MiB':>16}{'threads':>10}{'fds':>10}{'keys':>8}{'faults':>8}")
        told = 0.0
        while True:
            for i, looks in enumerate(self._looks):
                looks.append(self._one(i))
            keys = await asyncio.to_thread(self._key_count)
            if keys:
                self._keys.append((time.monotonic() - self._began, keys))
            if time.monotonic() - told >= 60:
                told = time.monotonic()
                self._row(keys)
            await asyncio.sleep(EVERY)

    def _row(self, keys: int) -> None:
        last = [looks[-1] for looks in self._looks]
        cells = [
            (" ".join(f"{look.rss:.1f}" for look in last), 16),
            (" ".join(str(look.threads) for look in last), 10),
            (" ".join(str(look.fds) for look in last), 10),
        ]
        shown = "".join(f"{text:>{width}}" for text, width in cells)
        calls = sum(self._traffic.seen.values())
        self._say(f"{last[0].at / 60:7.1f}{calls:9}{shown}{keys:8}{len(self._site.faults):8}")

    def _key_count(self) -> int:
        try:
            return int(self._site.redis.client.dbsize())
        except Exception:  # noqa: BLE001  # it is away, as it shall be now and then
            return 0

    def _kinds(self) -> Counter[str]:
        names = [key.decode() for key in self._site.redis.client.scan_iter(count=1000)]
        return Counter(":".join(name.removeprefix("nexus:1:").split(":")[:2]) for name in names)

    def _grown(self, rest: list[dict[str, float]], after: list[dict[str, float]]) -> None:
        goals = self._report.goals
        for i, looks in enumerate(self._looks):
            slope = _slope([(look.at / 60, look.rss) for look in looks[round(len(looks) * WARM) :]])
            goals.append(Goal(f"process {i + 1}: MiB of memory more each minute, by regression", slope, 1.0))
        for name, more in (("tasks", 2), ("threads", 4), ("fds", 8)):
            grown = max(late[name] - early[name] for early, late in zip(rest, after, strict=True))
            goals.append(Goal(f"{name} more at rest than before the faults", grown, more))
        late = self._keys[round(len(self._keys) * WARM) :]
        slope = _slope([(at / 60, keys) for at, keys in late])
        goals.append(Goal("keys in Redis more each minute, by regression", slope, 60))
        goals.append(Goal("answers that nobody should get", len(self._report.wrong), 0, 0))

    async def _counted(self) -> None:
        """Count exactly: the jobs of all the time, and requests and a limit now that all is well."""
        goals, asked = self._report.goals, self._traffic.acknowledged
        missing = await _settled(lambda: asyncio.to_thread(self._missing, asked), lambda left: left == 0, 90)
        goals.append(Goal(f"of {len(asked)} jobs that were acknowledged, never run", missing, 0, 0))
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            await asyncio.sleep(FLUSHED)
            before = await self._requests(client)
            statuses: Counter[int] = Counter()
            for i in range(COUNTED):
                told = await client.get(
                    f"{self._site.urls[i % PROCESSES]}/limited", headers={"x-caller": "the last one"}
                )
                statuses[told.status_code] += 1
            goals.append(Goal(f"of {COUNTED} calls against {LIMIT} an hour, admitted", statuses[200], LIMIT, LIMIT))
            await _settled(lambda: self._requests(client), lambda count: count >= before + COUNTED, 20)
            await asyncio.sleep(FLUSHED)
            counted = await self._requests(client) - before
            goals.append(Goal(f"of {COUNTED} calls, in the count of requests", counted, COUNTED, COUNTED))

    def _missing(self, asked: set[int]) -> int:
        return len(asked - {int(line) for line in self._site.notes.read_text().split()})

    async def _requests(self, client: httpx.AsyncClient) -> int:
        told = await client.get(
            f"{self._site.urls[0]}/api/infrastructure/health", headers={"authorization": f"Bearer {TOKEN}"}
        )
        return int(told.json()["health"]["api"]["requestCount"])


async def _settled(ask: Callable[[], Awaitable[int]], enough: Callable[[int], bool], seconds: float) -> int:
    deadline = time.monotonic() + seconds
    while not enough(found := await ask()) and time.monotonic() < deadline:  # noqa: ASYNC110  # another process's doing
        await asyncio.sleep(0.5)
    return found


def _slope(points: list[tuple[float, float]]) -> float:
    if len(points) < 3:
        return 0.0
    return statistics.linear_regression([x for x, _ in points], [y for _, y in points]).slope
