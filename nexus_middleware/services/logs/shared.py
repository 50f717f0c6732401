"""One level for the logs of all processes, which an administrator changes while they run."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...errors import SettingsError
from ...settings import LogLevel
from ...stores.base import Store, adrive, drive
from ...stores.commands import Command, Drop, Get, Put
from .lines import LEVELS
from .log import Log

KEY = "log:level"
LASTS = 3_600.0  # seconds: nobody has to remember to turn a flood of lines off again


class SharedLevel:
    """The level of every process on one store; each follows within a second.

    Args:
        store: Where it is told.
        log: Whose level follows.
    """

    def __init__(self, store: Store, log: Log) -> None:
        self._store, self._log = store, log
        self._own: LogLevel = log.level  # of the settings, which holds when nothing else is told
        self._heard: bytes | None = None

    def set(self, level: LogLevel | None, *, lasts: float = LASTS) -> None:
        """Write from `level` on in all processes for `lasts` seconds; None: as the settings say, from now on.

        Raises:
            SettingsError: there is no such level.
            StoreError: the store did not answer.
        """
        drive(self._set(level, lasts), self._store.run)

    async def aset(self, level: LogLevel | None, *, lasts: float = LASTS) -> None:
        """`set`, for the event loop."""
        await adrive(self._set(level, lasts), self._store.arun)

    def _set(self, level: LogLevel | None, lasts: float) -> Generator[list[Command[Any]], list[Any], None]:
        if level is not None and level not in LEVELS:
            raise SettingsError(f"level={level!r} must be one of {', '.join(LEVELS)}")
        yield [Drop((KEY,)) if level is None else Put(KEY, level.encode(), lasts)]
        self._hear(None if level is None else level.encode())

    def tick(self, now: float) -> None:
        """Follow what was told, for the background thread.

        Raises:
            StoreError: the store is down.
        """
        self._hear(self._store.run([Get(KEY)])[0])

    def _hear(self, told: bytes | None) -> None:
        if told != self._heard:  # a level that was set here by hand stays until somebody tells another
            self._heard = told
            level: Any = told.decode("ascii", "replace") if told else self._own
            self._log.level = level if level in LEVELS else self._own
