"""What users did, counted: who was there, what it earned, and how many went how far."""

from __future__ import annotations

from .books import Analytics, Event
from .results import Result, as_csv

__all__ = ["Analytics", "Event", "Result", "as_csv"]
