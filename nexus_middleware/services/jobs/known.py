"""The jobs of our own five queues."""

from __future__ import annotations

from . import alerts, analytics, email, notifications, revenue
from .content import processing
from .payloads import known
from .registry import ANALYTICS, CONTENT, EMAIL, NOTIFICATIONS, REVENUE, Registry


def known_jobs() -> Registry:
    """Return a registry with all of them."""
    registry = Registry()
    for job in (
        known(email.send, name="email.send", queue=EMAIL, timeout=email.WHOLE),
        known(notifications.send, name="notifications.send", queue=NOTIFICATIONS),
        known(alerts.send, name="alerts.send", queue=NOTIFICATIONS),
        known(revenue.Revenue(registry).calculate, name="revenue.calculate", queue=REVENUE),
        known(analytics.aggregate, name="analytics.aggregate", queue=ANALYTICS),
        known(analytics.metric, name="analytics.metric", queue=ANALYTICS),
        known(processing.process, name="content.process", queue=CONTENT, timeout=processing.WHOLE, isolated=True),
    ):
        registry.add(job)
    return registry
