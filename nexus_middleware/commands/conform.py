"""`nexus conform`: whether an app's own stack is transparent, and which part of it is not."""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from ..errors import SettingsError
from ..http import Scope
from ..lookup import look_up
from ..testing import disable
from .probes import PATIENCE, PROBES, Probe, Stage
from .probes.stack import Stack, taken_apart

HELP = "try whether streams, websockets and all else pass what stands around an app"


@dataclass(frozen=True)
class Outcome:
    """What one probe found."""

    probe: str
    holds: bool
    reached: bool = True  # the stack asked the app at all
    by: str = ""  # what breaks it: the name of a middleware
    why: str = ""


def options(parser: argparse.ArgumentParser) -> None:
    """Say what may follow."""
    parser.add_argument("app", help="where the app is, module:attribute, such as shop.main:app")
    parser.add_argument("--path", default="/", help="the path that is asked for (/)")
    parser.add_argument("--header", action="append", default=[], metavar="NAME: VALUE", help="sent with each request")
    parser.add_argument("--client", default="203.0.113.7", help="the caller's address (203.0.113.7)")
    parser.add_argument("--patience", type=float, default=PATIENCE, help=f"seconds for each message ({PATIENCE:g})")
    parser.add_argument("--json", action="store_true", help="print the outcomes as a JSON list")


def run(given: argparse.Namespace) -> int:
    """Print the outcomes; 1 if something is broken, 2 if the stack did not let the probes through.

    Raises:
        SettingsError: the app cannot be imported, is no ASGI app, or an option does not fit.
    """
    stack = taken_apart(look_up(given.app))
    scope: Scope = {"path": given.path, "raw_path": given.path.encode(), "client": (given.client, 1), "app": stack.app}
    scope["headers"] = _headers(given.header)
    with disable():  # neither refused by limits, nor counted
        outcomes = asyncio.run(_tried(stack, scope, given.patience))
    if given.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(outcomes), indent=2).decode() + "\n")
    else:
        names = [*[wrapper.name for wrapper in stack.wrappers], type(stack.app).__name__]
        sys.stdout.write(" > ".join(names) + "\n" + "".join(map(_line, outcomes)))
    if any(outcome.reached and not outcome.holds for outcome in outcomes):
        return 1
    return 0 if all(outcome.holds for outcome in outcomes) else 2


def _headers(lines: list[str]) -> list[tuple[bytes, bytes]]:
    headers: list[tuple[bytes, bytes]] = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise SettingsError(f"--header {line!r} must be NAME: VALUE, such as 'Host: shop.example'")
        headers.append((name.strip().lower().encode(), value.strip().encode()))
    return headers if any(name == b"host" for name, _ in headers) else [(b"host", b"example.org"), *headers]


async def _tried(stack: Stack, scope: Scope, patience: float) -> list[Outcome]:
    return [await _outcome(probe, stack, scope, patience) for probe in PROBES]


async def _outcome(probe: Probe, stack: Stack, scope: Scope, patience: float) -> Outcome:
    name = probe.__name__.replace("_s_", "'s_").replace("_", " ")
    why, stage = await _fault(probe, stack, scope, patience, since=0)
    if not stage.reached:
        answered = f"answered {stage.status} itself" if stage.status else "did not ask the app"
        return Outcome(name, holds=False, reached=False, why=answered)
    if not why:
        return Outcome(name, holds=True)
    for i in reversed(range(len(stack.wrappers))):  # from the app outward: the first that breaks it is the one
        fault, _ = await _fault(probe, stack, scope, patience, since=i)
        if fault:
            return Outcome(name, holds=False, by=stack.wrappers[i].name, why=fault)
    return Outcome(name, holds=False, why=why)


async def _fault(probe: Probe, stack: Stack, scope: Scope, patience: float, *, since: int) -> tuple[str, Stage]:
    """Return what is wrong, "" if nothing is, and the stage on which it showed."""
    stage = Stage(partial(stack.wrap, since=since), scope, patience=patience)
    try:
        await probe(stage)
    except Exception as error:  # noqa: BLE001  # whatever a stack of somebody's raises is what it does wrong
        return _said(error), stage
    return "", stage


def _said(error: Any) -> str:
    kind = type(error).__name__
    return str(error) if kind == "Broken" else f"{kind}: {error}"


def _line(outcome: Outcome) -> str:
    if outcome.holds:
        return f"ok       {outcome.probe}\n"
    if not outcome.reached:
        return f"not run  {outcome.probe}\n         the stack {outcome.why}\n"
    return f"BROKEN   {outcome.probe}\n         {outcome.by or 'the whole'}: {outcome.why}\n"
