"""Callers of every kind, who also leave in the middle."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence

import httpx
import websockets
from websockets.exceptions import WebSocketException

from .site import PROCESSES, SPARED

CALLERS = 12
PAUSE = 0.02  # seconds between two calls of a caller: two processors have to do for all


class Traffic:
    """What callers did, and what they were told."""

    def __init__(self, urls: Sequence[str], *, seed: int) -> None:
        self.urls, self._random = urls, random.Random(seed)
        self.seen: Counter[str] = Counter()  # "page 200" and the like
        self.wrong: list[str] = []  # what nobody should be told
        self.acknowledged: set[int] = set()
        self._numbers = itertools.count()
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Call until `stop`."""
        self._over.clear()
        await asyncio.gather(*[self._caller() for _ in range(CALLERS)])

    def stop(self) -> None:
        """Let each caller finish what it does."""
        self._over.set()

    async def _caller(self) -> None:
        kinds = (self.page, self.hit, self.hit, self.limited, self.job, self.upload, self.events, self.echo, self.leave)
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            while not self._over.is_set():
                kind, which = self._random.choice(kinds), self._random.randrange(PROCESSES)
                try:
                    await kind(client, self.urls[which])
                except (httpx.TransportError, WebSocketException, OSError) as error:
                    self.seen["cut off"] += 1
                    if which < SPARED:
                        self.wrong.append(f"{kind.__name__}: {error!r} of a process that was not killed")
                await asyncio.sleep(PAUSE)

    def _note(self, kind: str, status: int, *allowed: int) -> None:
        self.seen[f"{kind} {status}"] += 1
        if status not in allowed:
            self.wrong.append(f"{kind}: {status}")

    async def page(self, client: httpx.AsyncClient, url: str) -> None:
        """Get one that is not kept."""
        self._note("page", (await client.get(f"{url}/page/{self._random.randrange(10_000)}")).status_code, 200)

    async def hit(self, client: httpx.AsyncClient, url: str) -> None:
        """Get one that is kept for two seconds."""
        self._note("hit", (await client.get(f"{url}/hit/{self._random.randrange(50)}")).status_code, 200)

    async def limited(self, client: httpx.AsyncClient, url: str) -> None:
        """Come as one of two callers, who soon have used up what is theirs."""
        caller = {"x-caller": f"caller {self._random.randrange(2)}"}
        self._note("limited", (await client.get(f"{url}/limited", headers=caller)).status_code, 200, 429)

    async def job(self, client: httpx.AsyncClient, url: str) -> None:
        """Queue one."""
        number = next(self._numbers)
        status = (await client.post(f"{url}/jobs/{number}")).status_code
        self._note("job", status, 200, 503)
        if status == 200:
            self.acknowledged.add(number)

    async def upload(self, client: httpx.AsyncClient, url: str) -> None:
        """Send 200 KB in pieces, or 600 KB, which is too much."""
        pieces = self._random.choice((10, 30))
        told = await client.post(f"{url}/upload", content=_pieces(pieces))
        self._note("upload", told.status_code, 200 if pieces == 10 else 413)

    async def events(self, client: httpx.AsyncClient, url: str) -> None:
        """Listen for a while."""
        async with client.stream("GET", f"{url}/events") as told:
            self._note("events", told.status_code, 200)
            heard = 0
            async for _ in told.aiter_lines():
                heard += 1
                if heard > self._random.randrange(60):
                    return  # gone in the middle

    async def echo(self, _client: httpx.AsyncClient, url: str) -> None:
        """Talk over a websocket, and now and then hang up without a word."""
        async with websockets.connect(url.replace("http", "ws") + "/echo", proxy=None) as socket:
            for n in range(self._random.randrange(1, 6)):
                await socket.send(str(n))
                assert await socket.recv() == str(n)
            self.seen["echo"] += 1
            if self._random.random() < 0.3:
                socket.transport.abort()

    async def leave(self, _client: httpx.AsyncClient, url: str) -> None:
        """Begin a request, and be gone."""
        host, _, port = url.removeprefix("http://").partition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nabc")
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.transport.abort()
        self.seen["left"] += 1


async def _pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * 20_000
        await asyncio.sleep(0)
