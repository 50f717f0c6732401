"""Process pictures and films: what such a job takes. Its handler is not built: every one fails at once, and says so."""

from __future__ import annotations

import msgspec

from ..registry import Work, not_built


class Content(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What `content.process` takes."""

    type: str
    content_id: str
    operations: list[str]


def process(work: Work, content: Content) -> None:
    """Process one piece of content."""
    not_built(work, content)
