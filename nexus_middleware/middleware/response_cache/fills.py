"""What becomes of the app's answers: kept, passed on, or taken as a sign that what was kept is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec

from ...http import FAILED, Head, Reply, Request
from ...rules.caching.conditions import renewed
from ...rules.caching.entry import Entry
from ...rules.caching.invalidation import invalidated
from ...rules.caching.policy import TAGS, CachePolicy, Exchange, admit
from ...stores.commands import Command, Several
from ...stores.pages import Pages
from ...stores.purges import Purge
from ..layer import Tap
from .fetch import Fetch
from .flights import PASS, Flights
from .replies import reply, wants

# what frameworks build links of, or route by, and whoever asks may send: it makes an answer of its own
MIRRORED = frozenset(
    b"x-forwarded-host x-forwarded-proto x-forwarded-scheme x-forwarded-port x-forwarded-prefix x-forwarded-server "
    b"x-forwarded-ssl forwarded x-host x-scheme x-original-host x-original-url x-rewrite-url front-end-https origin "
    b"x-http-method-override x-http-method x-method-override x-script-name".split()
)
FAILURES = frozenset((500, 502, 503, 504))  # RFC 5861, section 4
NONCE = "csp_nonce"  # in `request.notes`: a nonce of this page was read
STORED = (b"cache-status", b"nexus; fwd=uri-miss; stored")  # RFC 9211
SILENT = "it does not say how long it is fresh"
RENEWED = b"nexus; fwd=stale; fwd-status=304"
RESCUED = b"nexus; hit; detail=stale-if-error"


class Fills:
    """Takes copies of answers and keeps them."""

    def __init__(
        self,
        pages: Pages,
        flights: Flights,
        policy: CachePolicy,
        *,
        max_entry: int,
        clock: Callable[[], float],
    ) -> None:
        self._pages, self._flights, self._policy = pages, flights, policy
        self._max_entry, self._clock = max_entry, clock
        targets = [target.encode("latin-1") for target in policy.targets]
        self._speaks = frozenset(
            (b"cache-control", b"expires", *targets, *((b"last-modified",) if policy.heuristic else ()))
        )

    def judge(self, request: Request, fetch: Fetch, head: Head) -> Reply | Tap | None:
        """Decide on the head of an answer: a tap copies it, a reply stands for it."""
        if fetch.size:  # an app that begins anew in the middle of its body: nobody knows what that is
            return self._refuse(fetch, head, "it began a second time")
        entry = fetch.entry
        rule = fetch.rule = fetch.rules.of(request.path)
        said = dict(head.headers)
        if entry is None and (rule is None or rule.ttl is None) and said.keys().isdisjoint(self._speaks):
            return self._refuse(fetch, head, SILENT)
        now = self._clock()
        exchange = self._exchange(request, fetch, head, now)
        if entry is not None and head.status == 304 and fetch.wanted is not None:
            return self._renew(request, fetch, entry, exchange)
        if entry is not None and _rescue(request, entry, head) > now:
            self._flights.land(fetch, None)
            fetch.reason = f"the app failed with {head.status}: the stale answer stands in"
            return reply(entry, fetch.wanted or wants(request), now, RESCUED)
        made = self._unkeepable(request, fetch) or admit(exchange, self._policy)
        if not said.keys().isdisjoint(TAGS):
            head.headers[:] = [pair for pair in head.headers if pair[0] not in TAGS]
        if isinstance(made, str):
            return self._refuse(fetch, head, made)
        head.add(*STORED)
        fetch.draft, fetch.parts = made, []
        return lambda chunk, last: self._copy(request, fetch, chunk, last=last)

    def leave(self, fetch: Fetch) -> Command[None] | None:
        """Free whoever waits still, if the app failed or the client left; store what was renewed."""
        if not fetch.fills:
            return None
        if not fetch.landed:
            fetch.reason = fetch.reason or "the answer did not come to its end"
            self._flights.land(fetch, None)
        return fetch.renewed or self._release(fetch, stored=False)

    def invalidate(self, key: str, request: Request, head: Head) -> Tap | None:
        """Forget what a successful change on the server has made wrong."""
        locations = head.get(b"location"), head.get(b"content-location")
        urls = invalidated(request.method, head.status, key.partition("\n")[0], locations)
        level = self._pages.level
        for url in urls:
            purge = Purge(self._pages.purges.known + 1, "url", url, at=self._clock())
            self._pages.forget(purge) if level is not None else self._pages.apply(purge)
        if not urls or level is None:
            return None
        told = [Several(tuple([level.purge("url", url, soft=False) for url in urls]))]
        return lambda chunk, last: told.pop() if told else None

    def _exchange(self, request: Request, fetch: Fetch, head: Head, now: float) -> Exchange:
        rule, asked = fetch.rule, request.headers
        vary = tuple([name for name, _ in asked if name in MIRRORED])
        plain = Exchange(
            request.method, asked, head.status, head.headers, fetch.sent, now, vary=vary, known=fetch.known
        )
        if rule is None:
            return plain
        personal = rule.key is not None
        return replace(plain, ttl=rule.ttl, vary=vary + fetch.rules.vary[rule.path], tags=rule.tags, personal=personal)

    def _unkeepable(self, request: Request, fetch: Fetch) -> str:
        if NONCE in request.notes:
            return "its page has a nonce in it"
        if fetch.watched is not None and fetch.watched.looked:
            return "the app looked at the request's credentials"
        if fetch.era != self._pages.purges.era:
            return "the store was away meanwhile"
        if len([name for name, _ in request.headers if name == b"host"]) > 1:
            return "the request has several Host lines"
        return ""

    def _refuse(self, fetch: Fetch, head: Head, reason: str) -> Tap | None:
        fetch.reason = reason
        if fetch.entry is not None and head.status < 400:
            self._pages.drop(fetch.key, fetch.entry)
        if not fetch.alone and head.status < 400:
            self._flights.mark(fetch.flight, self._clock() + PASS)
        self._flights.land(fetch, None)
        command = self._release(fetch, stored=False)
        if command is None:
            return None
        told = [command]
        return lambda chunk, last: told.pop() if told else None

    def _copy(self, request: Request, fetch: Fetch, chunk: bytes, *, last: bool) -> Command[None] | None:
        draft = fetch.draft
        if draft is None:
            return None
        fetch.parts.append(bytes(chunk))  # no copy, unless it is a view of what the app will change
        fetch.size += len(chunk)
        if fetch.size > self._max_entry:
            return self._give_up(fetch, f"its body is over {self._max_entry} bytes")
        if not last:
            return None
        if reason := self._unkeepable(request, fetch):
            return self._give_up(fetch, reason)
        whole = msgspec.structs.replace(draft, body=b"".join(fetch.parts), route=request.route)
        return self._keep(fetch, whole)

    def _give_up(self, fetch: Fetch, reason: str) -> Command[None] | None:
        fetch.draft, fetch.parts, fetch.reason = None, [], reason
        if not fetch.alone:
            self._flights.mark(fetch.flight, self._clock() + PASS)
        self._flights.land(fetch, None)
        return self._release(fetch, stored=False)

    def _keep(self, fetch: Fetch, entry: Entry) -> Command[None] | None:
        fetch.draft = None
        if not self._pages.put(fetch.key, entry):
            return self._give_up(fetch, "it was purged while it was fetched")
        self._flights.land(fetch, entry)
        level = self._pages.level
        if level is None or not level.live:
            return None
        kept = level.keep(fetch.key, entry, self._clock())
        release = self._release(fetch, stored=True)
        return Several((kept,)) if release is None else Several((kept, *release.commands))

    def _release(self, fetch: Fetch, *, stored: bool) -> Several | None:
        level = self._pages.level
        if level is None or not fetch.leased:
            return None
        fetch.leased = 0.0
        return Several((level.release(fetch.flight), level.landing(fetch.flight, stored=stored)))

    def _renew(self, request: Request, fetch: Fetch, old: Entry, exchange: Exchange) -> Reply:
        """Answer with what a 304 says is still right."""
        entry, now = renewed(old, exchange, self._policy), exchange.received
        wanted = fetch.wanted or wants(request)
        if entry is None or self._unkeepable(request, fetch):
            self._pages.drop(fetch.key, old)
            self._flights.land(fetch, None)
            fetch.reason = "what the app said of it when it was asked again lets it be kept no longer"
            return reply(old, wanted, now, RENEWED)
        fetch.renewed = self._keep(fetch, entry)
        return reply(entry, wanted, now, RENEWED + b"; stored")


def _rescue(request: Request, entry: Entry, head: Head) -> float:
    """Return until when `entry` may stand in for what the app said, or for its silence."""
    if FAILED in request.notes:
        return entry.down
    return entry.rescue if head.status in FAILURES else 0.0
