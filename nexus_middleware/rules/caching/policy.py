"""What a shared cache may keep and for how long (RFC 9111, sections 3 and 4.2; RFC 5861; RFC 9213), parsed once."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import SettingsError
from ...http import Pair
from . import fields, vary
from .entry import Entry, Pairs, Selected

HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-connection proxy-authenticate proxy-authentication-info proxy-authorization "
    b"te trailer transfer-encoding upgrade content-length age cache-status".split()
)
TAGS = (b"cache-tag", b"surrogate-key")  # named for purges; for this cache alone, so they go no further
HEURISTIC = frozenset((200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501))  # RFC 9110, section 15.1
LASTING = frozenset((200, 203, 204, 300, 301, 308))  # those of them that are neither an error nor soon another
UNKEPT = frozenset((206, 304))  # neither is an answer of its own
UNDERSTOOD = frozenset((*HEURISTIC, 201, 202, 302, 303, 307, 400, 401, 403, 406, 408, 409, 415, 500, 502, 503, 504))
TARGETED = b" targeted"  # among the directives: they are a targeted field's, so that Expires says nothing (RFC 9213)
SHARE = 0.1  # of the time since Last-Modified (RFC 9111, section 4.2.2)
DAY = 86_400.0
VALIDATED_FOR = 3_600.0  # seconds that a stale entry is kept to be asked after


@dataclass(frozen=True, kw_only=True)
class CachePolicy:
    """What `ResponseCache` may do beyond, or short of, its safe defaults.

    Args:
        heuristic: Keep what tells only its Last-Modified, for a tenth of the time since (RFC 9111, section 4.2.2).
        cookies: Answer requests that carry a Cookie as if they did not: for sites whose pages are alike for all.
        set_cookie: Keep answers that set a cookie, and set it for all who get them.
        directives: Obey no-cache, max-age, min-fresh, max-stale and only-if-cached of requests, by which any caller
            may make the app run.
        stale_if_error: Seconds that a stale answer stands in where the app fails, if the answer neither says how long
            (RFC 5861) nor forbids it.
        stale_if_down: The same where the app gives no answer at all: it raised before it had begun one. A cache may
            do so unasked (RFC 9111, section 4.2.4); 0 for never.
        strict: Keep no answer to a request whose Cookie or Authorization the app looked at while it answered. WSGI
            lets nobody watch that: there, such a request's answer is not kept at all.
        targets: Response fields that stand above Cache-Control, the first that is there (RFC 9213).
        ignore_query: Names of query parameters that make no other page, with * at the end: "utm_*".
        sort_query: Take the same parameters in another order as the same page.
    """

    heuristic: bool = False
    cookies: bool = False
    set_cookie: bool = False
    directives: bool = False
    stale_if_error: float = 0.0
    stale_if_down: float = 60.0
    strict: bool = False
    targets: tuple[str, ...] = ("cdn-cache-control",)
    ignore_query: tuple[str, ...] = ()
    sort_query: bool = False

    def __post_init__(self) -> None:
        for name in self.ignore_query:
            if not name or "*" in name[:-1]:
                raise SettingsError(f"ignore_query: {name!r} must be a name, with * only at its end, as in 'utm_*'")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, the head of its response, and when that was."""

    method: str
    asked: list[Pair]  # the request's headers
    status: int
    headers: list[Pair]  # the response's, names in lower case
    sent: float  # when the app was asked, in seconds since the epoch
    received: float
    ttl: float | None = None  # seconds, for an answer that is no error and says nothing of its freshness
    vary: tuple[bytes, ...] = ()  # headers that make another answer even if it does not say so
    tags: tuple[str, ...] = ()
    personal: bool = False  # a rule's key says whose it is, so that Cookie and Authorization are in order
    known: int = 0


def admit(exchange: Exchange, policy: CachePolicy) -> Entry | str:
    """Return the entry that a response makes, without its body, or why it may not be kept.

    Args:
        exchange: What was asked and answered.
        policy: What is allowed beyond the safe defaults.
    """
    said = _fields(exchange.headers)
    control = _control(said, policy)
    refusal = _refusal(exchange, said, control, policy)
    if refusal:
        return refusal
    named = vary.names(said.get(b"vary", b""))
    if named is None:
        return "it varies by everything"
    lifetime = _lifetime(exchange, said, control, policy)
    if lifetime is None:
        return "it does not say how long it is fresh"
    selected = vary.select({*named, *exchange.vary}, exchange.asked)
    grace = _grace(control, policy)
    return _useful(_entry(exchange, said, control, (lifetime, *grace), selected), exchange.received)


def _useful(entry: Entry, now: float) -> Entry | str:
    if entry.kept > now and (entry.validated or max(entry.fresh, entry.stale, entry.rescue) > now):
        return entry
    return "it is stale at once"


def _fields(headers: list[Pair]) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        found[name] = found[name] + b", " + value if name in found else value
    return found


def _control(said: dict[bytes, bytes], policy: CachePolicy) -> dict[bytes, bytes]:
    """Return the directives that hold: of the first valid targeted field, else of Cache-Control."""
    for target in policy.targets:
        value = said.get(target.encode("latin-1"))
        if value is not None and (found := fields.targeted(value)) is not None:
            return {**found, TARGETED: b""}
    return fields.directives(said.get(b"cache-control", b""))


