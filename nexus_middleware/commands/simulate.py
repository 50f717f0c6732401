"""`nexus simulate`: who would have been refused, had these rules held while an access log was written."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from ..errors import SettingsError
from ..middleware.keys import store_key
from ..middleware.policy import Policy, read_policy
from ..rules.networks import bucket
from ..rules.windows import BORROWED
from .shared import add_ipv6_prefix
from .simulation.plot import plot
from .simulation.proposals import Proposal, propose
from .simulation.replay import Replay
from .simulation.source import Source

HELP = "try rules on an access log"
GOOD = 0.01  # a client of whom less was refused, as the log has it, is one of good standing
TOP = 10  # clients shown


def options(parser: argparse.ArgumentParser) -> None:
    """Take the two files, and what to make of them."""
    parser.add_argument("rules", help="a rules file (TOML)")
    parser.add_argument("log", help="an access log: our JSON, Common or Combined; may end with .gz")
    parser.add_argument("--bad", metavar="FILE", help="clients, one a line, that the proposals leave out")
    parser.add_argument("--plot", metavar="FILE.svg", help="draw the refusals over time")
    add_ipv6_prefix(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(given: argparse.Namespace) -> int:
    """Replay, and say what came of it.

    Raises:
        SettingsError: a file cannot be read, or the rules cannot be taken.
    """
    policy = read_policy(_text(given.rules))
    if policy.strategy in BORROWED:
        raise SettingsError(f"strategy={policy.strategy!r} goes by the time of day: simulate sliding-window or gcra")
    bad = {line.strip() for line in _text(given.bad).splitlines() if line.strip()} if given.bad else set[str]()
    replay, began = Replay(policy, ipv6_prefix=given.ipv6_prefix), time.perf_counter()
    source = Source(given.log)
    replay.run(source.visits())
    if not replay.visits:
        raise SettingsError(f"{given.log}: none of its {source.lines} lines is a request in a format that we read")
    if given.plot:
        title = f"Requests refused of {replay.visits:,}"
        Path(given.plot).write_text(plot(replay.by_time, source.first, source.last, title), "utf-8")
    told = _told(policy, replay, source, _callers(replay, bad, given.ipv6_prefix))
    told["seconds"] = round(time.perf_counter() - began, 2)
    sys.stdout.write(msgspec.json.encode(told).decode() + "\n" if given.json else _as_text(told))
    return 0


def _text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path!r} cannot be read: {error}") from error


def _told(policy: Policy, replay: Replay, source: Source, left_out: set[str]) -> dict[str, Any]:
    names = [rule.name for rule in policy.limits if rule.mode != "off"]
    return {
        "requests": replay.visits,
        "skipped": source.skipped,
        "from": source.first,
        "to": source.last,
        "refused": sum(replay.refused_clients.values()),
        "filtered": replay.filtered,
        "rules": [
            {"name": name, "counted": count, "refused": replay.refused[name], "wouldRefuse": replay.would[name]}
            for name, count in sorted(replay.counted.items())
        ],
        "unmet": [name for name in names if not any(x == name or x.startswith(f"{name}-") for x in replay.counted)],
        "clients": [
            {"client": client, "requests": replay.clients[client], "refused": count}
            for client, count in replay.refused_clients.most_common(TOP)
        ],
        "proposals": [msgspec.to_builtins(each) for each in _proposals(replay, left_out)],
    }


def _callers(replay: Replay, bad: set[str], ipv6_prefix: int) -> set[str]:
    """Return the keys of those who are not in good standing: `bad` clients, and those refused 1 % or more of the time."""
    clients = bad | {x for x, count in replay.refused_then.items() if count >= GOOD * replay.clients[x]}
    return {store_key(bucket(client, ipv6_prefix)) for client in clients}


def _proposals(replay: Replay, left_out: set[str]) -> list[Proposal]:
    """Look at the clients of good standing alone."""
    found = [
        propose(quota, replay.times[name], {quota.prefix + caller for caller in left_out})
        for name, quota in sorted(replay.quotas.items())
    ]
    return [each for each in found if each is not None]


def _as_text(told: dict[str, Any]) -> str:
    share = told["refused"] / told["requests"]
    skipped = f", {told['skipped']:,} lines skipped" if told["skipped"] else ""
    lines = [
        f"{told['requests']:,} requests{skipped}; {told['refused']:,} refused ({share:.2%}), in {told['seconds']} s",
        "",
        *_table(
            ("rule", "counted", "refused", "would refuse"),
            [(x["name"], x["counted"], x["refused"], x["wouldRefuse"]) for x in told["rules"]],
        ),
    ]
    if told["filtered"]:
        lines.append(f"{told['filtered']:,} refused by the address lists")
    lines += [f"no request met the rule {name!r}" for name in told["unmet"]]
    if told["clients"]:
        rows = [(x["client"], x["requests"], x["refused"]) for x in told["clients"]]
        lines += ["", *_table(("client", "requests", "refused"), rows)]
    if told["proposals"]:
        least = [(x["name"], x["now"], x["least"], f"{x['window']:g} s", x["busiest"]) for x in told["proposals"]]
        lines += ["", *_table(("limit", "now", "least", "window", "busiest good client"), least)]
        lines.append("least: the smallest limit that would have refused none of the clients of good standing")
    return "\n".join(lines) + "\n"


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[str]:
    texts = [head, *[tuple([f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row]) for row in rows]]
    widths = [max(len(row[n]) for row in texts) for n in range(len(head))]
    return [
        "  ".join(
            [text.ljust(w) if not n else text.rjust(w) for n, (text, w) in enumerate(zip(row, widths, strict=True))]
        )
        for row in texts
    ]
