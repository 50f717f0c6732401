"""What a store in this process keeps: values that end, and messages that are numbered."""

from __future__ import annotations

from typing import Any

from .commands import Recall

OVERHEAD = 200  # bytes that a key and its bookkeeping take, roughly


class Value:
    """A value, when it ends, and about how many bytes it takes."""

    __slots__ = ("ends", "size", "value")

    def __init__(self, value: Any, ends: float) -> None:
        self.value, self.ends, self.size = value, ends, OVERHEAD


class Recalls:
    """By key: the last number, and the newest messages with theirs."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._told: dict[str, dict[bytes, int]] = {}

    def add(self, command: Recall) -> int:
        """Number a message and remember it."""
        number = self._last[command.key] = self._last.get(command.key, 0) + 1
        told = self._told.setdefault(command.key, {})
        told.pop(command.message, None)
        told[command.message] = number
        if len(told) > command.cap:
            del told[next(iter(told))]
        return number

    def all(self, key: str) -> tuple[int, list[tuple[int, bytes]]]:
        """Return the last number of `key` and its messages, oldest first."""
        return self._last.get(key, 0), [(number, message) for message, number in self._told.get(key, {}).items()]