def _refusal(
    exchange: Exchange, said: dict[bytes, bytes], control: dict[bytes, bytes], policy: CachePolicy
) -> str | None:
    if exchange.status in UNKEPT or exchange.status < 200:
        return f"a {exchange.status} is no answer of its own"
    if b"must-understand" in control:
        if exchange.status not in UNDERSTOOD:
            return "its status must be understood to be kept"
    elif b"no-store" in control:
        return "it says no-store"
    if b"private" in control and not control[b"private"]:
        return "it says private"
    if b"set-cookie" in said and not policy.set_cookie:
        return "it sets a cookie"
    return _asked_refusal(exchange, control)


def _asked_refusal(exchange: Exchange, control: dict[bytes, bytes]) -> str | None:
    for name, value in exchange.asked:
        if name == b"cache-control" and b"no-store" in fields.directives(value):
            return "the request says no-store"
        if name == b"authorization" and not exchange.personal and not _shared(control):
            return "it was asked for with Authorization, and does not say that it is for all"
    return None


def _shared(control: dict[bytes, bytes]) -> bool:
    return not control.keys().isdisjoint((b"public", b"s-maxage", b"must-revalidate"))


def _lifetime(
    exchange: Exchange, said: dict[bytes, bytes], control: dict[bytes, bytes], policy: CachePolicy
) -> float | None:
    """Return the seconds that it is fresh; None if it may not be kept for want of any."""
    for name in (b"s-maxage", b"max-age"):
        if name in control:
            return fields.seconds(control[name])
    date = _date(said, exchange.received)
    if TARGETED not in control:
        if b"expires" in said:
            return max(0.0, (fields.date(said[b"expires"]) or 0.0) - date)
        if exchange.ttl is not None and b"cache-control" not in said and exchange.status in LASTING:
            return exchange.ttl
    if policy.heuristic and (exchange.status in HEURISTIC or b"public" in control):
        modified = fields.date(said.get(b"last-modified", b""))
        if modified is not None and b"no-cache" not in control:
            return min(DAY, max(0.0, (date - modified) * SHARE))
    return 0.0 if control.keys() & {b"no-cache", b"stale-while-revalidate", b"stale-if-error"} else None


def _date(said: dict[bytes, bytes], received: float) -> float:
    date = fields.date(said.get(b"date", b""))
    return received if date is None else date


def _entry(
    exchange: Exchange,
    said: dict[bytes, bytes],
    control: dict[bytes, bytes],
    times: tuple[float, float, float, float],
    selected: Selected,
) -> Entry:
    asks = b"no-cache" in control and not control[b"no-cache"]
    born = exchange.received - _initial_age(exchange, said)
    fresh = born + times[0]
    stale, rescue, down = [fresh + grace for grace in times[1:]]
    etag, modified = said.get(b"etag", b""), said.get(b"last-modified", b"")
    kept = max(fresh, stale, rescue, down)
    if etag or modified:
        kept = max(kept, exchange.received) + VALIDATED_FOR
    return Entry(
        exchange.status,
        storable(exchange.headers, said, control),
        b"",
        born,
        0.0 if asks else fresh,
        0.0 if asks else stale,
        0.0 if asks else rescue,
        kept,
        selected,
        etag,
        modified,
        exchange.personal or _shared(control),
        _tags(said, exchange.tags),
        exchange.known,
        down=0.0 if asks else down,
    )


def _grace(control: dict[bytes, bytes], policy: CachePolicy) -> tuple[float, float, float]:
    """Return for how many seconds a stale answer may be given.

    While it is fetched anew, where the app fails, and where it gives no answer at all.
    """
    if not control.keys().isdisjoint((b"must-revalidate", b"proxy-revalidate", b"no-cache")):
        return 0.0, 0.0, 0.0
    # s-maxage forbids both too, unless the answer says how long: one that says it means shared caches, as this one
    while_fetched = fields.seconds(control.get(b"stale-while-revalidate", b""))
    if b"stale-if-error" in control:
        said = fields.seconds(control[b"stale-if-error"])
        return while_fetched, said, said
    if b"s-maxage" in control:
        return while_fetched, 0.0, 0.0
    return while_fetched, policy.stale_if_error, max(policy.stale_if_error, policy.stale_if_down)


def _initial_age(exchange: Exchange, said: dict[bytes, bytes]) -> float:
    """Return the age that it came with (RFC 9111, section 4.2.3)."""
    date = fields.date(said.get(b"date", b""))
    apparent = 0.0 if date is None else max(0.0, float(int(exchange.received)) - date)
    return max(apparent, fields.age(said.get(b"age", b"")) + exchange.received - exchange.sent)


def storable(headers: list[Pair], said: dict[bytes, bytes], control: dict[bytes, bytes]) -> Pairs:
    """Return the lines that are kept: not those of one connection (section 3.1), nor those that directives except."""
    listed = (said.get(b"connection", b""), control.get(b"no-cache", b""), control.get(b"private", b""))
    own = {name.lower() for value in listed for name in fields.members(value)}
    return tuple([pair for pair in headers if pair[0] not in HOP_BY_HOP and pair[0] not in TAGS and pair[0] not in own])


def _tags(said: dict[bytes, bytes], more: tuple[str, ...]) -> tuple[str, ...]:
    values = [said[name].replace(b",", b" ") for name in TAGS if name in said]
    own = [tag.decode("latin-1") for value in values for tag in value.split()]
    return tuple(dict.fromkeys([*own, *more]))
