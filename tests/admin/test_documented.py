"""The page of the docs about the API says what there is."""

from __future__ import annotations

import re
from pathlib import Path

from nexus_middleware.admin.api import RESOURCES

PAGE = Path(__file__).parents[2] / "docs" / "dashboard.md"


def test_every_address_is_documented_with_its_right():
    rows = re.findall(r"^\| `(\w+) (/[^`]+)` \| (?:`([\w:]+)`)? *\|", PAGE.read_text(), re.MULTILINE)
    built = [
        (method, path.replace(":path}", "}"), action.right)
        for path, resource in RESOURCES.items()
        for method, action in resource.actions.items()
    ]

    assert sorted(rows) == sorted(built)
