"""Makes clients of the server that a URL names: the one it says, or the master that Sentinels or a cluster name now."""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import urlsplit

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from ..errors import SettingsError
from . import finding, timely
from .wire import HALVES

SCHEMES = {"valkey": "redis", "valkeys": "rediss"}
WIRE: dict[str, Any] = {"protocol": 2, "encoding_errors": HALVES}
ONE_TRIP: dict[str, Any] = {**WIRE, "driver_info": None}  # three trips less at connecting


class Dialler(Protocol):
    """Makes clients, which connect when first used. `timeout` is in seconds, None for ever."""

    def thread(self, *, timeout: float | None) -> redis.Redis: ...
    def loop(self) -> redis.asyncio.Redis: ...


def dialler(url: str, prefix: str, budget: float) -> Dialler:
    """Return what makes clients of the server that `url` names.

    Args:
        url: As `RedisStore` takes it.
        prefix: What every key begins with; in a cluster its braces say which server has them.
        budget: Seconds that connecting may take.

    Raises:
        SettingsError: the URL cannot be read.
    """
    scheme, _, rest = url.partition("://")
    kind, _, way = scheme.partition("+")
    if not way:
        return OneServer(f"{SCHEMES.get(kind, kind)}://{rest}", budget)
    hosts, service, options = read(url)
    if way == "cluster":
        return Found(finding.Finder(hosts, finding.OfSlot(prefix), options, budget), {**options, "db": 0}, budget)
    theirs = {**options, **{name: options.pop(f"sentinel_{name}", None) for name in ("username", "password")}}
    theirs = {name: value for name, value in theirs.items() if not name.startswith("sentinel_") and name != "db"}
    return Found(finding.Finder(hosts, finding.OfService(service), theirs, budget), options, budget)


class OneServer:
    """Clients of the server at `url`, which redis-py can read."""

    def __init__(self, url: str, budget: float) -> None:
        try:
            redis.connection.parse_url(url)  # type: ignore[no-untyped-call]
        except ValueError as error:
            raise SettingsError(f"the store's URL cannot be read: {error}") from error
        self._url, self._budget = url, budget

    def thread(self, *, timeout: float | None) -> redis.Redis:
        """Return a client for threads."""
        client = redis.Redis.from_url(
            self._url,
            socket_timeout=timeout,
            socket_connect_timeout=self._budget if timeout is None else timeout,
            retry=Retry(NoBackoff(), 0),  # a time-out must not be paid twice
            **ONE_TRIP,
        )
        pool = client.connection_pool
        pool.connection_class = timely.connection(pool.connection_class)
        return client

    def loop(self) -> redis.asyncio.Redis:
        """Return a client for the running event loop, which keeps the time itself."""
        return redis.asyncio.Redis.from_url(self._url, socket_timeout=None, retry=AsyncRetry(NoBackoff(), 0), **WIRE)


class Found:
    """Clients of the server that `finder` finds, anew at each connecting."""

    def __init__(self, finder: finding.Finder, options: dict[str, Any], budget: float) -> None:
        self._finder, self._options, self._budget = finder, options, budget
        self._tls = options.pop("ssl", False)

    def thread(self, *, timeout: float | None) -> redis.Redis:
        """Return a client for threads."""
        pool: Any = finding.Pool(  # type: ignore[no-untyped-call]
            self._finder.name,
            self._finder,
            connection_class=timely.connection(finding.TLSLine if self._tls else finding.Line),
            socket_timeout=timeout,
            socket_connect_timeout=self._budget if timeout is None else timeout,
            retry=Retry(NoBackoff(), 0),
            **ONE_TRIP,
            **self._options,
        )
        return redis.Redis.from_pool(pool)

    def loop(self) -> redis.asyncio.Redis:
        """Return a client for the running event loop."""
        pool: Any = finding.AsyncPool(  # type: ignore[no-untyped-call]
            self._finder.name,
            finding.AsyncFinder(self._finder),
            connection_class=finding.AsyncTLSLine if self._tls else finding.AsyncLine,
            socket_timeout=None,
            retry=AsyncRetry(NoBackoff(), 0),
            **WIRE,
            **self._options,
        )
        return redis.asyncio.Redis.from_pool(pool)


def read(url: str) -> tuple[list[tuple[str, int]], str, dict[str, Any]]:
    """Return the hosts, the service and the options of a URL that names several hosts.

    >>> read("rediss+sentinel://ann:secret@a:1,[::1]/main/2?ssl_ca_certs=ca.pem")
    ([('a', 1), ('::1', 26379)], 'main', {'ssl_ca_certs': 'ca.pem', 'username': 'ann', 'password': 'secret', 'db': 2, 'ssl': True})

    Raises:
        SettingsError: it cannot be read.
    """
    scheme, _, rest = url.partition("://")
    kind, _, way = scheme.partition("+")
    place, _, query = rest.partition("?")
    place, _, path = place.partition("/")
    who, at, hosts = place.rpartition("@")
    parts = [part for part in path.split("/") if part]
    service, db = (parts.pop(0) if parts and way == "sentinel" else ""), (parts.pop(0) if parts else "0")
    try:
        options: dict[str, Any] = redis.connection.parse_url(f"{kind}://{who}{at}host/{db}?{query}")  # type: ignore[no-untyped-call]
        found = [_host(each, 26379 if way == "sentinel" else 6379) for each in hosts.split(",")]
    except ValueError as error:
        raise SettingsError(f"the store's URL cannot be read: {error}") from error
    if parts or not db.isdecimal() or (way == "sentinel") != bool(service) or (way == "cluster" and int(db)):
        wanted = {"sentinel": "host:26379,host:26379/service/db", "cluster": "host:6379,host:6379"}[way]
        raise SettingsError(f"the store's URL cannot be read: it must be like {scheme}://{wanted}")
    del options["host"]
    options.pop("connection_class", None)
    return found, service, {**options, "db": int(db), **({"ssl": True} if kind == "rediss" else {})}


def _host(text: str, port: int) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError(f"{text!r} is no host")
    return parts.hostname, parts.port or port
