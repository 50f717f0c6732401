"""Finds the master of the moment, by asking Sentinels or a Redis Cluster, and leaves a server that is it no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

import redis
import redis.asyncio
from redis.asyncio import sentinel as aio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import AskError, ClusterDownError, RedisError, ResponseError
from redis.retry import Retry
from redis.sentinel import SentinelConnectionPool, SentinelManagedConnection, SentinelManagedSSLConnection

Address: TypeAlias = tuple[str, int]
GONE = (AskError, ClusterDownError)  # MOVED is an AskError
Pool, AsyncPool = SentinelConnectionPool, aio.SentinelConnectionPool


class Question(Protocol):
    """What is asked of each host until one knows, and what the `reply` of the host at `asked` means."""

    name: str

    def words(self) -> tuple[str, ...]: ...
    def address(self, reply: Any, asked: Address) -> Address | None: ...
    def refused(self, asked: Address) -> str: ...  # what it means that the host does not know the question


class OfService:
    """Who is the master of `service`, asked of Sentinels."""

    def __init__(self, service: str) -> None:
        self._service, self.name = service, f"service {service!r}"

    def words(self) -> tuple[str, ...]:
        """Return the command."""
        return "SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._service

    def address(self, reply: Any, asked: Address) -> Address | None:
        """Return what the Sentinel says."""
        return (_text(reply[0]), int(reply[1])) if reply else None

    def refused(self, asked: Address) -> str:
        """Return what to do about a host that is no Sentinel."""
        return f"{_named(asked)} is no Sentinel, or does not let us ask: name the Sentinels, mostly at port 26379"


class OfSlot:
    """Which server of a cluster has the keys that begin with `prefix`, whose part in braces is the same for all."""

    def __init__(self, prefix: str) -> None:
        self._slot = key_slot(prefix.encode())
        self.name = f"slot {self._slot}"

    def words(self) -> tuple[str, ...]:
        """Return the command."""
        return "CLUSTER", "SLOTS"

    def address(self, reply: Any, asked: Address) -> Address | None:
        """Return the owner of the slot; one without a name is the host that was asked."""
        for first, last, (host, port, *_), *_replicas in reply:
            if first <= self._slot <= last:
                return (_text(host) if host else asked[0], int(port))
        return None

    def refused(self, asked: Address) -> str:
        """Return what to do about a server that is in no cluster."""
        return f"the server at {_named(asked)} is in no cluster, or does not let us ask: write redis:// for one server"


class Finder:
    """Asks the hosts in turn, the one first that knew it last; each has its share of the budget.

    Args:
        hosts: Whom to ask.
        question: What.
        options: Of the connection to them, such as a password.
        budget: Seconds for asking and for connecting to what is found.
    """

    def __init__(self, hosts: Sequence[Address], question: Question, options: dict[str, Any], budget: float) -> None:
        self.hosts, self._question, self.name = [*hosts], question, question.name
        share = budget / (len(hosts) + 1)
        times = {"socket_timeout": share, "socket_connect_timeout": share}
        self._options: dict[str, Any] = {**options, **times, "protocol": 2, "driver_info": None}

    def discover_master(self, _name: str) -> Address:
        """Return the master's address; redis-py's pool calls this when it connects.

        Raises:
            ConnectionError: nobody knows it.
        """
        said = []
        for host in [*self.hosts]:
            try:
                with redis.Redis(host[0], host[1], **self._options, retry=Retry(NoBackoff(), 0)) as client:
                    reply = client.execute_command(*self._question.words())
            except (RedisError, OSError) as error:
                said.append(self._why(error, host))
            else:
                if found := self._found(reply, host):
                    return found
        raise self._nobody(said)

    async def adiscover(self) -> Address:
        """`discover_master`, for the event loop."""
        said = []
        for host in [*self.hosts]:
            try:
                async with redis.asyncio.Redis(
                    host=host[0], port=host[1], **self._options, retry=AsyncRetry(NoBackoff(), 0)
                ) as client:
                    reply = await client.execute_command(*self._question.words())  # type: ignore[no-untyped-call]
            except (RedisError, OSError) as error:
                said.append(self._why(error, host))
            else:
                if found := self._found(reply, host):
                    return found
        raise self._nobody(said)

    def _found(self, reply: Any, host: Address) -> Address | None:
        found = self._question.address(reply, host)
        if found and self.hosts[0] != host:
            self.hosts = [host, *[other for other in self.hosts if other != host]]
        return found

    def _why(self, error: Exception, host: Address) -> str:
        return self._question.refused(host) if isinstance(error, ResponseError) else str(error) or type(error).__name__

    def _nobody(self, said: Sequence[str]) -> redis.ConnectionError:
        hosts = ", ".join(_named(host) for host in self.hosts)
        return redis.ConnectionError(
            f"{said[-1] if said else 'it is not known'}; {hosts} named no master of {self.name}"
        )


class AsyncFinder:
    """A `Finder` as redis-py's pool for the event loop calls it."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder

    async def discover_master(self, _name: str) -> Address:
        """Return the master's address."""
        return await self._finder.adiscover()


class _Leaves:
    """A connection that is closed when its server says that the keys have moved, so that the next one finds them."""

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return super().read_response(*args, **options)  # type: ignore[misc]
        except GONE as error:
            self.disconnect()  # type: ignore[attr-defined]
            raise redis.ConnectionError(f"the keys are not there any more: {error}") from error


class _AsyncLeaves:
    """`_Leaves`, for the event loop."""

    async def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return await super().read_response(*args, **options)  # type: ignore[misc]
        except GONE as error:
            await self.disconnect()  # type: ignore[attr-defined]
            raise redis.ConnectionError(f"the keys are not there any more: {error}") from error


class Line(_Leaves, SentinelManagedConnection):
    """To the master of the moment."""


class TLSLine(_Leaves, SentinelManagedSSLConnection):
    """The same, with TLS."""


class AsyncLine(_AsyncLeaves, aio.SentinelManagedConnection):
    """To the master of the moment, for the event loop."""


class AsyncTLSLine(_AsyncLeaves, aio.SentinelManagedSSLConnection):
    """The same, with TLS."""


def _text(word: bytes | str) -> str:
    return word.decode() if isinstance(word, bytes) else word


def _named(address: Address) -> str:
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
