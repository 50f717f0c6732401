"""Where else a user wants to be told: webhooks, browsers that take push messages, an e-mail address."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any, Literal, cast

import msgspec

from ...rules.webhooks import new_secret, read_secret
from ...stores.base import Store
from ...stores.direct import Direct
from ..webhooks import check_url
from .inbox import user_hash

MOST = 20  # receivers a user
ALLOWED = 12  # failures in a row after which a webhook is switched off: three messages, each tried four times


class Receiver(msgspec.Struct, frozen=True, kw_only=True):
    """One way to a user."""

    id: str
    kind: Literal["webhook", "push", "email"]
    address: str  # the webhook's or push service's URL, or the e-mail address
    secret: str = ""  # of a webhook, whsec_…
    p256dh: str = ""  # the browser's keys
    auth: str = ""
    failures: int = 0  # in a row

    @property
    def off(self) -> bool:
        """Whether it failed so often that nothing is sent there any more."""
        return self.failures >= ALLOWED


class Receivers:
    """Every user's receivers, in Redis. `add_webhook`, `add_push`, `set_email`, `remove` and `of` have twins.

    Args:
        store: A Redis; a URL names one store per process.

    Raises:
        SettingsError: the store is no Redis.
    """

    def __init__(self, store: Store | str) -> None:
        self._redis = Direct(store, of="notifications")

    def add_webhook(self, user_id: str, url: str, *, secret: str = "") -> Receiver:
        """Post this user's notifications to `url`; the receiver's secret is `secret`, or a fresh one.

        Raises:
            Refused: the URL is none for webhooks.
            SettingsError: the secret is none.
            ValueError: the user has 20 receivers.
        """
        check_url(url)
        if secret:
            read_secret(secret)
        made = Receiver(id=_id("webhook", url), kind="webhook", address=url, secret=secret or new_secret())
        return self._keep(user_id, made)

    def add_push(self, user_id: str, subscription: Mapping[str, Any]) -> Receiver:
        """Push this user's notifications to a browser, whose `PushSubscription.toJSON()` is `subscription`.

        Raises:
            Refused: its endpoint is no https address.
            ValueError: it is no subscription, or the user has 20 receivers.
        """
        keys = subscription.get("keys")
        endpoint = subscription.get("endpoint")
        if not isinstance(endpoint, str) or not isinstance(keys, Mapping) or not endpoint.startswith("https://"):
            raise ValueError("a push subscription has an endpoint, https://…, and keys")
        check_url(endpoint)
        p256dh, auth = str(keys.get("p256dh", "")), str(keys.get("auth", ""))
        if _size(p256dh) != 65 or _size(auth) != 16:
            raise ValueError("a push subscription's keys are p256dh, 65 bytes, and auth, 16 bytes, in base64url")
        made = Receiver(id=_id("push", endpoint), kind="push", address=endpoint, p256dh=p256dh, auth=auth)
        return self._keep(user_id, made)

    def set_email(self, user_id: str, address: str) -> Receiver:
        """Send this user's notifications to `address`, and to no earlier one."""
        if not 3 <= len(address) <= 254 or "@" not in address or any(ord(mark) < 33 for mark in address):
            raise ValueError("address must be one e-mail address")
        return self._keep(user_id, Receiver(id="email", kind="email", address=address))

    def remove(self, user_id: str, receiver_id: str) -> bool:
        """Send nothing there any more; whether it was there."""
        with self._redis.quick() as client:
            client.hdel(self._key(user_id) + ":failures", receiver_id)
            return bool(client.hdel(self._key(user_id), receiver_id))

    def of(self, user_id: str) -> list[Receiver]:
        """Return the user's receivers, those that are switched off too."""
        with self._redis.quick() as client:
            pipe = client.pipeline(transaction=False)
            pipe.hgetall(self._key(user_id))
            pipe.hgetall(self._key(user_id) + ":failures")
            rows, failures = pipe.execute()
        made = [msgspec.json.decode(row, type=Receiver) for row in rows.values()]
        counted = [msgspec.structs.replace(x, failures=int(failures.get(x.id.encode(), 0))) for x in made]
        return sorted(counted, key=lambda x: (x.kind, x.id))

    def note(self, user_id: str, receiver_id: str, *, went: bool) -> None:
        """Note how a message went; one that arrives clears all failures, and switches on again."""
        with self._redis.quick() as client:
            if went:
                client.hdel(self._key(user_id) + ":failures", receiver_id)
            else:
                client.hincrby(self._key(user_id) + ":failures", receiver_id, 1)

    def switch_on(self, user_id: str, receiver_id: str) -> None:
        """Try a receiver again that was switched off."""
        self.note(user_id, receiver_id, went=True)

    async def aadd_webhook(self, user_id: str, url: str, *, secret: str = "") -> Receiver:
        """`add_webhook`, for the event loop."""
        return await asyncio.to_thread(lambda: self.add_webhook(user_id, url, secret=secret))

    async def aadd_push(self, user_id: str, subscription: Mapping[str, Any]) -> Receiver:
        """`add_push`, for the event loop."""
        return await asyncio.to_thread(self.add_push, user_id, subscription)

    async def aset_email(self, user_id: str, address: str) -> Receiver:
        """`set_email`, for the event loop."""
        return await asyncio.to_thread(self.set_email, user_id, address)

    async def aremove(self, user_id: str, receiver_id: str) -> bool:
        """`remove`, for the event loop."""
        return await asyncio.to_thread(self.remove, user_id, receiver_id)

    async def aof(self, user_id: str) -> list[Receiver]:
        """`of`, for the event loop."""
        return await asyncio.to_thread(self.of, user_id)

    def _key(self, user_id: str) -> str:
        return f"{self._redis.prefix}receivers:{{{user_hash(user_id)}}}"

    def _keep(self, user_id: str, made: Receiver) -> Receiver:
        with self._redis.quick() as client:
            there = cast("int", client.hlen(self._key(user_id)))
            if there >= MOST and not client.hexists(self._key(user_id), made.id):
                raise ValueError(f"the user has {there} receivers: remove one first")
            client.hset(self._key(user_id), made.id, msgspec.json.encode(made))
            client.hdel(self._key(user_id) + ":failures", made.id)
        return made


def _id(kind: str, address: str) -> str:
    return f"{kind}-{hashlib.blake2b(address.encode(), digest_size=8).hexdigest()}"


def _size(text: str) -> int:
    """Return the number of bytes that base64url text stands for; -1 if it is none."""
    try:
        return len(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        return -1
