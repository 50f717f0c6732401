"""The rules: GET and POST /rules, one version of them, each rule that holds, and what a request would meet."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import Annotated, Any, Literal

import msgspec

from ...checks import look
from ...checks.explaining import Asked, explain, layers_for
from ...checks.standing import counted, standing
from ...errors import SettingsError
from ...middleware.layer import Layer
from ...middleware.policy import Policy, read_policy
from ...rules.networks import Networks
from ...services.policies import Conflict, Policies, RuleSet
from ..answers import Answer, Problem, done, found
from ..described import says
from ..exchange import Exchange
from ..panels import timestamp
from ..shapes.rules import EachRule, Explained, Rules, RulesChanged, RulesVersion
from . import asked

FORMS = [{"format": "ipv4"}, {"format": "ipv6"}]
HOUR = 3_600
METHOD, PATH, LINE = "^[A-Za-z]{1,16}$", r"^/[^\x00-\x1f]{0,1999}$", "^[!-9;-~]{1,100}:[ -~]{0,1000}$"


class Change(msgspec.Struct):
    """What is asked for: an action, the text of a rules file, the version that was looked at, the one to go back to."""

    action: Literal["validate", "stage", "enforce", "discard", "rollback"]
    text: Annotated[str, msgspec.Meta(max_length=60_000)] = ""
    version: Annotated[int, msgspec.Meta(ge=0)] | None = None
    to: Annotated[int, msgspec.Meta(ge=0)] = 0


class Question(msgspec.Struct):
    """A request that is asked about: whose, and what for; its headers as "name: value", its body if calls are in it."""

    path: Annotated[str, msgspec.Meta(pattern=PATH)]
    method: Annotated[str, msgspec.Meta(pattern=METHOD)] = "GET"
    client: Annotated[str, msgspec.Meta(max_length=64, extra_json_schema={"anyOf": FORMS})] = "203.0.113.9"
    headers: Annotated[list[Annotated[str, msgspec.Meta(pattern=LINE)]], msgspec.Meta(max_length=50)] = []
    body: Annotated[str, msgspec.Meta(max_length=65_536)] = ""


@says(Rules)
async def read(exchange: Exchange) -> Answer:
    """Tell the rules in force, those staged, and the versions that are kept."""
    policies = exchange.runtime.policies
    history = await policies.ahistory()
    now = history[0] if history else policies.now
    value = {
        **_shown(now),
        "enforced": now.enforced,
        "staged": now.staged,
        "file": exchange.runtime.settings.rules,
        "error": policies.error,
        "history": [_shown(each) for each in history],
    }
    return _found(exchange, value)


@says(RulesVersion)
async def version(exchange: Exchange) -> Answer:
    """Tell one of the versions that are kept, with its texts."""
    text = exchange.parameter("version")
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else -1
    history = await exchange.runtime.policies.ahistory()
    made = next((each for each in history if each.version == number), None)
    if made is None:
        raise Problem(404, "not_kept", "that version is not kept: the newest 50 are")
    return _found(exchange, {**_shown(made), "enforced": made.enforced, "staged": made.staged})


@says(EachRule, query=asked.Window)
async def each(exchange: Exchange) -> Answer:
    """List each rule that holds, of code, live or staged, and how often it refused, and would have, in ?window=."""
    hours = max(1, asked.window(exchange) // HOUR)
    now, staged, layers = await _standing(exchange)
    counts = await exchange.runtime.decisions.acounts(hours)
    items = msgspec.to_builtins(counted(standing(layers, now, staged), counts))
    known = exchange.runtime.front is not None
    value = {"items": items, "nextCursor": None, "total": len(items), "totalExact": True}
    return _found(exchange, {"state": "known" if known else "unknown", **value})


@says(Explained, body=Question)
async def explained(exchange: Exchange) -> Answer:
    """Say which rules a request would meet, and what they would do, as `nexus explain`; nothing is counted."""
    question = await exchange.json(Question)
    try:
        ip_address(question.client)
    except ValueError as error:
        raise Problem(400, "bad_address", "client is an address, such as 203.0.113.9") from error
    request = _asked(exchange, question)
    _, _, layers = await _standing(exchange)
    lines, refused = await asyncio.to_thread(explain, layers, request)  # a layer may read a file of addresses
    state = "unknown" if exchange.runtime.front is None else "known"
    value = {"state": state, "refused": refused, "rules": msgspec.to_builtins(lines)}
    return done({**value, "meta": exchange.panels.meta()})


@says(RulesChanged, body=Change)
async def change(exchange: Exchange) -> Answer:
    """Check rules, or change them in all processes."""
    asked, policies = await exchange.json(Change), exchange.runtime.policies
    try:
        if asked.action == "validate":
            policies.check(asked.text)
            return done({"success": True, "version": policies.now.version})
        _spare_own(exchange, await _to_be(policies, asked))
        if asked.action == "stage" and not asked.text.strip():
            raise Problem(400, "bad_rules", "give the text of the rules to stage; discard takes back what is staged")
        who = f"{exchange.name or exchange.who} {exchange.client}"
        made = await policies.achange(asked.action, asked.text, who=who, version=asked.version, to=asked.to)
    except Conflict as error:
        raise Problem(409, "version_changed", str(error), members={"version": policies.now.version}) from error
    except SettingsError as error:
        raise Problem(400, "bad_rules", str(error), members={"line": getattr(error, "line", 0)}) from error
    texts = {"enforced": made.enforced, "staged": made.staged}
    exchange.audit(f"rules_{asked.action}", target=f"version {made.version}", version=made.version, **texts)
    return done({"success": True, "version": made.version})


async def _to_be(policies: Policies, asked: Change) -> str:
    """Return the text that a change puts in force; "" if none, or none that is kept."""
    if asked.action not in ("enforce", "rollback"):
        return ""
    history = await policies.ahistory()
    now = history[0] if history else policies.now
    if asked.action == "enforce":
        return asked.text or now.staged
    former = [x.enforced for x in history if x.version == asked.to or (not asked.to and x.enforced != now.enforced)]
    return former[0] if former else ""


def _asked(exchange: Exchange, question: Question) -> Asked:
    body = question.body.encode() if question.body else None
    host = f"host: {exchange.headers.get('host', '')}"  # as most ask; one that is named comes first
    return Asked(question.method, question.path, question.client, [*question.headers, host], body)


def _spare_own(exchange: Exchange, text: str) -> None:
    """Refuse rules that would lock out who sends them."""
    policy = read_policy(text)
    if policy.filter_mode == "enforce" and (
        exchange.client in Networks(policy.deny) or (policy.allow and exchange.client not in Networks(policy.allow))
    ):
        raise Problem(409, "own_address", "this filter refuses your own address, and would lock you out")


def _shown(each: RuleSet) -> dict[str, Any]:
    return {"version": each.version, "act": each.act, "who": each.who, "at": timestamp(each.at) if each.at else None}


async def _standing(exchange: Exchange) -> tuple[Policy, Policy, list[Layer[Any]]]:
    """Return what is enforced, what is staged, and the layers; of an app that is not known, those of the live rules."""
    runtime = exchange.runtime
    live = (await runtime.policies.ahistory() or [runtime.policies.now])[0]
    now, staged = read_policy(live.enforced), read_policy(live.staged)
    front = runtime.front
    if front is None:
        return now, staged, layers_for(now, staged, ipv6_prefix=runtime.settings.ipv6_prefix)
    return now, staged, (await asyncio.to_thread(look, front)).layers  # a layer may read files when it is looked at


def _found(exchange: Exchange, value: dict[str, Any]) -> Answer:
    return found(value, exchange.panels.meta(), exchange.headers.get("if-none-match", ""))
