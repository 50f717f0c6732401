"""`make sbom`: what the package brings to a machine, as CycloneDX 1.6, made from the locks and from VENDOR.json."""

from __future__ import annotations

import json
import re
import sys
import tomllib
import uuid
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
VENDOR = ROOT / "nexus_middleware" / "admin" / "static" / "vendor" / "VENDOR.json"
LOCKED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+).*?$((?:\n    --hash=\S+.*?$)*)", re.MULTILINE)


def main(words: list[str]) -> int:
    """Write it to the file that is named, or dist/sbom.cdx.json."""
    target = Path(words[0]) if words else ROOT / "dist" / "sbom.cdx.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(made(), indent=2) + "\n")
    print(target)
    return 0


def made() -> dict[str, Any]:
    """Return the bill: the package, what it needs, what its extras bring, and the files of others inside of it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    always = closure(project["dependencies"])
    extra = closure([each for group in project["optional-dependencies"].values() for each in group])
    hashes = locked()
    named = {name: metadata.version(name) for name in sorted(always | extra)}
    components = [package(name, is_, hashes[name, is_], always=name in always) for name, is_ in named.items()]
    components += [vendored(entry) for entry in json.loads(VENDOR.read_text())]
    me = {"type": "library", "bom-ref": "nexus-middleware", "name": project["name"], "version": project["version"]}
    license_ = [{"expression": project["license"]}]
    told = json.dumps(components, sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, me['version'] + told)}",  # the same for the same locks
        "version": 1,
        "metadata": {"component": {**me, "licenses": license_}},
        "components": components,
        "dependencies": [{"ref": "nexus-middleware", "dependsOn": sorted(each["bom-ref"] for each in components)}],
    }


def locked() -> dict[tuple[str, str], list[str]]:
    """Return the hashes of each package and version in the development lock, which has all extras."""
    text = (ROOT / "requirements" / "dev.lock").read_text()
    found = LOCKED.findall(text.replace(" \\\n", "\n"))
    return {(canonicalize_name(name), version): re.findall(r"sha256:(\w+)", hashes) for name, version, hashes in found}


def closure(wanted: list[str]) -> set[str]:
    """Return the names of what is `wanted`, and of all that it needs, on this machine."""
    found: set[str] = set()
    left = [Requirement(each) for each in wanted]
    while left:
        each = left.pop()
        name = canonicalize_name(each.name)
        if each.marker is not None and not each.marker.evaluate({"extra": ""}):
            continue
        if name not in found:
            found.add(name)
            needs = [Requirement(need) for need in metadata.requires(name) or ()]
            left += [need for need in needs if need.marker is None or any(_holds(need, x) for x in ("", *each.extras))]
    return found


def _holds(need: Requirement, extra: str) -> bool:
    if need.marker is None or not need.marker.evaluate({"extra": extra}):
        return False
    need.marker = None
    return True


def package(name: str, version: str, hashes: list[str], *, always: bool) -> dict[str, Any]:
    """Return a package of Python as a component."""
    told = metadata.metadata(name)
    licence = told.get("License-Expression") or (told.get("License") or "").split("\n")[0][:100]
    licence = licence or ", ".join(x.rpartition(":: ")[2] for x in told.get_all("Classifier", []) if "License ::" in x)
    url = f"pkg:pypi/{name}@{version}"
    files = [{"alg": "SHA-256", "content": each} for each in hashes]
    proven = {"externalReferences": [{"type": "distribution", "url": url, "hashes": files}]}
    return {
        "type": "library",
        "bom-ref": url,
        "name": name,
        "version": version,
        "purl": url,
        "scope": "required" if always else "optional",
        "licenses": [{"license": {"name": licence}}],
        **proven,
    }


def vendored(entry: dict[str, str]) -> dict[str, Any]:
    """Return somebody else's file in the wheel as a component."""
    url = f"pkg:npm/{entry['name']}@{entry['version']}"
    return {
        "type": "library",
        "bom-ref": url,
        "name": entry["name"],
        "version": entry["version"],
        "purl": url,
        "scope": "required",
        "licenses": [{"license": {"id": entry["license"]}}],
        "hashes": [{"alg": "SHA-256", "content": entry["sha256"]}],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
