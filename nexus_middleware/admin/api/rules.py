"""GET and POST /rules."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from ...errors import SettingsError
from ...middleware.policy import read_policy
from ...rules.networks import Networks
from ...services.policies import Conflict, RuleSet
from ..answers import Answer, Problem, done, found
from ..described import says
from ..exchange import Exchange
from ..panels import timestamp
from ..shapes.security import Rules, RulesChanged


class Change(msgspec.Struct):
    """What is asked for: an action, the text of a rules file, the version that was looked at, the one to go back to."""

    action: Literal["validate", "stage", "enforce", "discard", "rollback"]
    text: Annotated[str, msgspec.Meta(max_length=60_000)] = ""
    version: Annotated[int, msgspec.Meta(ge=0)] | None = None
    to: Annotated[int, msgspec.Meta(ge=0)] = 0


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
    return found(value, exchange.panels.meta(), exchange.headers.get("if-none-match", ""))


@says(RulesChanged, body=Change)
async def change(exchange: Exchange) -> Answer:
    """Check rules, or change them in all processes."""
    asked, policies = await exchange.json(Change), exchange.runtime.policies
    try:
        if asked.action == "validate":
            policies.check(asked.text)
            return done({"success": True, "version": policies.now.version})
        if asked.action == "enforce":
            _spare_own(exchange, asked.text or policies.now.staged)
        if asked.action == "stage" and not asked.text.strip():
            raise Problem(400, "bad_rules", "give the text of the rules to stage; discard takes back what is staged")
        who = f"{exchange.who} {exchange.client}"
        made = await policies.achange(asked.action, asked.text, who=who, version=asked.version, to=asked.to)
    except Conflict as error:
        raise Problem(409, "version_changed", str(error), members={"version": policies.now.version}) from error
    except SettingsError as error:
        raise Problem(400, "bad_rules", str(error), members={"line": getattr(error, "line", 0)}) from error
    exchange.audit(f"rules_{asked.action}", version=made.version, enforced=made.enforced, staged=made.staged)
    return done({"success": True, "version": made.version})


def _spare_own(exchange: Exchange, text: str) -> None:
    """Refuse rules that would lock out who sends them."""
    policy = read_policy(text)
    if policy.filter_mode == "enforce" and (
        exchange.client in Networks(policy.deny) or (policy.allow and exchange.client not in Networks(policy.allow))
    ):
        raise Problem(409, "own_address", "this filter refuses your own address, and would lock you out")


def _shown(each: RuleSet) -> dict[str, Any]:
    return {"version": each.version, "act": each.act, "who": each.who, "at": timestamp(each.at) if each.at else None}
