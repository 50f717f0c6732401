"""Writes docs/openapi.json; no field may go, nor change its type."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from nexus_middleware.admin.api import RESOURCES
from nexus_middleware.admin.openapi import document

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"
WORDS = ("description", "summary", "title", "examples")  # that may be said better


def text(described):
    return json.dumps(described, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def lost(old, new, at=""):
    """What clients of `old` could miss in `new`: addresses, fields and types."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            line
            for name in sorted(old)
            if name not in WORDS or at.endswith("/properties")
            for line in _lost_in(old[name], new, name, f"{at}/{name.replace('/', '~1')}")
        ]
    if at.rpartition("/")[2] in ("type", "$ref", "anyOf", "required", "enum") and old != new and not _grew(old, new):
        return [f"{at}: {old!r} became {new!r}"]
    return []


def _lost_in(value, new, name, at):
    return lost(value, new[name], at) if name in new else [f"{at} is gone"]


def _grew(old, new):
    return isinstance(old, list) and isinstance(new, list) and all(each in new for each in old)


if __name__ == "__main__":
    made = document(RESOURCES)
    known = json.loads(COMMITTED.read_text()) if COMMITTED.exists() else {}
    if gone := lost(known, json.loads(text(made))):
        sys.exit("clients would miss:\n  " + "\n  ".join(gone))
    COMMITTED.write_text(text(made))
