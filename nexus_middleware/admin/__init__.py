"""The mountable dashboard and its JSON API."""

from __future__ import annotations

from .app import Admin
from .rights import RIGHTS, Hook

__all__ = ["RIGHTS", "Admin", "Hook"]
