"""Other people's files in the repository are what they say they are."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

import nexus_middleware

FOLDERS = [
    Path(nexus_middleware.__file__).parent / "admin" / "static" / "vendor",
    Path(__file__).parent.parent / "vendor",
]
ENTRIES = [(folder, entry) for folder in FOLDERS for entry in json.loads((folder / "VENDOR.json").read_text())]


@pytest.mark.parametrize(("folder", "entry"), ENTRIES, ids=[entry["name"] for _, entry in ENTRIES])
def test_a_vendored_file_is_unchanged_and_has_its_licence(folder, entry):
    assert hashlib.sha256((folder / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
    assert (folder / entry["licenseFile"]).read_text().strip()
    assert entry["version"]


@pytest.mark.parametrize("manifest", [*FOLDERS[1].rglob("FILES.sha256")], ids=lambda path: path.parent.name)
def test_a_vendored_folder_holds_what_its_manifest_lists_and_nothing_else(manifest):
    listed = dict(line.split("  ")[::-1] for line in manifest.read_text().splitlines())
    found = {
        str(path.relative_to(manifest.parent)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in manifest.parent.rglob("*")
        if path.is_file() and path != manifest
    }

    assert found == listed


def test_the_page_ships_nothing_that_is_not_listed():
    here = FOLDERS[0]
    listed = {name for folder, entry in ENTRIES if folder == here for name in (entry["file"], entry["licenseFile"])}

    assert {file.name for file in here.iterdir()} == listed | {"VENDOR.json"}
