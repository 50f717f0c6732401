"""`nexus explain`: which rules a request meets, and what they would do."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import msgspec

from ..checks import look
from ..errors import SettingsError
from ..http import Pair, Reply
from ..middleware.ip_filter import IPFilter
from ..middleware.layer import Layer
from ..middleware.limits import Compiled
from ..middleware.policy import read_policy
from ..middleware.rate_limit import RateLimit
from ..middleware.response_cache import ResponseCache
from .check import load

HELP = "say which rules a request meets, and what they would do"


class Line(msgspec.Struct, frozen=True):
    """What one rule says of the request."""

    layer: str
    rule: str  # "" for the layer itself
    meets: bool
    does: str


def options(parser: argparse.ArgumentParser) -> None:
    """Take the request, and what to try it on."""
    parser.add_argument("method", help="such as GET")
    parser.add_argument("path", help="such as /courses/7?page=2")
    parser.add_argument("--client", default="203.0.113.9", help="the address of whoever asks (203.0.113.9)")
    parser.add_argument("--header", action="append", default=[], metavar="'NAME: VALUE'", help="a header line")
    parser.add_argument("--json", action="store_true", help="print JSON")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--app", help="module:attribute, such as shop.main:app")
    what.add_argument("--rules", help="a rules file, on its own (NEXUS_RULES)")


def run(given: argparse.Namespace) -> int:
    """Print what each rule says; 1 if the request would be refused whatever was counted.

    Raises:
        SettingsError: there is nothing to try it on, or it cannot be read.
    """
    layers = look(load(given.app)).layers if given.app else _of_file(given.rules or os.environ.get("NEXUS_RULES", ""))
    lines, refused = explain(layers, Asked(given.method, given.path, given.client, given.header))
    if given.json:
        sys.stdout.write(msgspec.json.encode({"refused": refused, "rules": lines}).decode() + "\n")
    else:
        wide = max([len(line.layer) for line in lines], default=0)
        rows = [f"{line.layer.ljust(wide)}  {line.rule and line.rule + ': '}{line.does}\n" for line in lines]
        sys.stdout.write("".join(rows) or "nothing here judges requests\n")
    return int(refused)


def explain(layers: list[Layer[Any]], request: Any) -> tuple[list[Line], bool]:
    """Return what the rules of the layers say, outermost first, and whether one refuses the request anyway."""
    lines: list[Line] = []
    for layer in layers:
        name = type(layer).__name__
        if layer.mode == "off":
            continue
        if type(layer) is RateLimit:
            lines += [_limit(name, layer, rule, request) for rule in layer.rules]
        elif isinstance(layer, ResponseCache):
            lines.append(_cached(name, layer, request))
        elif "before" in layer.steps and "ask" not in layer.steps:
            reply = layer.before(request, None)
            if isinstance(reply, Reply):
                binds = layer.enforces(request)
                why = layer.why(request)
                verb = "refuses" if binds else "would refuse (shadow)"
                lines.append(Line(name, "", meets=True, does=f"{verb} with {reply.status}{': ' if why else ''}{why}"))
                if binds and reply.status >= 400:
                    return lines, True
    return lines, False


def _limit(name: str, layer: RateLimit, rule: Compiled, request: Any) -> Line:
    if not rule.meets(request):
        about = "is about " + " ".join([*rule.rule.methods, rule.rule.path]) + " alone"
        return Line(
            name, rule.rule.name, meets=False, does="lets this path off" if rule.exempts(request.path) else about
        )
    quotas, asked = rule.asked(request)
    if not asked:
        return Line(name, rule.rule.name, meets=True, does="does not count this caller")
    counts = [f"{x.limit.amount} per {x.limit.window:g} s" for x in quotas]
    on = asked[0][0].removeprefix(quotas[0].prefix)
    shadow = rule.shadow or layer.mode == "shadow"
    then = "would refuse with 429, and does not (shadow)" if shadow else "refuses with 429"
    given_back = ", given back by the answer's status" if rule.rule.count_when else ""
    return Line(name, rule.rule.name, meets=True, does=f"counts on {on}{given_back}; beyond {', '.join(counts)} {then}")


def _cached(name: str, layer: ResponseCache, request: Any) -> Line:
    rule = layer.rule_for(request.path)
    if request.method not in ("GET", "HEAD"):
        return Line(name, "", meets=False, does="leaves it alone: it is neither GET nor HEAD")
    if rule is None or rule.ttl is None:
        return Line(name, "", meets=False, does="keeps the answer if that says how long it is fresh")
    tags = f", tagged {', '.join(rule.tags)}" if rule.tags else ""
    return Line(name, rule.path, meets=True, does=f"keeps the answer {rule.ttl:g} s if that says nothing else{tags}")


def _of_file(path: str) -> list[Layer[Any]]:
    if not path:
        raise SettingsError("nothing to try it on: give --app module:attribute or --rules FILE, or set NEXUS_RULES")
    try:
        policy = read_policy(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path!r} cannot be read: {error}") from error
    return [
        IPFilter(_nobody, allow=policy.allow, deny=policy.deny, mode=policy.filter_mode),
        RateLimit(_nobody, policy.limits, strategy=policy.strategy),
        ResponseCache(_nobody, rules=policy.cache),
    ]


class Asked:
    """The request that is asked about, as the layers' steps see one.

    Raises:
        SettingsError: a header line has no colon, or the path does not begin with /.
    """

    again = degraded = False
    request_id = mount = route = raw_path = ""
    scheme, body = "https", None

    def __init__(self, method: str, path: str, client: str, headers: list[str]) -> None:
        self.path, _, query = path.partition("?")
        if not self.path.startswith("/"):
            raise SettingsError(f"{path!r} must be a path that begins with /, such as /courses")
        if wrong := next((line for line in headers if ":" not in line), None):
            raise SettingsError(f"--header {wrong!r} must be 'NAME: VALUE'")
        self.method, self.client, self.query = method.upper(), client, query.encode()
        pairs = [line.partition(":") for line in headers]
        self.headers: list[Pair] = [(name.strip().lower().encode(), text.strip().encode()) for name, _, text in pairs]
        self.notes: dict[Any, Any] = {}

    def header(self, name: bytes) -> bytes | None:
        """Return the first line of that name."""
        return next((text for key, text in self.headers if key == name), None)

    def set(self, name: bytes, value: bytes | None) -> None:
        """Change a line, as `TrustedProxies` does."""
        kept = [pair for pair in self.headers if pair[0] != name]
        self.headers = kept if value is None else [*kept, (name, value)]

    def set_origin(self, client: str, scheme: str, host: bytes | None) -> None:
        """Take who asks from a trusted proxy."""
        self.client, self.scheme = client, scheme
        if host is not None:
            self.set(b"host", host)

    def limit_body(self, limit: int, refuse: Any) -> None:
        """Nothing: there is no body."""


async def _nobody(*_: Any) -> None: ...
