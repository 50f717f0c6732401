"""Alerts: a check that turned bad is told of once, kept with since and count, and told of again when it is over."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterable
from typing import Any, Literal, TypeAlias

import msgspec

from ...rules.health import Check
from ...stores.commands import Command, GetFields, SetFields

LOG = logging.getLogger("nexus_middleware")
ALERTS = "monitor:alerts"
KEPT_FOR = 8 * 86_400.0  # seconds
QUIET = 300.0  # seconds after it was told in which the same alert is not told anew, however often it comes and goes
DAY = 86_400.0
Event: TypeAlias = Literal["raised", "cleared"]
SEVERITIES = {"degraded": "warning", "unhealthy": "critical"}


class Alert(msgspec.Struct, rename="camel"):
    """One alert; moments in seconds since the epoch."""

    code: str  # stable: the name of the check, and a heading of docs/alerts.md
    severity: str  # warning or critical
    text: str
    value: float | None
    since: float
    count: int = 1  # how often it came within a day
    until: float | None = None  # when it was over; None while it is on
    muted_until: float = 0.0
    told: str = ""  # the severity that was told of; "" for none
    told_at: float = 0.0
    changed: float = 0.0

    def on(self) -> bool:
        """Whether it is not over."""
        return self.until is None


Sender: TypeAlias = Callable[[Alert, Event], object]
Steps: TypeAlias = Generator[list[Command[Any]], list[Any], Any]


class Alerts:
    """The alerts of all processes; one process at a time looks after them.

    >>> alerts = Alerts(lambda: 0.0)
    >>> @alerts.on_alert
    ... def page(alert, event):
    ...     print(alert.severity, alert.code, event)

    Args:
        clock: Seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.senders: list[Sender] = [log]
        self._mine: dict[str, Alert] = {}  # as this process last knew them: what an outage raised is in no store

    def on_alert(self, sender: Sender) -> Sender:
        """Call `sender(alert, "raised" | "cleared")` for each alert, in a thread of its own; what it raises is logged."""
        self.senders.append(sender)
        return sender

    def consider(self, checks: Iterable[Check], *, stored: bool = True) -> Steps:
        """Raise, change and clear alerts by what the checks say, and tell of it.

        Args:
            checks: All of them.
            stored: Whether there is a store to read and write; in an outage this process's own memory must do.
        """
        now, known = self._clock(), dict(self._mine)
        if stored:
            (fields,) = yield [GetFields(ALERTS)]
            for code, alert in read(fields).items():
                if code not in known or known[code].changed <= alert.changed:
                    known[code] = alert
        events: list[tuple[Alert, Event]] = []
        for check in checks:
            was = known.get(check.name)
            if check.status != "healthy":
                known[check.name] = self._raised(was, check, now)
            elif was is not None and was.on():
                was.until = was.changed = now
            if check.name in known and (event := self._due(known[check.name], now)):
                events.append((known[check.name], event))
        self._mine = known
        if stored and known:
            yield [SetFields(ALERTS, {code: msgspec.json.encode(x) for code, x in known.items()}, KEPT_FOR)]
        for alert, event in events:
            self._send(msgspec.structs.replace(alert), event)

    def _raised(self, alert: Alert | None, check: Check, now: float) -> Alert:
        severity = SEVERITIES[check.status]
        if alert is None:
            return Alert(check.name, severity, check.text, check.value, now, changed=now)
        if not alert.on():
            alert.count = alert.count + 1 if now - alert.since < DAY else 1
            alert.since, alert.until, alert.changed = now, None, now
        if severity != alert.severity:
            alert.severity, alert.changed = severity, now
        alert.text, alert.value = check.text, check.value
        return alert

    def _due(self, alert: Alert, now: float) -> Event | None:
        """Say what is to be told of an alert, if anything, and note that it was."""
        if not alert.on():
            told, alert.told = alert.told, ""
            return "cleared" if told and now >= alert.muted_until else None
        worse = alert.severity == "critical" and alert.told == "warning"
        fresh = not alert.told and (now - alert.told_at >= QUIET or not alert.told_at)
        if now < alert.muted_until or not (worse or fresh):
            return None
        alert.told, alert.told_at = alert.severity, now
        return "raised"

    def _send(self, alert: Alert, event: Event) -> None:
        log(alert, event)
        others = [sender for sender in self.senders if sender is not log]
        if others:
            threading.Thread(target=_all, args=(others, alert, event), name="nexus-alerts", daemon=True).start()

    def listed(self) -> Steps:
        """Return `items`: alerts that are on, and then those that are over, the newest first."""
        (fields,) = yield [GetFields(ALERTS)]
        alerts = sorted((self._mine | read(fields)).values(), key=lambda x: (not x.on(), -x.since))
        return {"items": [msgspec.to_builtins(alert) for alert in alerts]}

    def muting(self, code: str, seconds: float) -> Steps:
        """Tell nobody of this alert for so many seconds; 0 to tell again. Whether there is one of that code."""
        (fields,) = yield [GetFields(ALERTS)]
        alert = (self._mine | read(fields)).get(code)
        if alert is None:
            return False
        now = self._clock()
        alert.muted_until, alert.changed = now + seconds if seconds else 0.0, now
        self._mine[code] = alert
        yield [SetFields(ALERTS, {code: msgspec.json.encode(alert)}, KEPT_FOR)]
        return True


def read(fields: dict[str, bytes]) -> dict[str, Alert]:
    """Read alerts by code."""
    return {code: msgspec.json.decode(text, type=Alert) for code, text in fields.items()}


def log(alert: Alert, event: Event) -> None:
    """Write the alert to the log."""
    level = logging.INFO if event == "cleared" else logging.ERROR if alert.severity == "critical" else logging.WARNING
    LOG.log(level, "alert %s: %s [%s], %s", event, alert.code, alert.severity, alert.text)


def _all(senders: list[Sender], alert: Alert, event: Event) -> None:
    for sender in senders:
        try:
            sender(alert, event)
        except Exception:
            LOG.exception("an alert could not be sent: %s", alert.code)
