"""Messages that wait for a user in the app, and which of them were read."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, cast

import msgspec

from ...stores.base import Store
from ...stores.direct import Direct

SCRIPT = files("nexus_middleware.stores").joinpath("scripts/inbox.lua").read_text()
MOST = 200  # messages an inbox; the oldest makes room
KEPT = 180 * 86_400  # seconds after its newest message that an inbox is kept
ID = re.compile(r"\d{1,19}-\d{1,19}").fullmatch
CURSOR = re.compile(r"\+|\d{1,19}-\d{1,19}").fullmatch
LONGEST = {"type": 64, "title": 200, "message": 4_000, "action_url": 2_000}  # characters


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message; `at` is in seconds since the epoch."""

    id: str
    type: str
    title: str
    message: str
    action_url: str
    at: float
    read: bool


class Inbox:
    """Every user's messages, newest first, in Redis; each method has a twin for the event loop.

    Args:
        store: A Redis; a URL names one store per process.

    Raises:
        SettingsError: the store is no Redis.
    """

    def __init__(self, store: Store | str) -> None:
        self._redis = Direct(store, of="notifications")

    def add(
        self,
        user_id: str,
        *,
        type: str,  # noqa: A002  # the name that callers know
        title: str,
        message: str,
        action_url: str = "",
        key: str = "",
    ) -> str:
        """Put a message into a user's inbox; its id, or "" if one with the same `key` is still there.

        Raises:
            ValueError: a text is too long, or `action_url` is neither http(s) nor a path of this site.
            StoreError: Redis did not answer.
        """
        given = {"type": type, "title": title, "message": message, "action_url": checked_link(action_url)}
        for name, most in LONGEST.items():
            if len(given[name]) > most:
                raise ValueError(f"{name} has {len(given[name])} characters: at most {most}")
        once = f"once:{hashlib.blake2b(key.encode(), digest_size=12).hexdigest()}" if key else ""
        words = [word for pair in given.items() for word in pair]
        made = self._ask(user_id, "add", once, MOST, KEPT, *words)
        return made.decode() if made else ""

    def messages(self, user_id: str, *, count: int = 20, before: str = "+") -> list[Message]:
        """Return the newest messages, or those older than the id `before`; at most 200."""
        if not CURSOR(before):
            raise ValueError(f"before={before!r} must be the id of a message")
        rows = self._ask(user_id, "list", before, max(1, min(count, MOST)))
        return [_message(row) for row in rows]

    def unread(self, user_id: str) -> int:
        """Return how many messages the user has not read."""
        return cast("int", self._ask(user_id, "unread"))

    def mark_read(self, user_id: str, ids: Sequence[str]) -> int:
        """Mark messages as read; how many of them were not."""
        wrong = [each for each in ids if not ID(each)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no id of a message")
        return cast("int", self._ask(user_id, "read", *ids)) if ids else 0

    def mark_all_read(self, user_id: str) -> int:
        """Mark every message as read; how many were not."""
        return cast("int", self._ask(user_id, "read_all"))

    async def aadd(
        self,
        user_id: str,
        *,
        type: str,  # noqa: A002
        title: str,
        message: str,
        action_url: str = "",
        key: str = "",
    ) -> str:
        """`add`, for the event loop."""
        text = {"type": type, "title": title, "message": message, "action_url": action_url, "key": key}
        return await asyncio.to_thread(lambda: self.add(user_id, **text))

    async def amessages(self, user_id: str, *, count: int = 20, before: str = "+") -> list[Message]:
        """`messages`, for the event loop."""
        return await asyncio.to_thread(lambda: self.messages(user_id, count=count, before=before))

    async def aunread(self, user_id: str) -> int:
        """`unread`, for the event loop."""
        return await asyncio.to_thread(self.unread, user_id)

    async def amark_read(self, user_id: str, ids: Sequence[str]) -> int:
        """`mark_read`, for the event loop."""
        return await asyncio.to_thread(self.mark_read, user_id, ids)

    async def amark_all_read(self, user_id: str) -> int:
        """`mark_all_read`, for the event loop."""
        return await asyncio.to_thread(self.mark_all_read, user_id)

    def _ask(self, user_id: str, *words: Any) -> Any:
        name = f"{self._redis.prefix}inbox:{{{user_hash(user_id)}}}"  # braces: both keys on one server of a cluster
        with self._redis.quick() as client:
            return client.eval(SCRIPT, 2, name, f"{name}:marks", *words)


def user_hash(user_id: str) -> str:
    """Return what stands for a user in keys, which do not tell who it is."""
    if not 0 < len(user_id) <= 256:
        raise ValueError("user_id must have 1 to 256 characters")
    return hashlib.blake2b(user_id.encode(), digest_size=12).hexdigest()


def checked_link(url: str) -> str:
    """Return `url` if a page may link to it: no javascript:, no other site by a path of two slashes."""
    if url and not (url.startswith(("https://", "http://")) or re.match(r"/(?![/\\])", url)):
        raise ValueError("action_url must begin with https://, http:// or a single /")
    if any(ord(mark) < 33 for mark in url):
        raise ValueError("action_url must not have spaces or control characters")
    return url


def _message(row: list[Any]) -> Message:
    name, flat, read = row
    texts = [text.decode() for text in flat]
    fields = dict(zip(texts[::2], texts[1::2], strict=True))
    return Message(id=name.decode(), at=int(name.partition(b"-")[0]) / 1000, read=bool(read), **fields)
