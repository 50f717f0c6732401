"""Helpers for tests: of your own app behind these layers, and of the layers themselves."""

from __future__ import annotations

from .conformance import conformance_cache as conformance_cache
