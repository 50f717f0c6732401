"""Whether the app looked at a request's credentials while it answered."""

from __future__ import annotations

from typing import Any

from ...http import Request

CREDENTIALS = (b"cookie", b"authorization")


def carries(request: Request) -> bool:
    """Whether a request says whose it is."""
    return any(request.header(name) is not None for name in CREDENTIALS)


class Seen:
    """Set once somebody has looked."""

    def __init__(self) -> None:
        self.looked = False


class Watched(bytes):
    """A header's value that tells when it is read."""

    seen: Seen

    def __getattribute__(self, name: str) -> Any:
        if name != "seen":
            object.__getattribute__(self, "seen").looked = True
        return super().__getattribute__(name)

    def __eq__(self, other: object) -> bool:
        self.seen.looked = True
        return super().__eq__(other)

    def __hash__(self) -> int:
        self.seen.looked = True
        return super().__hash__()

    def __getitem__(self, at: Any) -> Any:
        self.seen.looked = True
        return super().__getitem__(at)


def watch(request: Request) -> Seen | None:
    """Put watched values in the place of a request's credentials; None if it has none.

    A WSGI environ holds plain text, which the door makes of what is set: that reads it, so there all is seen.
    """
    seen = Seen()
    found = False
    for name in CREDENTIALS:
        value = request.header(name)
        if value is not None:
            watched = Watched(value)
            watched.seen = seen
            request.set(name, watched)
            found = True
    return seen if found else None
