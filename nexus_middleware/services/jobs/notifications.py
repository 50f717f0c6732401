"""Notify a user on every channel that was asked for, each receiver once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from ...errors import NexusError, SettingsError
from ...stores import open_store
from ..notifications import Inbox, Receiver, Receivers
from ..notifications.push import push
from ..webhooks import Refused, Unreachable, post
from .registry import Later, Permanent, Work


class Notification(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What `notifications.send` takes."""

    user_id: str
    type: str
    title: str
    message: str
    action_url: str | None = None
    channels: list[str] = msgspec.field(default_factory=lambda: ["in-app"])  # in-app, webhook, push, email


def send(work: Work, notification: Notification) -> dict[str, Any]:
    """Notify one user; the result says what became of each channel and receiver.

    A receiver that cannot be reached now does not keep the others waiting: they are served, and the retry is for it.

    Raises:
        Permanent: a channel is none, or the notification cannot be shown.
        Unreachable: a receiver may be reached later.
    """
    delivery = _Delivery(work, notification)
    ways: dict[str, Callable[[], None]] = {
        "in-app": delivery.to_inbox,
        "webhook": lambda: delivery.to_each("webhook", delivery.post),
        "push": lambda: delivery.to_each("push", delivery.push),
        "email": lambda: delivery.to_each("email", delivery.mail),
    }
    wrong = [channel for channel in notification.channels if channel not in ways]
    if wrong or not notification.channels:
        raise Permanent(f"channels={notification.channels!r} must be of {', '.join(ways)}")
    try:
        for channel in dict.fromkeys(notification.channels):
            ways[channel]()
    except ValueError as error:  # a text too long, a link that no page may have
        raise Permanent(str(error)) from error
    if delivery.troubles:
        raise delivery.troubles[0]
    return delivery.told


class _Delivery:
    """One notification on its way; `told` is by channel or receiver, `troubles` are those that time may mend."""

    def __init__(self, work: Work, note: Notification) -> None:
        self._work, self._note = work, note
        self._store = open_store(work.settings.store, namespace=work.settings.namespace)
        self._receivers = Receivers(self._store)
        self.told: dict[str, str] = {}
        self.troubles: list[NexusError] = []

    def to_inbox(self) -> None:
        note = self._note
        text = {"type": note.type, "title": note.title, "message": note.message, "action_url": note.action_url or ""}
        new = Inbox(self._store).add(note.user_id, key=self._work.key, **text)
        self.told["in-app"] = "delivered" if new else "delivered before"

    def to_each(self, kind: str, act: Callable[[Receiver], None]) -> None:
        found = [each for each in self._receivers.of(self._note.user_id) if each.kind == kind]
        if not found:
            self.told[kind] = "nobody: the user has no such receiver"
        for receiver in found:
            self.told[receiver.id] = "switched off" if receiver.off else self._to_one(receiver, act)

    def _to_one(self, receiver: Receiver, act: Callable[[Receiver], None]) -> str:
        user = self._note.user_id
        digest = hashlib.sha256(f"{self._work.key}\0{user}\0{receiver.id}".encode()).hexdigest()
        try:
            with self._work.once.doing(f"note:{digest}") as mine:
                if not mine:
                    return "delivered before"
                act(receiver)
        except Refused as error:
            if error.gone:
                self._receivers.remove(user, receiver.id)
            else:
                self._receivers.note(user, receiver.id, went=False)
            return f"refused: {error}"
        except SettingsError as error:
            return f"not set up: {error}"
        except (Unreachable, Later) as error:
            if isinstance(error, Unreachable):
                self._receivers.note(user, receiver.id, went=False)
            self.troubles.append(error)
            return f"later: {error}"
        self._receivers.note(user, receiver.id, went=True)
        return "delivered"

    def post(self, receiver: Receiver) -> None:
        payload = {"type": self._note.type, "timestamp": datetime.now(UTC).isoformat(), "data": self._data()}
        message_id = hashlib.sha256(f"{self._work.key}\0{receiver.id}".encode()).hexdigest()[:32]
        private = self._work.settings.webhooks_private
        post(receiver.address, payload, secret=receiver.secret, message_id=f"msg_{message_id}", private=private)

    def push(self, receiver: Receiver) -> None:
        settings = self._work.settings
        if not settings.vapid_key or not settings.vapid_subject:
            raise SettingsError("set NEXUS_VAPID_KEY and NEXUS_VAPID_SUBJECT")
        key, subject = settings.vapid_key, settings.vapid_subject
        push(receiver, self._data(), key=key, subject=subject, private=settings.webhooks_private)

    def mail(self, receiver: Receiver) -> None:
        """Leave it to the e-mail queue, which has its own retries."""
        from ..queues import Queues  # it imports us

        note, settings = self._note, self._work.settings
        text = f"{note.message}\n\n{note.action_url}" if note.action_url else note.message
        queues = Queues(settings.queue_store or settings.store, settings=settings)
        try:
            queues.queue_email(to=receiver.address, subject=note.title, text=text, key=f"note:{self._work.key}")
        finally:
            queues.close()

    def _data(self) -> dict[str, Any]:
        note = self._note
        return {"title": note.title, "message": note.message, "action_url": note.action_url, "user_id": note.user_id}
