"""Limit how often each caller calls a method of JSON-RPC, or a tool of an MCP server."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import msgspec

from ..http import App, Reply, Request, problem
from ..rules.decisions import Ruling
from ..rules.paths import matcher
from ..rules.windows import Strategy
from ..stores.base import Store
from ..stores.commands import Hit
from .counting import Allowances, Counted
from .keys import KeyOf, by_client
from .layer import Mode
from .limits import Asked, Compiled, Quota, Rule, compiled
from .passage import Want
from .rate_limit import OnError, RateLimit

TOO_MANY = -32029  # of those that JSON-RPC 2.0 leaves to servers
MOST_CALLS = 100  # of a batch
JSON = (b"content-type", b"application/json")
# with the layer, what it notes on a request: its calls, the rules that never admit so many, and whether all those are in shadow
ID, NEVER, FREE = "id", "never", "free"


@dataclass(frozen=True, kw_only=True)
class RPCRule:
    """One limit, and which calls it is about.

    Args:
        limit: In the notation of `limits`.
        method: Such as "tools/call"; "*" for every one.
        tool: The name that the call's parameters have, such as an MCP tool's, prompt's or resource's; "*" for all.
        key: Who is calling; None from it is not counted.
        name: What callers are told it is called.
        cost: What one call counts.
        mode: As of `Rule`.
    """

    limit: str = field(kw_only=False)
    method: str = "*"
    tool: str = "*"
    key: KeyOf = by_client
    name: str = "default"
    cost: int = 1
    mode: Literal["enforce", "shadow", "off"] = "enforce"

    @property
    def counting(self) -> Rule:
        """The rule by which its calls are counted."""
        return Rule(self.limit, key=self.key, name=f"rpc-{self.name}", cost=self.cost, mode=self.mode)

    def about(self, call: Call) -> bool:
        """Whether it is about that call."""
        return self.method in ("*", call.method) and self.tool in ("*", call.tool)


class Call(msgspec.Struct, frozen=True):
    """One call of a body; `id` is None for a notification, which nobody answers."""

    method: str
    tool: str
    id: Any = None


RPCGroup: TypeAlias = tuple[Sequence[RPCRule], Strategy]


class RPCLimit(RateLimit):
    """Answer a JSON-RPC error to a caller who calls a method or tool more often than a rule says.

    The calls are read from the body of POST requests in JSON, batches included, and a call that is refused uses up
    nothing. Streams, and everything that is no POST in JSON, pass untouched.

    >>> app = RPCLimit(None, [RPCRule("10/minute", method="tools/call", tool="search", name="search")], path="/mcp")

    Args:
        app: What is protected.
        rules: Each counts on its own.
        path: Where calls are taken, such as "/mcp"; "*" for every path.
        strategy: "sliding-window" or "gcra".
        store: Where the counts are; a URL names one store per process.
        on_error: As of `RateLimit`.
        mode: "shadow" decides and records, and refuses nobody.

    Raises:
        SettingsError: a limit or an option does not fit.
    """

    reads_body = True
    pairs: Sequence[tuple[RPCRule, Compiled]] = ()  # the rules that hold now
    _binds = False  # one of them is enforced

    def __init__(
        self,
        app: App,
        rules: Sequence[RPCRule],
        *,
        path: str = "*",
        strategy: Strategy = "sliding-window",
        store: Store | str = "memory://",
        on_error: OnError = "local",
        mode: Mode = "enforce",
    ) -> None:
        super().__init__(app, (), strategy=strategy, store=store, on_error=on_error, headers="none", mode=mode)
        self.own: RPCGroup = (tuple(rules), strategy)
        self._here = matcher(path)
        self.prepare_calls([self.own])()

    def prepare_calls(self, groups: Sequence[RPCGroup]) -> Callable[[], None]:
        """`prepare`, of rules about calls.

        Raises:
            SettingsError: a rule cannot be read, or two are called the same.
        """
        pairs: list[tuple[RPCRule, Compiled]] = []
        for rules, strategy in groups:
            live = [rule for rule in rules if rule.mode != "off"]
            pairs += zip(live, compiled([rule.counting for rule in live], strategy), strict=True)
        take = self._taking([ready for _, ready in pairs])

        def swap() -> None:
            self.pairs, self._binds = pairs, any(not ready.shadow for _, ready in pairs)
            take()

        return swap

    def reads(self, request: Request) -> bool:
        kind = request.header(b"content-type") or b""
        json = kind.partition(b";")[0].strip().lower() in (b"application/json", b"application/json-rpc")
        return json and request.method == "POST" and request.scheme in ("http", "https") and self._here(request.path)

    def ask(self, request: Request) -> Hit | Literal[Want.NO_MORE] | None:
        if request.again or not self.reads(request) or request.body is None:
            return None
        calls = request.notes[self, ID] = calls_of(request.body)
        if len(calls) > MOST_CALLS:
            return None
        counted = self._counted(request, calls)
        if self._hopeless(request) or not (counted.hit.limits or counted.hit.shadows):
            return None
        request.notes[self] = counted
        return counted.hit

    def before(self, request: Request, answer: Allowances | None) -> Reply | None:
        if (self, ID) not in request.notes:
            unread = self.reads(request) and not request.again
            return problem(request, 413, "The body is too long to be read for its calls.") if unread else None
        calls: list[Call] = request.notes[self, ID]
        if len(calls) > MOST_CALLS:
            return problem(request, 400, f"A batch has at most {MOST_CALLS} calls.")
        refused = None if self._hopeless(request) else super().before(request, answer)
        if refused is not None:
            return self._as_errors(request, refused, calls)
        if (self, NEVER) in request.notes:
            request.notes[self, FREE] = not self._hopeless(request)
            return problem(request, 400, "The batch has more calls of one kind than a limit ever admits.")
        return None

    def enforces(self, request: Request) -> bool:
        return self._binds and not request.notes.get((self, FREE)) and super().enforces(request)

    def _hopeless(self, request: Request) -> bool:
        """Whether a rule that binds never admits the batch: then nothing of it is counted."""
        return any(not rule.shadow for rule in request.notes.get((self, NEVER), ()))

    def rulings(self, request: Request) -> list[Ruling]:
        never: Sequence[Compiled] = request.notes.get((self, NEVER), ())
        told = [Ruling(rule.names[0], allowed=False, binds=self._binding and not rule.shadow) for rule in never]
        return told + super().rulings(request)

    def _counted(self, request: Request, calls: Sequence[Call]) -> Counted:
        quotas: tuple[Quota, ...] = ()
        watched: tuple[Quota, ...] = ()
        limits: Asked = ()
        shadows: tuple[Asked, ...] = ()
        for rule, ready in self.pairs:
            times = sum(rule.about(call) for call in calls)
            own, asked = ready.asked(request) if times else ((), ())
            if not asked:
                continue
            asked = tuple([(key, msgspec.structs.replace(x, cost=x.cost * times)) for key, x in asked])
            if any(x.cost > x.amount for _, x in asked):  # it could never be admitted: the store is not asked
                request.notes[self, NEVER] = (*request.notes.get((self, NEVER), ()), ready)
                continue
            if ready.shadow:
                watched, shadows = watched + own, (*shadows, asked)
            else:
                quotas, limits = quotas + own, limits + asked
        return Counted(Hit(limits, self._binding, shadows), quotas, watched)

    def _as_errors(self, request: Request, refused: Reply, calls: Sequence[Call]) -> Reply:
        """Return what a JSON-RPC client understands: an error for each call; without any, the refusal as it is."""
        counted: Counted | None = request.notes.get(self)
        asked = [call for call in calls if call.id is not None]
        if counted is None or not asked:
            return refused
        full = [(q, x) for q, x in zip(counted.quotas, counted.answers, strict=False) if not x.allowed]
        wait = max([1, *[math.ceil(x.reset_after) for _, x in full]])
        data = {"retryAfter": wait, "violatedPolicies": [quota.name for quota, _ in full]}
        error = {"code": TOO_MANY, "message": f"Too many requests: try again in {wait} s.", "data": data}
        answers = [{"jsonrpc": "2.0", "id": call.id, "error": error} for call in asked]
        body = msgspec.json.encode(answers if request.body and request.body.lstrip()[:1] == b"[" else answers[0])
        return Reply(200, body, (JSON, (b"cache-control", b"no-store"), (b"retry-after", b"%d" % wait)))

    def why(self, request: Request) -> str:
        calls = Counter(
            [call.method + (f" {call.tool}" if call.tool else "") for call in request.notes.get((self, ID), ())]
        )
        return f"{', '.join(calls) or 'no calls'}: {super().why(request)}"


def calls_of(body: bytes) -> list[Call]:
    """Return the calls of a JSON-RPC body; what is no call counts as one of no name.

    >>> calls_of(b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "search"}}')
    [Call(method='tools/call', tool='search', id=1)]
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return [Call("", "")]
    return [_call(each) for each in value] if isinstance(value, list) and value else [_call(value)]


def _call(value: Any) -> Call:
    if not isinstance(value, dict):
        return Call("", "")
    method, params = value.get("method"), value.get("params")
    named = params if isinstance(params, dict) else {}
    tool = named.get("name", named.get("uri", ""))
    return Call(method if isinstance(method, str) else "", tool if isinstance(tool, str) else "", value.get("id"))
