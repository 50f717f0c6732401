"""Redis itself, for services whose data has no twin in memory: streams, sketches and jobs."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from ..errors import SettingsError, StoreError
from . import REDIS, open_store
from .base import Store

if TYPE_CHECKING:
    from .redis import RedisStore

PATIENCE = 5.0  # seconds that a trip may take for which no request waits


class Direct:
    """The Redis behind a store.

    Args:
        store: A Redis; a URL names one store per process.
        of: What needs it, for the error that says so.

    Raises:
        SettingsError: the store is no Redis.
    """

    def __init__(self, store: Store | str, *, of: str) -> None:
        made = open_store(store) if isinstance(store, str) else store
        if made.url.partition("://")[0] not in REDIS:
            raise SettingsError(f"{of} need Redis, not {made.url}: set NEXUS_STORE to redis://host:port/db")
        self._store = cast("RedisStore", made)
        self.prefix = self._store.prefix  # what every key begins with

    @contextmanager
    def quick(self) -> Generator[Any]:
        """Yield the client for threads, whose trips take no longer than a request may wait.

        Raises:
            StoreError: the server did not answer, in this block.
        """
        from redis.exceptions import RedisError

        try:
            yield self._store.client
        except RedisError as error:
            raise StoreError(f"no answer from {self._store.where}: {error}") from error

    @contextmanager
    def patient(self) -> Generator[Any]:
        """Yield a client of one's own, for what takes longer and delays nobody.

        Raises:
            StoreError: the server did not answer, in this block.
        """
        from redis.exceptions import RedisError

        try:
            with self._store.dial(timeout=PATIENCE) as client:
                yield client
        except RedisError as error:
            raise StoreError(f"no answer from {self._store.where}: {error}") from error
