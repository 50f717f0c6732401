"""Checks of what stands around an app, for `nexus check` and the dashboard; each has a code and a page."""

from __future__ import annotations

from . import app, deployment, order, rules  # each registers its own
from .posture import posture
from .registry import CHECKS, Check, Finding, check, findings
from .subject import Subject, look

__all__ = [
    "CHECKS",
    "Check",
    "Finding",
    "Subject",
    "app",
    "check",
    "deployment",
    "findings",
    "look",
    "order",
    "posture",
    "rules",
]
