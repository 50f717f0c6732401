"""`nexus explain`: which rules a request meets, and what they would do."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import msgspec

from ..checks import look
from ..checks.explaining import Asked, explain, layers_for
from ..errors import SettingsError
from ..lookup import look_up
from ..middleware.layer import Layer
from ..middleware.policy import read_policy
from .shared import add_ipv6_prefix

HELP = "say which rules a request meets, and what they would do"


def options(parser: argparse.ArgumentParser) -> None:
    """Take the request, and what to try it on."""
    parser.add_argument("method", help="such as GET")
    parser.add_argument("path", help="such as /courses/7?page=2")
    parser.add_argument("--client", default="203.0.113.9", help="the address of whoever asks (203.0.113.9)")
    parser.add_argument("--header", action="append", default=[], metavar="'NAME: VALUE'", help="a header line")
    parser.add_argument(
        "--body", help="the body, in which RPCLimit looks for calls; in JSON unless a header says otherwise"
    )
    add_ipv6_prefix(parser, ", for --rules; an app says it itself")
    parser.add_argument("--json", action="store_true", help="print JSON")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--app", help="module:attribute, such as shop.main:app")
    what.add_argument("--rules", help="a rules file, on its own (NEXUS_RULES)")


def run(given: argparse.Namespace) -> int:
    """Print what each rule says; 1 if the request would be refused whatever was counted.

    Raises:
        SettingsError: there is nothing to try it on, or it cannot be read.
    """
    rules = given.rules or os.environ.get("NEXUS_RULES", "")
    layers = look(look_up(given.app)).layers if given.app else _of_file(rules, given.ipv6_prefix)
    lines, refused = explain(layers, _asked(given))
    if given.json:
        sys.stdout.write(msgspec.json.encode({"refused": refused, "rules": lines}).decode() + "\n")
    else:
        wide = max([len(line.layer) for line in lines], default=0)
        rows = [f"{line.layer.ljust(wide)}  {line.rule and line.rule + ': '}{line.does}\n" for line in lines]
        sys.stdout.write("".join(rows) or "nothing here judges requests\n")
    return int(refused)


def _asked(given: argparse.Namespace) -> Asked:
    body = None if given.body is None else given.body.encode()
    return Asked(given.method, given.path, given.client, given.header, body)


def _of_file(path: str, ipv6_prefix: int) -> list[Layer[Any]]:
    if not path:
        raise SettingsError("nothing to try it on: give --app module:attribute or --rules FILE, or set NEXUS_RULES")
    try:
        return layers_for(read_policy(Path(path).read_text("utf-8")), ipv6_prefix=ipv6_prefix)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path!r} cannot be read: {error}") from error
