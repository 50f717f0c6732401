"""The rules: their versions, each that holds, and what a request would meet."""

from __future__ import annotations

from typing import Literal

from ...checks.explaining import Line
from ...checks.standing import Standing
from . import Done, Listing, Meta, Moment, Read, Shape


class Version(Shape):
    """Rules as they were at one time: what was done, and by whom; `at` null: since the start."""

    version: int
    act: str
    who: str
    at: Moment | None


class Rules(Version):
    """GET /rules."""

    enforced: str
    staged: str
    file: str
    error: str
    history: list[Version]
    meta: Meta


class RulesChanged(Done):
    """POST /rules."""

    version: int


class RulesVersion(Version):
    """GET /rules/versions/{version}."""

    enforced: str
    staged: str
    meta: Meta


class EachRule(Listing[Standing]):
    """GET /rules/each; `unknown`: the live rules alone, since the app is in another process."""

    state: Literal["known", "unknown"]


class Explained(Read):
    """POST /rules/explain; `state` as of GET /rules/each."""

    state: Literal["known", "unknown"]
    refused: bool  # whatever was counted
    rules: list[Line]
