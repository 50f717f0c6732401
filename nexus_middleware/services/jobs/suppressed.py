"""Addresses that get no more mail: those that a mail server refused for good, and those an administrator names."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from .scripts import trip


class Suppressed:
    """The list, in the Redis of the queues.

    Args:
        client: A Redis client for threads.
        prefix: What its key begins with.
    """

    def __init__(self, client: Any, prefix: str) -> None:
        self._client, self._key = client, f"{prefix}email:suppressed"

    def among(self, addresses: Sequence[str]) -> set[str]:
        """Return those of `addresses` that are on the list."""
        with trip():
            found = self._client.hmget(self._key, [_plain(address) for address in addresses])
        return {address for address, fact in zip(addresses, found, strict=True) if fact}

    def add(self, address: str, reason: str) -> None:
        """Put one on the list."""
        with trip():
            self._client.hset(self._key, _plain(address), json.dumps({"reason": reason[:300], "since": time.time()}))

    def drop(self, address: str) -> bool:
        """Take one off the list; whether it was on it."""
        with trip():
            return bool(self._client.hdel(self._key, _plain(address)))

    def every(self) -> dict[str, dict[str, Any]]:
        """Return all of them, each with `reason` and `since`, in seconds since the epoch."""
        with trip():
            found = self._client.hgetall(self._key)
        return {address.decode(): json.loads(fact) for address, fact in found.items()}


def _plain(address: str) -> str:
    return address.strip().lower()
