"""Run the requests of a log through the limits and the address lists, as the layers do."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from ...http import Pair
from ...middleware.ip_filter import IPFilter
from ...middleware.limits import Quota
from ...middleware.policy import Policy
from ...middleware.rate_limit import RateLimit
from ...rules.accesslog import Visit
from ...rules.networks import IPV6_PREFIX
from ...stores.memory import MemoryStore

CALLERS = 5_000_000  # more than a log has, so that nobody is forgotten


class Replay:
    """What would have become of each request.

    Args:
        policy: The rules to try.
        ipv6_prefix: An IPv6 caller is its network of so many bits.
        keep_times: Note when each caller called, for `proposals`; 8 bytes a request and limit.
    """

    def __init__(self, policy: Policy, *, ipv6_prefix: int = IPV6_PREFIX, keep_times: bool = True) -> None:
        self.now = 0.0
        self.visits = self.filtered = 0
        self.refused: Counter[str] = Counter()  # by the name of a limit
        self.would: Counter[str] = Counter()  # the same, of limits in shadow
        self.counted: Counter[str] = Counter()
        self.clients: Counter[str] = Counter()
        self.refused_clients: Counter[str] = Counter()
        self.refused_then: Counter[str] = Counter()  # what the log itself says was refused
        self.by_time: Counter[int] = Counter()  # refusals by the minute
        self.times: dict[str, dict[str, list[float]]] = defaultdict(dict)  # by limit, by caller
        self.quotas: dict[str, Quota] = {}
        self._keep_times = keep_times
        self._store = MemoryStore(clock=lambda: self.now, max_callers=CALLERS)
        self._filter = IPFilter(_nobody, allow=policy.allow, deny=policy.deny, mode=policy.filter_mode)
        # with a store of our own, whatever the strategy, so that the clock is the log's
        self._limit = RateLimit(
            _nobody, policy.limits, strategy=policy.strategy, store=self._store, ipv6_prefix=ipv6_prefix
        )

    def run(self, visits: Iterable[Visit]) -> None:
        """Decide about each request, in the order in which they came."""
        for visit in visits:
            self._one(visit)

    def _one(self, visit: Visit) -> None:
        self.now = max(self.now, visit.at)
        self.visits += 1
        self.clients[visit.client] += 1
        if visit.status == 429:
            self.refused_then[visit.client] += 1
        request: Any = _Request(visit)
        if self._filter.mode != "off" and self._filter.before(request, None) is not None:
            if self._filter.mode == "enforce":
                self.filtered += 1
                self._refuse(visit)
                return
            self.would["filter"] += 1
        if self._limits(request, visit):
            self._refuse(visit)

    def _limits(self, request: Any, visit: Visit) -> bool:
        """Count the request; whether it is refused."""
        asked: Any = self._limit.ask(request)
        if asked is None:
            return False
        reply = self._limit.before(request, self._store.run([asked])[0])
        for quota, (key, _), said in request.notes[self._limit].all():
            self._note(quota, key, refused=not said.allowed, shadow=quota in request.notes[self._limit].watched)
        if "done" in self._limit.steps and (back := self._limit.done(request, visit.status)) is not None:
            self._store.run([back])
        return reply is not None and self._limit.enforces(request)

    def _note(self, quota: Quota, key: str, *, refused: bool, shadow: bool) -> None:
        self.counted[quota.name] += 1
        if refused:
            (self.would if shadow else self.refused)[quota.name] += 1
        if self._keep_times:
            self.quotas[quota.name] = quota
            self.times[quota.name].setdefault(key, []).append(self.now)

    def _refuse(self, visit: Visit) -> None:
        self.refused_clients[visit.client] += 1
        self.by_time[int(visit.at // 60)] += 1


class _Request:
    """A line of the log, as the layers' steps see a request."""

    __slots__ = ("_agent", "client", "method", "notes", "path")

    again = False
    request_id = mount = route = ""
    scheme, query, body = "https", b"", None

    def __init__(self, visit: Visit) -> None:
        self.client, self.method, self.path = visit.client, visit.method, visit.path
        self._agent = visit.agent
        self.notes: dict[Any, Any] = {"api_key": visit.user, "user": visit.user} if visit.user else {}

    @property
    def headers(self) -> list[Pair]:
        return [(b"user-agent", self._agent.encode("latin-1", "replace"))] if self._agent else []

    def header(self, name: bytes) -> bytes | None:
        return dict(self.headers).get(name)


async def _nobody(*_: Any) -> None: ...
