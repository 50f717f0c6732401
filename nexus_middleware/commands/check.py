"""`nexus check`: what weakens the protection of an app, found without running it."""

from __future__ import annotations

import argparse
import sys

import msgspec

from ..checks import Finding, findings, look
from ..lookup import look_up

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
    found = findings(look(look_up(given.app), workers=given.workers))
    if given.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n")
    else:
        sys.stdout.write("".join(map(_line, found)) or "nothing found\n")
    return 1 if found else 0


def _line(finding: Finding) -> str:
    return f"{finding.code}  {finding.title}\n       {finding.message}\n       {finding.page}\n"
