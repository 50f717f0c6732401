"""How alerts leave the house: signed webhooks and e-mail, through the queue."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from ...errors import NexusError, SettingsError
from .alerts import Alert, Event, Sender

TRIES = (0.0, 2.0, 10.0)  # seconds to wait before each
LOG = logging.getLogger("nexus_middleware")
THE_WAY = ("redis", "workers", "queue_age")  # alerts that say that jobs are not run: a job would not tell of them
Post = Callable[[str, dict[str, Any], str, str], None]
Queue = Callable[[dict[str, Any], str], object]


def by_post(
    urls: Sequence[str],
    secret: str,
    post: Post,
    *,
    queue: Queue | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Sender:
    """Return what posts alerts to `urls` as JSON, signed by Standard Webhooks.

    Args:
        urls: The receivers.
        secret: whsec_…, shared with them.
        post: Takes URL, payload, secret and the message's id; raises if it was not taken.
        queue: Takes payload and the message's id, for a worker to post. Without one, where it fails, and for alerts
            that say that no job is run, the posts are made from here.
        sleep: Waits between two tries.

    Raises:
        SettingsError: there is no secret.
    """
    if not secret.startswith("whsec_"):
        raise SettingsError(
            "alert_webhooks needs alert_secret=whsec_…: without it a receiver cannot tell our posts from others"
        )

    def send(alert: Alert, event: Event) -> None:
        if queue is not None and alert.code not in THE_WAY:
            try:
                queue(shape(alert, event), _ident(alert, event))
            except NexusError as error:
                LOG.warning("an alert is posted without the queue, which did not take it: %s", error)
            else:
                return
        failed = [url for url in urls if not _posted(url, alert, event)]
        if failed:
            raise NexusError(f"{len(failed)} of {len(urls)} receivers of webhooks did not take an alert")

    def _posted(url: str, alert: Alert, event: Event) -> bool:
        for wait in TRIES:
            sleep(wait)
            try:
                post(url, shape(alert, event), secret, _ident(alert, event))
            except NexusError:
                continue
            return True
        return False

    return send


def by_mail(to: Sequence[str], queue_email: Callable[..., object]) -> Sender:
    """Return what mails alerts to `to`: each is queued once, however often it is asked for."""

    def send(alert: Alert, event: Event) -> None:
        subject = f"[{alert.severity if event == 'raised' else 'cleared'}] {alert.code}: {alert.text}"[:200]
        text = f"{alert.text}\nSince {_iso(alert.since)}, for the {alert.count}. time within a day.\n"
        if alert.until is not None:
            text += f"Over since {_iso(alert.until)}.\n"
        queue_email(to=[*to], subject=" ".join(subject.split()), text=text, key=_ident(alert, event))

    return send


def shape(alert: Alert, event: Event) -> dict[str, Any]:
    """Return what a webhook says of an alert."""
    return {
        "type": f"alert.{event}",
        "timestamp": _iso(alert.until or alert.told_at or alert.since),
        "data": {
            "code": alert.code,
            "severity": alert.severity,
            "text": alert.text,
            "value": alert.value,
            "since": _iso(alert.since),
            "until": _iso(alert.until) if alert.until is not None else None,
            "count": alert.count,
        },
    }


def _ident(alert: Alert, event: Event) -> str:
    return f"alert-{alert.code}-{alert.since:.0f}-{event}-{alert.severity}"


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
