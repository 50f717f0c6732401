"""GET, POST and DELETE /security/blocked, and GET /security/events."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Any

import msgspec

from ...errors import SettingsError
from ...rules.networks import Networks
from ..answers import Answer, Problem, done, found
from ..described import says
from ..exchange import Exchange
from ..panels import timestamp
from ..shapes import Listing
from ..shapes.security import Blocked, Event, ToAddress
from . import asked

NUMBER = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
V4 = rf"^({NUMBER}\.){{3}}{NUMBER}/(3[0-2]|[12][0-9]|[89])$"  # none so wide that it is refused
V6 = "^([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}/(12[0-8]|1[01][0-9]|[2-9][0-9]|19)$"  # short forms are taken too
FORMS = [{"format": "ipv4"}, {"format": "ipv6"}, {"pattern": V4}, {"pattern": V6}]
Address = Annotated[str, msgspec.Meta(min_length=2, max_length=64, extra_json_schema={"anyOf": FORMS})]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=10 * 366 * 86_400)]


class Block(msgspec.Struct):
    """What is asked for: an address or network, why, and for how many seconds (None: for good)."""

    address: Address
    reason: Annotated[str, msgspec.Meta(max_length=200)] = ""
    lasts: Seconds | None = None


class Unblock(msgspec.Struct):
    """The address or network to let in again."""

    address: Address


class Events(asked.Limit):
    """Which events: of a kind, of a client, and from a page's `nextCursor` on."""

    kind: asked.Text = ""
    client: asked.Text = ""
    cursor: asked.Text = ""


class Let(msgspec.Struct):
    """Which address or network; instead of in the query it may be in a JSON body."""

    address: Address


@says(Listing[Blocked])
async def read(exchange: Exchange) -> Answer:
    """List what is blocked."""
    items = [_shown(block) for block in await exchange.runtime.security.ablocked()]
    value = {"items": items, "nextCursor": None, "total": len(items), "totalExact": True}
    return found(value, exchange.panels.meta(), exchange.headers.get("if-none-match", ""))


@says(Listing[Event], query=Events)
async def events(exchange: Exchange) -> Answer:
    """List what was refused and done, newest first; ?limit= up to 200, ?kind=, ?client=, and ?cursor= of the page before."""
    limit = asked.limit(exchange)
    kind, client, cursor = (asked.text(exchange, name) for name in ("kind", "client", "cursor"))
    noted = await exchange.runtime.security.aevents(limit, kind=kind, client=client, cursor=cursor)
    items = [{**event, "at": timestamp(event["at"])} for event in noted]
    more = items[-1]["id"] if len(items) == limit else None
    value = {"items": items, "nextCursor": more, "total": None, "totalExact": False}
    return found(value, exchange.panels.meta(), exchange.headers.get("if-none-match", ""))


@says(ToAddress, body=Block)
async def block(exchange: Exchange) -> Answer:
    """Block an address or network, but never the one that asks."""
    wish = await exchange.json(Block)
    address = _network(wish.address)
    if exchange.client in Networks([address]):
        raise Problem(409, "own_address", "this holds your own address, and would lock you out")
    try:
        await exchange.runtime.security.ablock(address, reason=wish.reason, lasts=wish.lasts)
    except SettingsError as error:
        raise Problem(400, "bad_address", str(error)) from error
    exchange.audit("block", target=address, reason=wish.reason, lasts=wish.lasts)
    return done({"success": True, "address": address})


@says(ToAddress, query=Let)
async def unblock(exchange: Exchange) -> Answer:
    """Let an address or network in again."""
    given = exchange.query.get("address") or (await exchange.json(Unblock)).address
    address = _network(given)
    await exchange.runtime.security.aunblock(address)
    exchange.audit("unblock", target=address)
    return done({"success": True, "address": address})


def _shown(block: dict[str, Any]) -> dict[str, Any]:
    until = block["until"]
    return {**block, "since": timestamp(block["since"]), "until": None if until is None else timestamp(until)}


def _network(text: str) -> str:
    """Return the address or network in its one canonical form."""
    try:
        network = ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise Problem(400, "bad_address", "give an address or a network, such as 192.0.2.7 or 192.0.2.0/24") from error
    if network.prefixlen == 0:
        raise Problem(409, "everyone", "this would block everyone")
    return str(network.network_address) if network.num_addresses == 1 else str(network)
