"""Times subjects side by side: in rounds, each subject in each round, so that whatever slows the machine slows all."""

from __future__ import annotations

import asyncio
import gc
import io
import itertools
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

ROUND = 0.008  # seconds of one subject in one round, at the most
LARGEST = 1_000  # requests in a round, at the most
ROUNDS = 45
CALLERS = [(f"10.{i >> 8}.{i & 255}.7", 40_000) for i in range(1024)]  # so that nobody exceeds an ordinary limit
HEADERS = [
    (b"host", b"example.org"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    (b"accept", b"application/json"),
    (b"accept-language", b"en-GB,en;q=0.5"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"connection", b"keep-alive"),
]
SCOPE = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/items",
    "raw_path": b"/items",
    "query_string": b"",
    "root_path": "",
    "headers": HEADERS,
    "server": ("10.0.0.1", 80),
}
ENVIRON = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/items",
    "QUERY_STRING": "",
    "SERVER_NAME": "example.org",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_PORT": "40000",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
    "wsgi.errors": sys.stderr,
    **{f"HTTP_{name.decode().upper().replace('-', '_')}": value.decode() for name, value in HEADERS},
}


@dataclass
class Subject:
    """What is timed: `run(n)` makes n requests, `probe` one, whose status it returns; `settle` ends what they left."""

    name: str
    run: Callable[[int], object]
    probe: Callable[[], int]
    settle: Callable[[], object]
    least: int  # requests in a round
    n: int = 0  # requests in a round
    bytecodes: int | None = None  # a request took
    seconds: list[float] = field(default_factory=list)  # a request took in each round

    def calibrate(self) -> None:
        """Let every caller be known, and find how many requests make a round."""
        self.n = len(CALLERS)
        self.n = max(self.least, min(LARGEST, int(self.n * ROUND / self._time())))

    def round(self) -> None:
        """Time one round."""
        self.seconds.append(self._time() / self.n)

    def check(self) -> None:
        """See that it answers as it should, before the rounds and after them: a refusal is another thing to time."""
        status = self.probe()
        self.settle()
        if status != 200:
            raise SystemExit(f"{self.name} answers {status}, not 200: what it costs says nothing")

    def count(self) -> None:
        """Count what a request takes in bytecodes of Python, which no other process can change.

        What threads in the background do for it is not among them, and where many call at once nothing is counted.
        """
        if self.least == 1:
            few, many = _count(self.run, 20), _count(self.run, 60)
            self.bytecodes = round((many - few) / 40)

    def _time(self) -> float:
        # The processor's time of all threads: other processes do not count, the thread that writes the log does.
        began = time.process_time()
        self.run(self.n)
        self.settle()
        return time.process_time() - began


class Race:
    """The subjects of one run."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.subjects: dict[str, Subject] = {}

    def asgi(self, name: str, app: Any, *, callers: int = 1, settle: Callable[[], object] = int) -> None:
        """Add an ASGI app, called by that many at once; `settle` ends what a round left to do, within its time."""
        clients = itertools.cycle([*CALLERS])

        async def call(n: int) -> None:
            for _ in range(n):
                await app({**SCOPE, "client": next(clients), "state": {}}, receive, send)

        async def call_all(n: int) -> None:
            await asyncio.gather(*[call(-(-n // callers)) for _ in range(callers)])

        def run(n: int) -> None:
            self.loop.run_until_complete(call(n) if callers == 1 else call_all(n))

        def probe() -> int:
            heads: list[Any] = []

            async def keep(message: Any) -> None:
                heads.append(message.get("status"))

            scope = {**SCOPE, "client": next(clients), "state": {}}
            self.loop.run_until_complete(app(scope, receive, keep))
            return int(heads[0])

        self.subjects[name] = Subject(name, run, probe, settle, callers)

    def wsgi(self, name: str, app: Any, *, settle: Callable[[], object] = int) -> None:
        """Add a WSGI app."""
        clients = itertools.cycle([*CALLERS])

        def call(start_response: Any) -> None:
            body = app({**ENVIRON, "wsgi.input": io.BytesIO(), "REMOTE_ADDR": next(clients)[0]}, start_response)
            for _ in body:
                pass
            if hasattr(body, "close"):
                body.close()

        def run(n: int) -> None:
            for _ in range(n):
                call(start)

        def probe() -> int:
            lines: list[str] = []
            call(lambda line, headers, exc_info=None: lines.append(line) or print)
            return int(lines[0][:3])

        self.subjects[name] = Subject(name, run, probe, settle, 1)

    def call(self, name: str, call: Callable[[], object], *, settle: Callable[[], object] = int) -> None:
        """Add a call that is no request."""

        def run(n: int) -> None:
            for _ in range(n):
                call()

        def probe() -> int:
            call()
            return 200

        self.subjects[name] = Subject(name, run, probe, settle, 1)

    def work(self, name: str, work: Callable[[], Awaitable[object]], *, callers: int = 1) -> None:
        """Add what is awaited and is no request, by that many at once."""

        async def call(n: int) -> None:
            for _ in range(n):
                await work()

        async def call_all(n: int) -> None:
            await asyncio.gather(*[call(-(-n // callers)) for _ in range(callers)])

        def run(n: int) -> None:
            self.loop.run_until_complete(call(n) if callers == 1 else call_all(n))

        def probe() -> int:
            run(1)
            return 200

        self.subjects[name] = Subject(name, run, probe, int, callers)

    def run(self) -> None:
        """Time all subjects."""
        for subject in self.subjects.values():
            subject.check()
            subject.calibrate()
            subject.count()
        for _ in range(ROUNDS):
            gc.collect()
            gc.freeze()  # what is there stays there, so a collection within a round looks at the round's own litter
            for subject in self.subjects.values():
                subject.round()
        gc.unfreeze()
        for subject in self.subjects.values():
            subject.check()

    def micros(self, name: str) -> float:
        """Return the median of a subject's request, in microseconds."""
        return statistics.median(self.subjects[name].seconds) * 1e6

    def ratio(self, name: str, base: str, unit: str) -> float:
        """Return what `name` takes more than `base`, in requests of `unit`: the median of all rounds' ratios."""
        return statistics.median([(a - b) / c for a, b, c in zip(*self._of(name, base, unit), strict=True)])

    def share(self, name: str, unit: str) -> float:
        """Return what `name` takes, in requests of `unit`."""
        return statistics.median([a / c for a, c in zip(*self._of(name, unit), strict=True)])

    def _of(self, *names: str) -> list[list[float]]:
        return [self.subjects[name].seconds for name in names]


def _count(run: Callable[[int], object], n: int) -> int:
    counted = 0

    def tracer(frame: Any, event: str, arg: object) -> Any:
        nonlocal counted
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        counted += event == "opcode"
        return tracer

    before = sys.gettrace()  # of coverage, where the gate is run under it
    sys.settrace(tracer)
    try:
        run(n)
    finally:
        sys.settrace(before)
    return counted


async def receive() -> dict[str, Any]:
    """Give an empty body."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(message: Any) -> None:
    """Take what an app sends."""


def start(line: str, headers: Any, exc_info: Any = None) -> Any:
    """Take the head that a WSGI app sends."""
    return len
