"""A cache for values: in this process, or shared by all in Redis."""

from __future__ import annotations

from ...rules.globs import escape
from .browser import KeyFacts, KeyPage, KeyValue
from .cache import Cache
from .decorator import cached
from .groups import GroupStats, LoaderStats
from .seen import COUNTED_AT_ONCE, CacheStats

__all__ = [
    "COUNTED_AT_ONCE",
    "Cache",
    "CacheStats",
    "GroupStats",
    "KeyFacts",
    "KeyPage",
    "KeyValue",
    "LoaderStats",
    "cached",
    "escape",
]
