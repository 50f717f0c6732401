"""`nexus check`: what weakens the protection of an app, found without running it."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

import msgspec

from ..checks import Finding, findings, look
from ..errors import SettingsError

HELP = "look for what weakens the protection of an app"


def options(parser: argparse.ArgumentParser) -> None:
    """Say what may follow."""
    parser.add_argument("app", help="where the app is, module:attribute, such as shop.main:app")
    parser.add_argument("--workers", type=int, help="processes that serve it (WEB_CONCURRENCY, or 1)")
    parser.add_argument("--json", action="store_true", help="print the findings as a JSON list")


def run(given: argparse.Namespace) -> int:
    """Print the findings; 1 if there are any.

    Raises:
        SettingsError: the app cannot be imported.
    """
    found = findings(look(load(given.app), workers=given.workers))
    if given.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n")
    else:
        sys.stdout.write("".join(map(_line, found)) or "nothing found\n")
    return 1 if found else 0


def load(app: str) -> Any:
    """Import `module:attribute`, from the current folder too.

    Raises:
        SettingsError: it cannot be imported.
    """
    module, colon, path = app.partition(":")
    if not module or not colon or not path:
        raise SettingsError(f"{app!r} must be module:attribute, such as shop.main:app")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found = importlib.import_module(module)
        for name in path.split("."):
            found = getattr(found, name)
    except Exception as error:
        raise SettingsError(f"{app!r} cannot be imported: {type(error).__name__}: {error}") from error
    return found


def _line(finding: Finding) -> str:
    return f"{finding.code}  {finding.title}\n       {finding.message}\n       {finding.page}\n"
