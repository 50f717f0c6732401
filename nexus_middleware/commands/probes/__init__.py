"""Twelve probes of transparency: whether what an app and its server say to each other passes all that is between."""

from __future__ import annotations

from .messages import MESSAGES
from .server import PATIENCE, Broken, Connection, Probe, Stage
from .timing import TIMING

PROBES: tuple[Probe, ...] = (*TIMING, *MESSAGES)  # the lifespan's comes last: it closes what the others may need

__all__ = ["PATIENCE", "PROBES", "Broken", "Connection", "Probe", "Stage"]
