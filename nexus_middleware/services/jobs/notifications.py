"""Notify users: what such a job takes. Its handler is not built: every one fails at once, and says so."""

from __future__ import annotations

import msgspec

from .registry import Work, not_built


class Notification(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What `notifications.send` takes."""

    user_id: str
    type: str
    title: str
    message: str
    action_url: str | None = None
    channels: list[str] = msgspec.field(default_factory=lambda: ["in-app"])


def send(work: Work, notification: Notification) -> None:
    """Notify one user."""
    not_built(work, notification)
