"""A stored response, with all that a later request must know of it already worked out."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from ...http import Pair

Pairs: TypeAlias = tuple[Pair, ...]
Selected: TypeAlias = tuple[tuple[bytes, bytes | None], ...]  # a header that chose this variant, and what it said


class Entry(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A stored response; times are seconds since the epoch."""

    status: int
    headers: Pairs
    body: bytes
    born: float  # when its age was 0 (RFC 9111, section 4.2.3)
    fresh: float  # until when it is given without asking; 0 for never
    stale: float  # until when it is given while it is fetched anew (RFC 5861, section 3)
    rescue: float  # until when it is given where the app fails (RFC 5861, section 4)
    kept: float  # until when it is of any use
    vary: Selected = ()
    etag: bytes = b""
    modified: bytes = b""  # its Last-Modified
    public: bool = False  # may answer a request with Authorization (RFC 9111, section 3.5)
    tags: tuple[str, ...] = ()
    known: int = 0  # the number of the newest purge that was known when the app was asked
    route: str = ""  # the template that the app's router matched, so that hits are measured under it too
    down: float = 0.0  # until when it is given where the app gives no answer at all (RFC 9111, section 4.2.4)

    def age(self, now: float) -> int:
        """Return its age in whole seconds (RFC 9111, section 4.2.3)."""
        return max(0, int(now - self.born))

    def get(self, name: bytes) -> bytes:
        """Return all lines of a header, joined; b"" if there is none."""
        return b", ".join([value for key, value in self.headers if key == name])

    @property
    def validated(self) -> bool:
        """Whether the app can be asked if it still holds."""
        return bool(self.etag or self.modified)


def expired(entry: Entry, now: float) -> Entry:
    """Return `entry` as one that is stale from now on, as a soft purge leaves it."""
    return msgspec.structs.replace(entry, fresh=min(entry.fresh, now))
