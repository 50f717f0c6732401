"""`nexus limits`: who has used most of a limit, in a terminal; and giving a caller its limits back."""

from __future__ import annotations

import argparse
import sys

import msgspec

from ..errors import SettingsError
from ..middleware.keys import store_key
from ..services.limits import PAGES
from .blocks import shared_runtime

HELP = "show who has used most of a limit, or reset what a caller has used"

WHOLE = 100_000  # thousands of keys, which is all of them: somebody waits for just this caller or limit


def options(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument("action", nargs="?", default="show", choices=["show", "reset"], help="what to do (show)")
    parser.add_argument("caller", nargs="?", default="", help="on whom it is counted, such as 203.0.113.9")
    parser.add_argument("--name", default="", help="of that limit alone, such as sign-in")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def run(given: argparse.Namespace) -> int:
    """Print a line for each count, or how many were reset; 1 if there was none to reset.

    Raises:
        SettingsError: nobody is named whose limits are to be reset.
        StoreError: Redis did not answer.
    """
    limits = shared_runtime().limits
    if given.action == "reset":
        if not given.caller:
            raise SettingsError("reset whose limits? Name the caller as `nexus limits` shows it, such as 203.0.113.9")
        gone = limits.reset(store_key(given.caller), name=given.name)
        sys.stdout.write(f"{gone} counts of {given.caller} are reset\n")
        return 0 if gone else 1
    used = limits.used(200, name=given.name, key=given.caller, pages=WHOLE if given.caller or given.name else PAGES)
    if given.json:
        sys.stdout.write(msgspec.json.encode(used).decode() + "\n")
        return 0
    rows = [(f"{x.used}/{x.limit}", x.name, x.key, f"{x.frees_in:.0f} s") for x in used.items]
    wide = [max([len(row[n]) for row in rows], default=0) for n in range(3)]
    lines = [
        f"{used.rjust(wide[0])}  {name.ljust(wide[1])}  {key.ljust(wide[2])}  {free}\n"
        for used, name, key, free in rows
    ]
    sys.stdout.write("".join(lines) or "nobody has used any limit\n")
    if not used.complete:
        sys.stderr.write("nexus limits: there are more counts than were looked at; name a limit or a caller\n")
    return 0
