"""A value as the store holds it: plain JSON, or JSON behind a line that says what it cost and which tags it has."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec

MARK = b"\0"  # no JSON begins with it
SOONEST = 30  # times its cost before its end, a value is never fetched early: the chance would be e^-30


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A value, and what is known of it.

    Args:
        body: JSON.
        ends: Seconds since the epoch; 0 if that is not known.
        cost: Seconds that its fetch took.
        tags: Each tag's generation when the value was fetched; another one since then makes it stale.
    """

    body: bytes
    ends: float = 0.0
    cost: float = 0.0
    tags: dict[str, str] = {}

    def packed(self) -> bytes:
        """Return what the store keeps."""
        if not self.ends and not self.tags:
            return self.body
        return b"%b%b\n%b" % (MARK, HEAD.encode((self.ends, self.cost, self.tags)), self.body)

    def due(self, now: float, draw: Callable[[float], float] = random.expovariate) -> bool:
        """Whether this caller shall fetch it anew although it is still fresh: likelier the nearer its end.

        The chance grows with what a fetch costs, so one of many callers has a new value ready when the old one ends.

        See Also:
            A. Vattani, F. Chierichetti, K. Lowenstein: Optimal Probabilistic Cache Stampede Prevention, VLDB 2015.
        """
        left = self.ends - now
        return self.ends > 0 and left < self.cost * SOONEST and left <= self.cost * draw(1.0)


HEAD = msgspec.json.Encoder()
_READ_HEAD = msgspec.json.Decoder(tuple[float, float, dict[str, str]])


def unpacked(kept: bytes) -> Entry:
    """Return what `Entry.packed` was made of."""
    if not kept.startswith(MARK):
        return Entry(kept)
    head, _, body = kept[1:].partition(b"\n")
    return Entry(body, *_READ_HEAD.decode(head))


def encoded(value: Any) -> bytes:
    """Return `value` as JSON.

    Raises:
        TypeError: it cannot be JSON.
    """
    try:
        return _ENCODER.encode(value)
    except RecursionError:
        raise TypeError("the value cannot be JSON: it contains itself, or is nested too deep") from None
    except UnicodeEncodeError as error:
        raise TypeError(f"the value cannot be JSON: {error}") from None


def decoded(body: bytes, kind: Any) -> Any:
    """Return the value whose JSON `body` is, as `kind`.

    Raises:
        msgspec.ValidationError: it is not of that type.
    """
    if kind is Any:
        return msgspec.json.decode(body)
    return msgspec.json.decode(body, type=kind, dec_hook=_made)


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):  # of Pydantic, which need not be there
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} cannot be JSON: cache a dict, a dataclass or a msgspec.Struct")


def _made(kind: type, value: Any) -> Any:
    if hasattr(kind, "model_validate"):
        return kind.model_validate(value)
    raise TypeError(f"JSON cannot be made a {kind.__name__}: ask for a dataclass or a msgspec.Struct")


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)
