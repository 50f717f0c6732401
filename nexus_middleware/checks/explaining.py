"""What a request would meet: which rules are about it, on what it would count, and what they would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from ..errors import SettingsError
from ..http import Pair, Reply
from ..middleware.csp_reports import TAKEN, CSPReports
from ..middleware.ip_filter import IPFilter
from ..middleware.layer import Layer
from ..middleware.limits import Compiled
from ..middleware.live import STAGED
from ..middleware.policy import Policy
from ..middleware.rate_limit import RateLimit
from ..middleware.response_cache import ResponseCache
from ..middleware.rpc_limit import TOO_MANY, RPCLimit, calls_of
from ..rules.networks import IPV6_PREFIX
from ..rules.windows import Strategy


class Line(msgspec.Struct, frozen=True):
    """What one rule says of the request."""

    layer: str
    rule: str  # "" for the layer itself
    meets: bool
    does: str


def explain(layers: Sequence[Layer[Any]], request: Any) -> tuple[list[Line], bool]:
    """Return what the rules of the layers say, outermost first, and whether one refuses the request anyway.

    Nothing is counted, and no store is asked.

    >>> from nexus_middleware.middleware.policy import read_policy
    >>> layers = layers_for(read_policy('filter = {deny = ["192.0.2.0/24"]}'))
    >>> lines, refused = explain(layers, Asked("GET", "/", "192.0.2.7"))
    >>> refused, lines[0].does
    (True, 'refuses with 403: in a denied network')
    """
    lines: list[Line] = []
    for layer in layers:
        name = type(layer).__name__
        if layer.mode == "off":
            continue
        if type(layer) is RateLimit:
            lines += [_limit(name, layer, rule, request) for rule in layer.rules]
        elif isinstance(layer, RPCLimit):
            lines += _calls(name, layer, request)
        elif isinstance(layer, ResponseCache):
            lines.append(_cached(name, layer, request))
        elif "before" in layer.steps and "ask" not in layer.steps:
            try:
                reply = _taken(layer, request) if isinstance(layer, CSPReports) else layer.before(request, None)
            except AttributeError as error:  # an own layer's
                lines.append(
                    Line(name, "", meets=False, does=f"cannot be asked about a request that was not made: {error}")
                )
                continue
            if isinstance(reply, Reply):
                binds = layer.enforces(request)
                why = layer.why(request)
                bare = "refuse" if reply.status >= 400 else "answer"
                verb = f"{bare}s" if binds else f"would {bare} (shadow)"
                lines.append(Line(name, "", meets=True, does=f"{verb} with {reply.status}{': ' if why else ''}{why}"))
                if binds:  # it goes no further
                    return lines, reply.status >= 400
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


def _calls(name: str, layer: RPCLimit, request: Any) -> list[Line]:
    """Say what the rules about JSON-RPC calls make of those in the body."""
    if not layer.reads(request):
        return [Line(name, "", meets=False, does="leaves it alone: it is no POST in JSON to its path")]
    if request.body is None:
        return [Line(name, "", meets=False, does="counts the calls in the body: give one with --body")]
    calls, found = calls_of(request.body), []
    for rule, ready in layer.pairs:
        times = sum(rule.about(call) for call in calls)
        if times:
            line = _limit(name, layer, ready, request)
            does = line.does.replace("refuses with 429", f"refuses with the error {TOO_MANY}")
            found.append(Line(name, rule.name, meets=True, does=f"{times} of {len(calls)} calls: {does}"))
        else:
            about = " ".join([x for x in (rule.method, rule.tool) if x != "*"])
            found.append(Line(name, rule.name, meets=False, does=f"is about {about} alone"))
    return found


def _taken(layer: CSPReports, request: Any) -> Reply | None:
    """Return what the layer answers; it is not told of the report."""
    if not layer.takes(request):
        return None
    return said if isinstance(said := layer.read(request), Reply) else TAKEN


def _cached(name: str, layer: ResponseCache, request: Any) -> Line:
    rule = layer.rule_for(request.path)
    if request.method not in ("GET", "HEAD"):
        return Line(name, "", meets=False, does="leaves it alone: it is neither GET nor HEAD")
    if rule is None or rule.ttl is None:
        return Line(name, "", meets=False, does="keeps the answer if that says how long it is fresh")
    tags = f", tagged {', '.join(rule.tags)}" if rule.tags else ""
    return Line(name, rule.path, meets=True, does=f"keeps the answer {rule.ttl:g} s if that says nothing else{tags}")


def layers_for(policy: Policy, staged: Policy | None = None, *, ipv6_prefix: int = IPV6_PREFIX) -> list[Layer[Any]]:
    """Return layers that judge as a rules file says, around nothing; what is staged beside it, in shadow."""
    tried, dialled = ([*staged.limits], [*staged.calls]) if staged else ([], [])
    tried = [replace(x, name=x.name + STAGED, mode="shadow") for x in tried if x.mode != "off"]
    dialled = [replace(x, name=x.name + STAGED, mode="shadow") for x in dialled if x.mode != "off"]
    limits, calls = RateLimit(_nobody, (), ipv6_prefix=ipv6_prefix), RPCLimit(_nobody, ())
    tried_by: Strategy = staged.strategy if staged else "sliding-window"
    limits.prepare([(policy.limits, policy.strategy), (tried, tried_by)])()
    filters = [IPFilter(_nobody, allow=policy.allow, deny=policy.deny, mode=policy.filter_mode)]
    if staged is not None and staged.filter_mode != "off":
        filters.append(IPFilter(_nobody, allow=staged.allow, deny=staged.deny, mode="shadow"))
    calls.prepare_calls([(policy.calls, policy.strategy), (dialled, tried_by)])()
    return [*filters, limits, calls, ResponseCache(_nobody, rules=policy.cache)]


class Asked:
    """The request that is asked about, as the layers' steps see one.

    Raises:
        SettingsError: a header line has no colon, or the path does not begin with /.
    """

    again = degraded = False
    request_id = mount = route = raw_path = ""
    scheme = "https"

    def __init__(
        self, method: str, path: str, client: str, headers: Sequence[str] = (), body: bytes | None = None
    ) -> None:
        self.body = body
        self.path, _, query = path.partition("?")
        if not self.path.startswith("/"):
            raise SettingsError(f"{path!r} must be a path that begins with /, such as /courses")
        if wrong := next((line for line in headers if ":" not in line), None):
            raise SettingsError(f"--header {wrong!r} must be 'NAME: VALUE'")
        self.method, self.client, self.query = method.upper(), client, query.encode()
        pairs = [line.partition(":") for line in headers]
        self.headers: list[Pair] = [(name.strip().lower().encode(), text.strip().encode()) for name, _, text in pairs]
        if body is not None:
            implied = (b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))
            self.headers += [pair for pair in implied if self.header(pair[0]) is None]
        self.notes: dict[Any, Any] = {}

    def header(self, name: bytes) -> bytes | None:
        """Return the first line of that name."""
        return next((text for key, text in self.headers if key == name), None)

    def lacks(self, names: frozenset[bytes]) -> bool:
        """Whether it has none of these headers."""
        return not any(key in names for key, _ in self.headers)

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
        """Nothing: its length has been judged."""


async def _nobody(*_: Any) -> None: ...
