"""Answer from stored responses (RFC 9111), and run the app once for all who ask for the same at the same time."""

from __future__ import annotations

from ...rules.caching.policy import CachePolicy as CachePolicy
from .layer import ResponseCache as ResponseCache
from .options import CacheRule as CacheRule
