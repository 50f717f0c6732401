"""The jobs of our own five queues."""

from __future__ import annotations

from .email import WHOLE, send
from .registry import ANALYTICS, CONTENT, EMAIL, NOTIFICATIONS, REVENUE, Known, Registry, not_built


def known_jobs() -> Registry:
    """Return a registry with all of them; of those without a handler every job fails at once, and says so."""
    registry = Registry()
    registry.add(Known(name="email.send", queue=EMAIL, run=send, timeout=WHOLE))
    for name, queue in (
        ("analytics.aggregate", ANALYTICS),
        ("analytics.metric", ANALYTICS),
        ("notifications.send", NOTIFICATIONS),
        ("content.process", CONTENT),
        ("revenue.calculate", REVENUE),
    ):
        registry.add(Known(name=name, queue=queue, run=not_built))
    return registry
