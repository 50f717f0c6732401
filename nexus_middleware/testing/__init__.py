"""Helpers for tests: of your own app behind these layers, and of the layers themselves."""

from __future__ import annotations

from .conformance import conformance_cache
from .kit import Clock, assert_limited, disable, freeze, reset

__all__ = ["Clock", "assert_limited", "conformance_cache", "disable", "freeze", "reset"]
