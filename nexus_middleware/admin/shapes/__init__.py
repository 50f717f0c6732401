"""The answers of the API as types: what they name is there for good, and clients ignore what they do not know."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

import msgspec

T = TypeVar("T")
Moment = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]  # ISO 8601 in UTC, with a Z
Scope = Literal["cluster", "process"]  # of whom the figures are: all processes, or the one that answers


class Shape(msgspec.Struct, kw_only=True, rename="camel"):
    """An object of an answer."""


class Meta(Shape):
    """What belongs to every answer that is read."""

    version: str
    time: Moment
    environment: str
    scope: Scope
    processes: int
    refresh_seconds: int


class Read(Shape):
    """An answer to GET."""

    meta: Meta


class Listing(Read, Generic[T]):
    """A list, or a page of one: `nextCursor` asks for the next, and null is the end."""

    items: list[T]
    next_cursor: str | None
    total: int | None
    total_exact: bool


class Measured(Listing[T], Generic[T]):
    """A list of what was measured."""

    scope: Scope


class Windowed(Measured[T], Generic[T]):
    """A list of what was measured over a window."""

    window: str


class Done(Shape):
    """An action that was done."""

    success: bool


class Problem(Shape):
    """Why not (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str | msgspec.UnsetType = msgspec.UNSET  # the layers around the API have none
    request_id: str | msgspec.UnsetType = msgspec.UNSET
