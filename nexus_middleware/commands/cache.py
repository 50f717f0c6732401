"""`nexus cache`: forget cached values and stored responses, and nothing else in the same Redis."""

from __future__ import annotations

import argparse
import asyncio
import sys

from ..runtime import Runtime
from .blocks import shared_runtime

HELP = "flush the caches, or delete the values whose keys fit a pattern"


def options(parser: argparse.ArgumentParser) -> None:
    """Say what may follow."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("flush", help="forget all values and stored responses")
    delete = actions.add_parser("delete", help="forget the values whose keys fit")
    delete.add_argument("pattern", help="with *, ? and […], such as 'course:*'")


def run(given: argparse.Namespace) -> int:
    """Do it, and say how many there were."""
    runtime = shared_runtime()
    count = runtime.cache.delete_pattern(given.pattern) if given.action == "delete" else asyncio.run(_flush(runtime))
    sys.stdout.write(f"{count} forgotten\n")
    return 0


async def _flush(runtime: Runtime) -> int:
    try:
        return await runtime.cache.aflush() + await runtime.pages.aflush()
    finally:
        await runtime.aclose()
