"""Options that several commands take."""

from __future__ import annotations

import argparse
import os


def add_ipv6_prefix(parser: argparse.ArgumentParser, more: str = "") -> None:
    """Let the user say how wide the network of one IPv6 caller is, for rules that no app stands behind."""
    parser.add_argument(
        "--ipv6-prefix",
        type=int,
        default=os.environ.get("NEXUS_IPV6_PREFIX", "64"),
        metavar="BITS",
        help=f"of the network that is one IPv6 caller{more} (NEXUS_IPV6_PREFIX, 64)",
    )
