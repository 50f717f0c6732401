"""The command `nexus`: one subcommand, one module."""

from __future__ import annotations

import argparse
import pkgutil
import sys
from collections.abc import Sequence

from .errors import NexusError

COMMANDS = {  # each has HELP, options(parser) and run(arguments) -> exit code
    "worker": "nexus_middleware.worker.command",
    "dashboard": "nexus_middleware.commands.dashboard",
    "check": "nexus_middleware.commands.check",
    "conform": "nexus_middleware.commands.conform",
    "explain": "nexus_middleware.commands.explain",
    "queues": "nexus_middleware.commands.queues",
    "cache": "nexus_middleware.commands.cache",
    "simulate": "nexus_middleware.commands.simulate",
    "limits": "nexus_middleware.commands.limits",
    "block": "nexus_middleware.commands.blocks:block",
    "unblock": "nexus_middleware.commands.blocks:unblock",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 2 for wrong use, wrong settings, or a store that does not answer."""
    parser = argparse.ArgumentParser(prog="nexus", description="Commands of nexus_middleware.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    modules = {name: pkgutil.resolve_name(path) for name, path in COMMANDS.items()}
    for name, module in modules.items():
        module.options(commands.add_parser(name, help=module.HELP, description=f"nexus {name}: {module.HELP}."))
    given = parser.parse_args(arguments)
    try:
        return int(modules[given.command].run(given))
    except NexusError as error:
        sys.stderr.write(f"nexus {given.command}: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
