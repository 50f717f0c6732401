"""What is done before the app runs for a page: wait for whoever runs it already, here or in another worker."""

from __future__ import annotations

from collections.abc import Callable

from ...http import Reply, Request, problem
from ...rules.caching.conditions import questions
from ...rules.caching.entry import Entry
from ...rules.caching.policy import CachePolicy
from ...rules.caching.vary import fits
from ...stores.pages import Pages
from .directives import asked
from .fetch import Fetch, Steps
from .flights import Flights
from .replies import reply, wants
from .strict import watch

TRIES = 3  # flights that a request waits for before it goes on by itself
OURS = (b"if-none-match", b"if-modified-since", b"if-match", b"if-unmodified-since", b"if-range", b"range")
STALE = b"nexus; hit; detail=stale"  # RFC 9211
SKEW = 5.0  # seconds by which the clocks of two machines may differ; an answer from later than that is not believed
SHARED = b"nexus; fwd=uri-miss; collapsed"


class Misses:
    """Sees to it that the app runs once for all who ask for the same."""

    def __init__(self, pages: Pages, policy: CachePolicy, clock: Callable[[], float]) -> None:
        self.flights = Flights()
        self._pages, self._policy, self._clock = pages, policy, clock

    def lead(self, request: Request, fetch: Fetch) -> bool:
        """Let the request run the app at once, where there is nobody to wait for."""
        if self._pages.level is not None or fetch.entry is not None or self._policy.directives:
            return False
        if not fetch.alone and self.flights.lead(fetch) is not fetch:
            return False
        self._run(request, fetch)
        return True

    def steps(self, request: Request, fetch: Fetch) -> Steps:
        """Yield what must be waited for; return the answer, or None to run the app."""
        ended = False
        try:
            answer = yield from self._steps(request, fetch)
            ended = True
            return answer
        finally:
            if not ended:  # the client left while it waited
                self.flights.land(fetch, None)

    def take(self, request: Request, fetch: Fetch, told: list[bytes | None]) -> Entry | None:
        """Take what the shared level told into this process's; return the entry."""
        level = self._pages.level
        if level is None:
            return None
        entry, fetch.names = level.read(fetch.key, told, request.headers)
        if entry is None or entry.born > self._clock() + SKEW or not self._pages.put(fetch.key, entry):
            return None
        return entry

    def _steps(self, request: Request, fetch: Fetch) -> Steps:
        level = self._pages.level
        if level is not None and (joining := level.attach()) is not None:
            yield joining
            if (reply := (yield from self._look(request, fetch))) is not None:
                return reply
        entry, now = fetch.entry, self._clock()
        if entry is not None and entry.stale > now and not request.again and not asked_anew(request, self._policy):
            self._pages.hits += 1
            return reply_stale(request, entry, now, again=fetch.flight not in self.flights)
        if self._policy.directives and b"only-if-cached" in asked(request):
            return problem(request, 504, "There is no stored answer.")
        if not fetch.alone and (answer := (yield from self._join(request, fetch))) is not None:
            return answer
        self._run(request, fetch)
        return None

    def _look(self, request: Request, fetch: Fetch) -> Steps:
        """Ask the shared level, which could not be asked on the way in."""
        level = self._pages.level
        if level is None or not level.live:
            return None
        told = (yield [level.question(fetch.key, fetch.names, request.headers)])[0]
        return self._fresh(request, fetch, told)

    def _fresh(self, request: Request, fetch: Fetch, told: list[bytes | None] | None) -> Reply | None:
        entry, now = None if told is None else self.take(request, fetch, told), self._clock()
        if entry is None or not open_to(request, entry):
            return None
        fetch.entry = entry
        if entry.fresh <= now or asked_anew(request, self._policy):
            return None
        self._pages.hits += 1
        return reply(entry, wants(request), now, b"nexus; hit")

    def _join(self, request: Request, fetch: Fetch) -> Steps:
        """Wait for the flight that is on its way, or lead the next one."""
        for _ in range(TRIES):
            leader = self.flights.lead(fetch)
            if leader is fetch:
                return (yield from self._claim(request, fetch))
            if request.again:
                return Reply(204)
            landed: Entry | None = yield self.flights.wait(leader)
            now = self._clock()
            if landed is not None and max(landed.fresh, landed.stale) > now and fits(landed, request.headers):
                self._pages.hits += 1
                return reply(landed, wants(request), now, SHARED)
            if not leader.landed or self.flights.marked(fetch.flight, now):
                break  # it takes too long, as behind a client who reads slowly, or it cannot be kept
        fetch.alone = True
        return None

    def _claim(self, request: Request, fetch: Fetch) -> Steps:
        """Take the lease that lets this worker run the app, or wait for the worker that has it."""
        level, flight = self._pages.level, fetch.flight
        for _ in range(TRIES):
            if level is None or not level.live:
                return None
            future = level.expect(flight)  # before the question, so that no answer comes in between
            taken, told = yield [level.lease(flight), level.question(fetch.key, fetch.names, request.headers)]
            fetch.leased = self._clock() if taken else 0.0
            answer = yield from self._told(request, fetch, told)
            if answer is not None or taken is not False:
                level.forget_wait(flight)
                return answer
            if request.again:
                self.flights.land(fetch, None)
                return Reply(204)
            if (yield future) is False:
                return None  # it cannot be kept: nobody need wait
        return None

    def _told(self, request: Request, fetch: Fetch, told: list[bytes | None] | None) -> Steps:
        level, named = self._pages.level, fetch.names
        answer = self._fresh(request, fetch, told)
        if answer is None and fetch.names != named and level is not None:  # it varies by what was not known
            told = (yield [level.question(fetch.key, fetch.names, request.headers)])[0]
            answer = self._fresh(request, fetch, told)
        if answer is not None:
            self.flights.land(fetch, fetch.entry)
            if fetch.leased and level is not None:
                fetch.leased = 0.0
                yield [level.release(fetch.flight)]
        return answer

    def _run(self, request: Request, fetch: Fetch) -> None:
        """Prepare the app's run: it is asked whether the stale entry still holds."""
        self._pages.misses += 1
        fetch.fills, fetch.sent = True, self._clock()
        fetch.known, fetch.era = self._pages.purges.known, self._pages.purges.era
        entry = fetch.entry
        if entry is not None and entry.validated and request.method == "GET":
            fetch.wanted = wants(request)
            asked = questions(entry)
            for name in OURS:
                if name in asked or request.header(name) is not None:
                    request.set(name, asked.get(name))
        if self._policy.strict:
            fetch.watched = watch(request)


def open_to(request: Request, entry: Entry) -> bool:
    """Whether a request with its credentials may be answered with `entry` (RFC 9111, section 3.5)."""
    return entry.public or request.header(b"authorization") is None


def asked_anew(request: Request, policy: CachePolicy) -> bool:
    """Whether the request insists on a fresh answer, and is obeyed."""
    return policy.directives and bool(asked(request))


def reply_stale(request: Request, entry: Entry, now: float, *, again: bool) -> Reply:
    """Return the answer of a stale entry, which is fetched anew behind it if `again`."""
    return reply(entry, wants(request), now, STALE, again=again)
