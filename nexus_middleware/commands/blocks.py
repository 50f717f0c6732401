"""`nexus block` and `nexus unblock`: refuse an address in every process that shares the store."""

from __future__ import annotations

import argparse
import sys
from types import SimpleNamespace

from ..errors import SettingsError
from ..runtime import Runtime
from ..settings import Settings


def _block_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", help="an address or a network, such as 192.0.2.0/24")
    parser.add_argument("--reason", default="", help="shown on the dashboard")
    parser.add_argument("--lasts", type=float, help="seconds; without it, for good")


def _unblock_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", help="an address or a network that is blocked")


def _block(given: argparse.Namespace) -> int:
    shared_runtime().security.block(given.address, reason=given.reason, lasts=given.lasts)
    return 0


def _unblock(given: argparse.Namespace) -> int:
    if shared_runtime().security.unblock(given.address):
        return 0
    sys.stderr.write(f"nexus unblock: {given.address} was not blocked\n")
    return 1


def shared_runtime() -> Runtime:
    """Return a runtime on the store that the environment names, if it is one that processes share.

    Raises:
        SettingsError: it is not.
        StoreError: it does not answer.
    """
    runtime = Runtime(Settings.from_env())
    if not runtime.store.waits:
        raise SettingsError("memory:// is another process's memory: set NEXUS_STORE to the Redis of the app")
    runtime.check()
    return runtime


block = SimpleNamespace(HELP="refuse an address everywhere", options=_block_options, run=_block)
unblock = SimpleNamespace(HELP="let an address in again", options=_unblock_options, run=_unblock)
