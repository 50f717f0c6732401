"""What users are told, and the ways to them: an inbox, webhooks, web push and e-mail."""

from __future__ import annotations

from .inbox import Inbox, Message
from .receivers import Receiver, Receivers

__all__ = ["Inbox", "Message", "Receiver", "Receivers"]
