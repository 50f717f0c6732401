"""Calculate revenue: what such a job takes. Its handler is not built: every one fails at once, and says so."""

from __future__ import annotations

import msgspec

from .registry import Work, not_built


class Calculation(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What `revenue.calculate` takes."""

    type: str
    user_id: str | None = None
    batch_size: int | None = None


def calculate(work: Work, wanted: Calculation) -> None:
    """Calculate the revenue of one user or of all."""
    not_built(work, wanted)
