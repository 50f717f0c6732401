"""Hears what other processes publish: one thread a channel, which comes back by itself when the line is cut."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError

from ..errors import StoreError
from ..forks import THIS
from .base import Ear, Listening

LOG = logging.getLogger("nexus_middleware")
IDLE = 0.1  # seconds between two looks at the clock
SILENCE = 2.0  # seconds after which the server is asked whether it is there
DEAD = 5.0  # seconds without a word after which it is not
AGAIN = (0.05, 0.1, 0.25, 0.5)  # seconds before each new try, the last one over and over


class Listener(Listening):
    """One thread that listens.

    Args:
        dial: Makes a client of its own, which waits as long as need be.
        channel: The channel's whole name.
        ear: What hears.
    """

    def __init__(self, dial: Callable[[], Any], channel: str, ear: Ear) -> None:
        self._dial, self._channel, self._ear = dial, channel, ear
        self._pid = THIS.pid
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nexus-listener", daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:  # type: ignore[override]  # a fork has no thread
        return self._stopping.is_set() or self._pid != THIS.pid

    def stop(self) -> None:
        """Hang up; the thread closes its own connection."""
        self._stopping.set()
        if self._pid == THIS.pid and self._thread is not threading.current_thread():
            self._thread.join(1.0)

    def _run(self) -> None:
        tries = 0
        while not self._stopping.is_set():
            try:
                self._listen()
            except (RedisError, OSError, StoreError) as error:
                LOG.debug("the store's channel is cut: %s", error)
            except Exception:
                LOG.exception("what the store's channel told could not be understood")
            self._ear.lost()
            self._stopping.wait(AGAIN[min(tries, len(AGAIN) - 1)])
            tries += 1

    def _listen(self) -> None:
        client = self._dial()
        line = client.pubsub()
        try:
            line.subscribe(self._channel)
            last = asked = time.monotonic()
            while not self._stopping.is_set():
                message = line.get_message(timeout=IDLE)
                now = time.monotonic()
                if message is not None:
                    last = asked = now
                    self._hear(message)
                elif now - last > DEAD:
                    raise OSError("it says nothing any more")
                elif now - asked > SILENCE:
                    asked = now
                    line.ping()
                self._ear.idle(now)
        finally:
            line.close()
            client.close()

    def _hear(self, message: dict[str, Any]) -> None:
        if message["type"] == "message":
            self._ear.heard(message["data"])
        elif message["type"] == "subscribe":
            self._ear.joined()
