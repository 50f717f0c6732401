"""State shared by every worker, in Redis or Valkey."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import weakref
from collections.abc import Callable, Generator, Sequence
from typing import Any
from urllib.parse import urlsplit

import redis
from redis.exceptions import NoScriptError

from ..errors import SettingsError, StoreError
from ..forks import THIS
from . import timely
from .base import LIVE, Ear, adrive, drive
from .breaker import Breaker
from .commands import Command, Drop, Facts, Get, Scan
from .dialling import dialler
from .listener import Listener
from .pipeline import Pipeline, Words
from .refusals import hint
from .standby import Standby
from .wire import travel
from .words import SCRIPTS, Speech

SCHEMA = 1
OPENING = 1.0  # seconds that the first connection may take, before any request waits
SILENCE = Speech([], "", None)
OLDEST = (6, 2)  # LMOVE and more came with it


class RedisStore:
    """Speaks to one Redis; clients are made when first used, so that each belongs to its process and event loop.

    Args:
        url: redis://, rediss:// (TLS), unix://, valkey:// or valkeys:// for one server; redis+sentinel:// for the master
            that Sentinels name; redis+cluster:// for a cluster, of which one server has all that is under `namespace`.
        namespace: What every key begins with.
        budget: Seconds that one trip may take, connecting included; then it has failed.
        clock: None for the server's own, which all workers share; tests pass theirs.

    Raises:
        SettingsError: the URL cannot be read.
    """

    waits = True

    def __init__(
        self, url: str, *, namespace: str = "nexus", budget: float = 0.1, clock: Callable[[], float] | None = None
    ) -> None:
        self.url, self.prefix = (
            url,
            f"{f'{{{namespace}}}' if 'cluster' in url.partition(':')[0] else namespace}:{SCHEMA}:",
        )
        self._dialler = dialler(url, self.prefix, budget)
        self._budget, self.clock = budget, clock
        self._breaker = Breaker()
        self.standby = Standby(tells=True, clock=clock or time.monotonic)
        self._part()
        LIVE.add(self)

    def forget(self) -> None:
        """Forget counts, blocks and bans; what else is here stays."""
        for prefix in ("rate:", "ban:", "security:"):
            cursor = None
            while cursor != 0:
                ((cursor, keys),) = self.run([Scan(prefix, cursor=cursor or 0)])
                self.run([Drop(tuple(keys))])

    def _part(self) -> None:
        self._pid = THIS.pid
        self._dialling = threading.Lock()
        self._listeners: list[Listener] = []
        self._client: redis.Redis | None = None
        self._loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[Any, Pipeline]]
        self._loops = weakref.WeakKeyDictionary()

    @property
    def client(self) -> redis.Redis:
        """This process's client for threads; replies are raw bytes."""
        if self._pid != THIS.pid:  # after a fork the parent's sockets are not ours
            self._part()
        client = self._client
        if client is None:
            with self._dialling:  # a second client would be dropped, and closed under the thread that got it first
                client = self._client = self._client or self.dial(timeout=self._budget)
        return client

    def dial(self, *, timeout: float | None) -> redis.Redis:
        """Return a client of one's own, such as for waiting on a channel; `timeout` is in seconds, None for ever."""
        return self._dialler.thread(timeout=timeout)

    def listen(self, channel: str, ear: Ear) -> Listener:
        """Let `ear` hear what is published on `channel`, in a thread of its own, until the store is closed."""
        if self._pid != THIS.pid:
            self._part()
        listener = Listener(lambda: self.dial(timeout=None), self.prefix + channel, ear)
        self._listeners.append(listener)
        return listener

    def _of_loop(self) -> tuple[Any, Pipeline]:
        if self._pid != THIS.pid:
            self._part()
        loop = asyncio.get_running_loop()
        made = self._loops.get(loop)
        if made is None:
            made = self._loops[loop] = self._dialler.loop(), Pipeline(self._execute)
        return made

    def run(self, commands: Sequence[Command[Any]]) -> list[Any]:
        """Answer `commands` in one trip.

        Raises:
            StoreError: the server did not answer in time, or refused.
        """
        speech = self._speech(commands)
        with self._breaker:
            raws = self._travel(speech.words)
        return speech.answers(_checked(raws))

    async def arun(self, commands: Sequence[Command[Any]]) -> list[Any]:
        """Answer `commands` in one trip, which the other callers of this turn of the event loop share.

        Raises:
            StoreError: the server did not answer in time, or refused.
        """
        speech = self._speech(commands)
        _, pipeline = self._of_loop()
        return speech.answers(_checked(await pipeline.run(speech.words)))

    def check(self) -> None:
        """Make sure that the server answers and is new enough.

        Raises:
            StoreError: it is not there.
            SettingsError: it is too old.
        """
        try:
            version = self.run([Facts()])[0]["redis_version"]
        except StoreError as error:
            raise StoreError(f"no Redis answers at {self.where}: start it, or change NEXUS_STORE ({error})") from error
        if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
            raise SettingsError(f"the server at {self.where} is version {version}: at least 6.2 is needed")

    @property
    def where(self) -> str:
        """The URL without user and password."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()

    def close(self) -> None:
        """Drop the connections of threads; used again, it opens new ones."""
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener.stop()
        if self._client is not None and self._pid == THIS.pid:
            self._client.close()
        self._client = None

    async def aclose(self) -> None:
        """Drop the connections of threads and of this event loop."""
        self.close()
        made = self._loops.pop(asyncio.get_running_loop(), None)
        if made is not None:
            await made[0].aclose()

    def _speech(self, commands: Sequence[Command[Any]]) -> Speech:
        return Speech(commands, self.prefix, None if self.clock is None else int(self.clock() * 1e6))

    def tick(self, now: float) -> None:
        """Tell the server that this process counts, and what it has not heard of; for the background thread."""
        if self.standby.wanted:
            self.standby.enlisted = True
            self.run([])

    def _travel(self, words: Sequence[Words]) -> list[Any]:
        with timely.within(self._budget):
            errands = self._errands()
            raws = drive(_exchange([*errands.words, *words]), self._execute_sync)
        return self._delivered(errands, raws)

    async def _execute(self, words: list[Words]) -> list[Any]:
        with self._breaker:
            errands = self._errands()
            async with timely.patience(self._budget):
                raws = await adrive(_exchange([*errands.words, *words]), self._execute_async)
            return self._delivered(errands, raws)

    async def aopen(self) -> None:
        """Connect from this event loop and say that this process counts, so that no request waits for that.

        A server that is not there now is none of this's business: requests will find out.
        """
        self.standby.enlisted = self.standby.wanted
        errands = self._speech([Get("warm"), *self.standby.errands()])
        with contextlib.suppress(redis.RedisError, OSError, TimeoutError):
            async with asyncio.timeout(OPENING):
                raws = await adrive(_exchange(errands.words), self._execute_async)
            self.standby.delivered(errands.commands[1:], errands.answers(raws)[1:])

    def _errands(self) -> Speech:
        errands = self.standby.errands()
        return self._speech(errands) if errands else SILENCE

    def _delivered(self, errands: Speech, raws: list[Any]) -> list[Any]:
        if size := len(errands.words):
            self.standby.delivered(errands.commands, errands.answers(_checked(raws[:size])))
        return raws[size:]

    async def _execute_async(self, words: Sequence[Words]) -> list[Any]:
        return await travel(self._of_loop()[0], words)

    def _execute_sync(self, words: Sequence[Words]) -> list[Any]:
        pipe: Any = self.client.pipeline(transaction=False)
        for each in words:
            pipe.execute_command(*each)
        return pipe.execute(raise_on_error=False)  # type: ignore[no-any-return]


def _exchange(words: Sequence[Words]) -> Generator[Sequence[Words], list[Any], list[Any]]:
    """Send `words`; where the server has lost the script, as after a restart, load it and send those again."""
    raws = yield words
    lost = [i for i, raw in enumerate(raws) if isinstance(raw, NoScriptError)]
    if lost:
        again = yield [*(("SCRIPT LOAD", script) for script in SCRIPTS), *(words[i] for i in lost)]
        for i, raw in zip(lost, again[len(SCRIPTS) :], strict=True):
            raws[i] = raw
    return raws


def _checked(raws: list[Any]) -> list[Any]:
    for raw in raws:
        if isinstance(raw, Exception):
            raise StoreError(f"the store refused: {raw}{hint(raw)}") from raw
    return raws
