"""The steps of `ResponseCache`: hits and what goes by the cache; the rest is in `misses` and `fills`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from ...http import App, Head, Reply, Request
from ...rules.caching.entry import Entry
from ...rules.caching.invalidation import SAFE
from ...rules.caching.policy import CachePolicy
from ...stores.base import Store
from ...stores.commands import Command
from ...stores.level import Level
from ...stores.pages import LARGEST, Page, Pages
from ..layer import Layer, Tap
from .directives import asked, satisfied
from .fetch import Fetch
from .fills import Fills
from .keys import Keys
from .misses import Misses, open_to
from .options import CacheRule, Rules
from .replies import WISHES, hit
from .strict import carries

READS = frozenset(("GET", "HEAD"))
WEB = frozenset(("http", "https"))
CONDITIONS = (b"authorization", b"if-none-match", b"if-modified-since", b"range", b"if-match", b"if-unmodified-since")


class ResponseCache(Layer[Any]):
    """A shared cache (RFC 9111) of answers that say how long they are fresh, or that a rule says it of.

    Nothing is stored that sets a cookie, that is private, that came of a Cookie or an API key, or whose page has a
    nonce in it; nothing that came of Authorization, unless it says that it is for all. Two levels: entries in this
    process, bounded by bytes, over the store, which is asked when this one has none. While one request runs the app
    for a page, the others for the same page wait for it, in all workers.

    >>> async def app(scope, receive, send): ...
    >>> cached = ResponseCache(app, rules=[CacheRule("/courses/*", ttl=60, tags=("courses",))])

    Args:
        app: What is cached.
        store: The level that all workers share; "memory://" has this process's level alone.
        rules: For paths; the first that fits holds.
        max_bytes: Of all entries in this process.
        max_entry: Bytes of a body; a longer one is passed on and not stored.
        policy: What is allowed beyond the safe defaults.
        pages: This process's level, to share it with others; `max_bytes` is its own then.
        clock: Seconds since the epoch.

    Raises:
        SettingsError: a rule does not fit, or would keep one caller's answer for all.
    """

    def __init__(
        self,
        app: App,
        *,
        store: Store | str = "memory://",
        rules: Sequence[CacheRule] = (),
        max_bytes: int = LARGEST,
        max_entry: int = 2**20,
        policy: CachePolicy | None = None,
        pages: Pages | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(app, store=store)
        self._policy = policy = policy or CachePolicy()
        self._whose = frozenset((b"x-api-key",) if policy.cookies else (b"x-api-key", b"cookie"))
        directed = (b"cache-control", b"pragma") if policy.directives else ()
        self._wishes = WISHES | self._whose | {b"authorization", *directed}  # without these, all are answered alike
        self.pages = Pages(max_bytes) if pages is None else pages
        self._rules, self._keys, self._clock = Rules(rules), Keys(policy), clock
        if self.store is not None and self.store.waits:
            self.pages.level = self.pages.level or Level(self.store, self.pages)
        else:
            self.steps = type(self).steps - {"ask"}  # there is nobody to ask: `before` looks itself
        self._misses = Misses(self.pages, policy, clock)
        self._flights = self._misses.flights
        self._fills = Fills(self.pages, self._flights, policy, max_entry=max_entry, clock=clock)

    def prepare(self, rules: Sequence[CacheRule]) -> Callable[[], None]:
        """Compile other rules; return what puts them in the place of those that hold. Stored answers keep their time."""
        made = Rules(rules)

        def swap() -> None:
            self._rules = made
            self._flights.unmark()

        return swap

    @property
    def rules(self) -> list[CacheRule]:
        """The rules that hold now."""
        return self._rules.all

    def rule_for(self, path: str) -> CacheRule | None:
        """Return the rule that holds for a path, if there is one."""
        return self._rules.of(path)

    def ask(self, request: Request) -> Command[Any] | None:
        level = self.pages.level
        if level is None or (key := self._key(request)) is None:
            return None
        page, now, joining = self.pages.get(key), self._clock(), level.attach()
        if page is not None and page.only and now < page.until and request.lacks(self._wishes):
            return None
        request.notes[self] = fetch = Fetch(key, self._flight(request, key), self._rules)
        entry = None if page is None else page.find(request)
        if joining is not None or not level.live or (entry is not None and entry.fresh > now):
            return None
        if page is None and self._flights.marked(self._flight(request, key), now):
            return None
        fetch.names = () if page is None else page.names
        return level.question(key, fetch.names, request.headers)

    def before(self, request: Request, answer: Any) -> Any:
        notes = request.notes
        fetch: Fetch | None = notes.get(self)
        if fetch is None:
            plain = request.method == "GET" and request.lacks(self._wishes)
            if plain and not self._rules.keyed and "api_key" not in notes and request.scheme in WEB:
                key: str | None = self._keys.of(request)  # as `_key` does, a call less
            else:
                key = self._key(request)
            if key is None:
                return None
            page, now = self.pages.get(key), self._clock()
            if plain and page is not None and page.only and now < page.until:
                self.pages.hits += 1
                if page.route:
                    notes["route"] = page.route
                return page.made
            return self._serve(request, key, page, now)
        if fetch.steps is not None:
            return _go_on(fetch, answer)
        if "api_key" in notes and not self._named(request):
            del notes[self]
            return None
        if answer is not None:
            self._misses.take(request, fetch, answer)
        return self._serve(request, fetch.key, self.pages.get(fetch.key), self._clock(), fetch)

    def _serve(self, request: Request, key: str, page: Page | None, now: float, fetch: Fetch | None = None) -> Any:
        entry = None
        if page is not None:
            entry = page.find(request)
            if entry is not None and not (entry.public or open_to(request, entry)):
                entry = None
            elif entry is not None and self._may(request, entry, now):
                self.pages.hits += 1
                if entry.route:
                    request.notes["route"] = entry.route
                return hit(request, page, entry, now)
        elif self._flights.marked(self._flight(request, key), now):
            self.pages.misses += 1
            request.notes.pop(self, None)
            return None
        if request.method == "HEAD" and (entry is None or entry.stale <= now):
            request.notes.pop(self, None)
            return None
        fetch = fetch or Fetch(key, self._flight(request, key), self._rules)
        request.notes[self] = fetch
        fetch.entry, fetch.alone = entry, self._alone(request, entry)
        if self._misses.lead(request, fetch):
            return None
        fetch.steps = self._misses.steps(request, fetch)
        return _go_on(fetch, None)

    def after(self, request: Request, head: Head) -> Reply | Tap | None:
        fetch: Fetch | None = request.notes.get(self)
        if fetch is not None:
            return self._fills.judge(request, fetch, head) if fetch.fills else None
        if request.method in SAFE or request.scheme not in WEB:
            return None
        return self._fills.invalidate(self._keys.of(request), request, head)

    def done(self, request: Request, status: int) -> Command[Any] | None:
        fetch: Fetch | None = request.notes.get(self)
        return None if fetch is None else self._fills.leave(fetch)

    def why(self, request: Request) -> str:
        fetch: Fetch | None = request.notes.get(self)
        if fetch is not None:
            return fetch.reason or ("fetched and stored" if fetch.fills else "a stored answer")
        if request.method not in READS:
            return "neither GET nor HEAD"
        if self._key(request) is None:
            return "the request says whose it is, by a Cookie or an API key"
        return "a stored answer, or one of a kind that could not be stored a moment ago"

    def _key(self, request: Request) -> str | None:
        if request.method not in READS or request.scheme not in WEB:
            return None
        if self._rules.keyed and (rule := self._rules.of(request.path)) is not None and rule.key is not None:
            whose = rule.key(request)
            return None if whose is None else self._keys.of(request, whose)
        if "api_key" in request.notes or not request.lacks(self._whose):
            return None
        return self._keys.of(request)

    def _flight(self, request: Request, key: str) -> str:
        """Return for what a request waits: under `strict`, those with credentials do not keep the others' from a copy."""
        return f"{key}\nwith credentials" if self._policy.strict and carries(request) else key

    def _named(self, request: Request) -> bool:
        """Whether a rule says whose the answer is."""
        return self._rules.keyed and (rule := self._rules.of(request.path)) is not None and rule.key is not None

    def _may(self, request: Request, entry: Entry, now: float) -> bool:
        """Whether `entry` answers the request as it is."""
        said = asked(request) if self._policy.directives else None
        return satisfied(said, entry, now) if said else entry.fresh > now

    def _alone(self, request: Request, entry: Entry | None) -> bool:
        """Whether nobody shall wait for what the app says to this request: it may be about this request alone."""
        if entry is not None and not entry.fresh:
            return True  # it is asked for every time
        if self._policy.directives and asked(request):
            return True
        header = request.header
        names = CONDITIONS if entry is None else CONDITIONS[:1]  # the app is asked our conditions, not the client's
        return any(header(name) is not None for name in names) and not self._named(request)


def _go_on(fetch: Fetch, outcome: Any) -> Any:
    steps = fetch.steps
    try:
        return steps.send(outcome)  # type: ignore[union-attr]  # only called while there are some
    except StopIteration as stop:
        fetch.steps = None
        return stop.value
