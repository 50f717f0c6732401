"""GET /decisions, /decisions/counts and /requests/{request_id}/decisions, and POST /decisions/key."""

from __future__ import annotations

import time
from typing import Any, Literal, get_args

from ...rules.decisions import LASTS, sign
from ...services.decisions import Sought
from ..answers import Answer, Problem, done, found
from ..described import says
from ..exchange import Exchange
from ..panels import timestamp
from ..shapes import Listing
from ..shapes.security import Key, OneRecord, Record, RuleCount
from . import asked

HOUR = 3_600


Outcome = Literal["", "refused", "would refuse", "passed"]


class Kept(asked.Limit):
    """Which: of all processes, or with `here` all that this one keeps; and from a page's `nextCursor` on."""

    here: asked.Flag = "0"
    outcome: Outcome = ""
    rule: asked.Text = ""
    client: asked.Text = ""
    cursor: asked.Text = ""
    request: asked.Text = ""  # that one alone, wherever it is kept


@says(Listing[Record], query=Kept)
async def read(exchange: Exchange) -> Answer:
    """List refusals of all processes, newest first, by outcome, rule and client; with ?here=1 all that this process keeps."""
    decisions, limit = exchange.runtime.decisions, asked.limit(exchange)
    sought = Sought(**{name: asked.text(exchange, name) for name in ("outcome", "rule", "client", "cursor")})
    if sought.outcome not in get_args(Outcome):
        raise Problem(400, "bad_outcome", "outcome is one of refused, would refuse and passed")
    here = asked.flag(exchange, "here")
    if request_id := asked.text(exchange, "request"):
        one = await decisions.afind(request_id)
        records = [one] if one else []
    else:
        records = decisions.here(limit, sought) if here else await decisions.alatest(limit, sought)
    more = records[-1]["id"] if len(records) == limit else None
    value = {"items": [_shown(x) for x in records], "nextCursor": more, "total": None, "totalExact": False}
    return _found(exchange, value)


@says(Listing[RuleCount], query=asked.Window)
async def counts(exchange: Exchange) -> Answer:
    """Say how often each rule refused, and would have in shadow mode, in ?window=, by whole hours."""
    hours = max(1, asked.window(exchange) // HOUR)
    items = await exchange.runtime.decisions.acounts(hours)
    return _found(exchange, {"items": items, "nextCursor": None, "total": len(items), "totalExact": True})


@says(OneRecord)
async def of_request(exchange: Exchange) -> Answer:
    """Say what each layer decided about one request."""
    record = await exchange.runtime.decisions.afind(exchange.parameter("request_id"))
    if record is None:
        raise Problem(
            404, "not_kept", "no decisions of that request are kept: refusals are for a day, others by sample"
        )
    return _found(exchange, _shown(record))


@says(Key)
async def key(exchange: Exchange) -> Answer:
    """Make a key that opens the header of decisions for ten minutes."""
    token = exchange.runtime.settings.admin_secret
    if not token:
        raise Problem(409, "no_token", "keys are signed with the admin token, and there is none: set NEXUS_ADMIN_TOKEN")
    until = int(time.time()) + LASTS
    exchange.audit("decisions_key", until=until)
    return done({"header": "X-Nexus-Decisions", "key": sign(token, until), "until": timestamp(until)})


def _shown(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "at": timestamp(record["at"])}


def _found(exchange: Exchange, value: dict[str, Any]) -> Answer:
    return found(value, exchange.panels.meta(), exchange.headers.get("if-none-match", ""))
