"""Post an alert to those whom the settings name, each once."""

from __future__ import annotations

import hashlib
from typing import Any

from ..webhooks import Refused, Unreachable, post
from .registry import Later, Permanent, Work


def send(work: Work, message: dict[str, Any], message_id: str) -> dict[str, int]:
    """Post `message` to all of `alert_webhooks`; one that cannot be reached keeps no other waiting.

    The addresses and the secret are the worker's own settings: neither stands in Redis.

    Raises:
        Permanent: the worker's settings name nobody, or a receiver does not want it.
        Unreachable: a receiver may be reached later.
    """
    settings = work.settings
    if not settings.alert_webhooks or not settings.alert_secret:
        raise Permanent("set NEXUS_ALERT_WEBHOOKS and NEXUS_ALERT_SECRET for the worker too")
    troubles: list[Exception] = []
    for url in settings.alert_webhooks:
        digest = hashlib.sha256(f"{message_id}\0{url}".encode()).hexdigest()
        try:
            with work.once.doing(f"alert:{digest}") as mine:
                if mine:  # an administrator named the address: it may be within our own network
                    post(url, message, secret=settings.alert_secret, message_id=message_id, private=True)
        except (Refused, Unreachable, Later) as error:
            troubles.append(error)
    for trouble in troubles:
        if not isinstance(trouble, Refused):
            raise trouble
    if troubles:
        raise Permanent("; ".join(map(str, troubles)))
    return {"posted": len(settings.alert_webhooks)}
