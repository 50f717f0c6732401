"""Events, blocked addresses, posture, decisions and the log."""

from __future__ import annotations

from typing import Any, Literal

from ...checks.registry import Finding
from ...rules.decisions import Decision
from ...services.limits import Use
from . import Done, Listing, Meta, Moment, Read, Shape


class Blocked(Shape):
    """A blocked address or network; `until` null: for good; `banned`: by the app itself, for what it did."""

    address: str
    reason: str
    since: Moment
    until: Moment | None
    banned: bool


class ToAddress(Done):
    """Which address or network, in its one form."""

    address: str


class Event(Shape, rename=None):
    """What was refused or done; these names are those of the log's lines."""

    id: str
    kind: str
    at: Moment
    severity: str
    client: str
    method: str
    path: str
    action: str
    status: int
    layer: str
    detail: str
    request_id: str
    times: int


class Counted(Shape):
    """The events of one step, by kind."""

    at: Moment
    at_ms: int
    counts: dict[str, int]


class EventCounts(Read):
    """GET /security/counts."""

    window_seconds: int
    step: int
    counts: dict[str, int]
    points: list[Counted]


class Limited(Shape):
    """Who was refused for their rate."""

    client: str
    refusals: int


class Limits(Listing[Use]):
    """GET /security/limits; `totalExact` is false where there are too many counts to look at all."""


class LimitReset(Done):
    """Which count."""

    id: str


class Violation(Shape):
    """What browsers reported of a broken policy."""

    directive: str
    blocked: str
    page: str
    disposition: str
    count: int
    last: Moment | None


class Mounted(Shape):
    """A layer around the app."""

    name: str
    mode: str


class Posture(Read):
    """GET /security/posture."""

    state: Literal["known", "unknown"]
    layers: list[Mounted]
    headers: dict[str, str]
    missing: list[str]
    findings: list[Finding]


class Record(Shape, rename=None):
    """What all layers decided about one request; these names are those of the header."""

    id: str
    request_id: str
    at: Moment
    client: str
    method: str
    path: str
    status: int
    outcome: str
    decisions: list[Decision]


class OneRecord(Record, rename=None):
    """GET /requests/{request_id}/decisions."""

    meta: Meta


class RuleCount(Shape):
    """How often a rule refused, and in shadow mode would have."""

    layer: str
    rule: str
    refused: int
    would_refuse: int


class Key(Shape):
    """What opens the header of decisions."""

    header: str
    key: str
    until: Moment


class Lines(Listing[dict[str, Any]]):
    """GET /logs."""

    state: Literal["enabled", "disabled"]
    complete: bool


class CurrentLevel(Read):
    """GET /logs/level."""

    level: str
    configured: str


class LevelSet(Done):
    """PUT /logs/level."""

    level: str
    configured: str
