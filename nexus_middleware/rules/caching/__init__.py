"""A shared HTTP cache's knowledge (RFC 9111 and its companions), without state, clock or I/O."""

from __future__ import annotations

from .entry import Entry as Entry
from .entry import expired as expired
from .fields import directives as directives
from .fields import seconds as seconds
from .policy import CachePolicy as CachePolicy
from .policy import Exchange as Exchange
from .policy import admit as admit
