"""Act once, however often a job is run: claim a key, act, and note that it was done."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any

from .registry import Later

CLAIM = 25  # seconds: longer than a mail may take, shorter than the time in which a dead worker's job is run again
REMEMBERED = 7 * 86_400  # seconds that a thing done is known as done
GIVE_BACK = 'if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end return 0'


class Once:
    """Claims in Redis.

    Args:
        client: A Redis client for threads.
        prefix: What the claims' keys begin with.
        owner: Names this run; another run of the same job is another owner.
    """

    def __init__(self, client: Any, prefix: str, owner: str) -> None:
        self._client, self._prefix, self._owner = client, prefix, owner.encode()

    @contextmanager
    def doing(self, key: str) -> Generator[bool]:
        """Yield whether the block is to act; if it ends well, `key` is done, and if it raises, may be tried again.

        Raises:
            Later: another run is at it, or died at it less than 25 s ago.
        """
        name = f"{self._prefix}once:{key}"
        if not self._client.set(name, self._owner, nx=True, ex=CLAIM):
            if self._client.get(name) == b"done":
                yield False
                return
            left = self._client.ttl(name)
            raise Later(max(1, left), "another run of this job may be acting right now")
        try:
            yield True
        except BaseException:
            self._client.eval(GIVE_BACK, 1, name, self._owner)
            raise
        self._note_done(name)

    def noted(self, key: str) -> set[str]:
        """Return the parts of `key` that are done, as noted before."""
        return {part.decode() for part in self._client.smembers(f"{self._prefix}once:{key}:parts")}

    def note(self, key: str, parts: Iterable[str]) -> None:
        """Note that parts of `key` are done, as the recipients of one mail who got it."""
        done = [*parts]
        if done:
            with self._client.pipeline() as pipe:
                pipe.sadd(f"{self._prefix}once:{key}:parts", *done)
                pipe.expire(f"{self._prefix}once:{key}:parts", REMEMBERED)
                pipe.execute()

    def _note_done(self, name: str) -> None:
        """Note it, even if Redis is away for a moment: without the note the act would be repeated."""
        from redis.exceptions import RedisError

        for pause in (*[0.5] * 10, 0.0):
            try:
                self._client.set(name, "done", ex=REMEMBERED)
            except RedisError:
                if not pause:
                    raise
                time.sleep(pause)
            else:
                return
