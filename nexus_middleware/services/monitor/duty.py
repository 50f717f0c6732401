"""What one process does for all: it asks the other services how they are, and looks after the alerts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from typing import Any

import msgspec

from ...errors import StoreError
from ...rules.health import Check
from ...stores.base import drive
from ...stores.commands import Command, Get, GetFields, Put, SetFields
from .alerts import Alerts
from .probes import Probe, Value

LOG = logging.getLogger("nexus_middleware")
LEADER, PROBED = "monitor:leader", "monitor:probed"
TERM = 15.0  # seconds after which another process takes over from one that is silent
EVERY = 5.0  # seconds
PROBE_EVERY = 10.0
STALE = 60.0  # seconds after which a value says nothing any more
Run = Callable[[list[Command[Any]]], list[Any]]


class Duty:
    """The duty, whether or not this process has it now.

    Args:
        alerts: What it looks after.
    """

    def __init__(self, alerts: Alerts) -> None:
        self.alerts = alerts
        self.probes: list[Probe] = []
        self.values: dict[str, Value] = {}  # by the names of checks, as whoever is on duty found them
        self._leads = self._alone = False
        self._next = self._next_probe = 0.0

    def tick(self, name: str, run: Run, now: float, checks: Callable[[], list[Check]]) -> None:
        """Do what is due, if this process, called `name`, is on duty."""
        if self._next - EVERY <= now < self._next:  # earlier: the clock was set back
            return
        self._next = now + EVERY
        try:
            self._leads = drive(_lead(name), run)
            if self._leads and self.probes and not self._next_probe - PROBE_EVERY <= now < self._next_probe:
                self._next_probe = now + PROBE_EVERY
                self._probe(run, now)
            self._hear(run([GetFields(PROBED)])[0], now)
            if self._leads or self._alone:
                drive(self.alerts.consider(checks()), run)
            self._alone = False
        except StoreError:
            if self._leads:  # the others hear nothing of one another now: it alone tells
                self._alone = True
                drive(self.alerts.consider(checks(), stored=False), run)
            raise

    def _probe(self, run: Run, now: float) -> None:
        found: dict[str, Value] = {}
        for probe in self.probes:
            try:
                found |= probe(now)
            except StoreError as error:
                LOG.debug("a probe of health found no store: %s", error)
            except Exception:
                LOG.exception("a probe of health failed")
        if found:
            run([SetFields(PROBED, {name: msgspec.json.encode((now, *x)) for name, x in found.items()}, TERM * 8)])

    def _hear(self, fields: dict[str, bytes], now: float) -> None:
        told = {name: msgspec.json.decode(text) for name, text in fields.items()}
        self.values = {name: Value(value, detail) for name, (at, value, detail) in told.items() if now - at < STALE}


def _lead(name: str) -> Generator[list[Command[Any]], list[Any], bool]:
    """Take the lead if nobody has it, or keep it; whether this process has it."""
    me = name.encode()
    _, leader = yield [Put(LEADER, me, TERM, absent=True), Get(LEADER)]
    if leader != me:
        return False
    yield [Put(LEADER, me, TERM)]
    return True
