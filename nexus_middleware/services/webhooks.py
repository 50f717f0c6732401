"""Post a signed message to an address that a user gave, and to nowhere inside our own network."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..errors import NexusError
from ..rules.webhooks import public, signed

TIMEOUT = 5.0  # seconds for each of connecting, sending and hearing
MAX_ANSWER = 16 * 1024  # bytes that are read of what the receiver says
PORTS = {"http": 80, "https": 443}
BACK_SOON = frozenset((408, 409, 423, 425, 429))  # refusals that time may mend
Resolve = Callable[[str, int], list[str]]


class Refused(NexusError):
    """Sending again would not help: the address may not be used, or the receiver does not want it."""

    def __init__(self, why: str, *, gone: bool = False) -> None:
        super().__init__(why)
        self.gone = gone  # the receiver said 410: it wants nothing any more


class Unreachable(NexusError):
    """Nobody answered, or not now; later it may go through."""


def post(
    url: str,
    payload: Mapping[str, Any],
    *,
    secret: str,
    message_id: str,
    private: bool = False,
    resolve: Resolve | None = None,
    now: Callable[[], float] = time.time,
) -> int:
    """Send `payload` as JSON, signed as Standard Webhooks says; return the status, which is 2xx.

    The name in `url` is looked up once, every address behind it must be public, and the connection goes to the one that
    was looked at: a name that changes in between leads nowhere else. No redirect is followed.

    Args:
        url: https://… or http://…, without a user or password.
        payload: What is sent.
        secret: Shared with the receiver, `whsec_…`.
        message_id: The same when the message is sent again.
        private: Let it go to addresses of our own network too; for receivers that an administrator named.
        resolve: Returns the addresses behind a host and port; None for the system's own.
        now: Seconds since the epoch.

    Raises:
        Refused: it must not be sent there, or the receiver refused it for good.
        Unreachable: it may go through later.
        SettingsError: the secret is none.
    """
    body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
    headers = [(b"content-type", b"application/json"), (b"user-agent", b"nexus-middleware")]
    headers += signed(body, secret=secret, message_id=message_id, at=int(now()))
    return settled(exchange(url, body, headers, private=private, resolve=resolve))


def exchange(
    url: str, body: bytes, headers: list[tuple[bytes, bytes]], *, private: bool = False, resolve: Resolve | None = None
) -> int:
    """POST `body` to the address behind `url` that was checked; return the status, whatever it is.

    Raises:
        Refused: it must not be sent there.
        Unreachable: nobody answered.
    """
    import httpx  # half of what a process with queues would load, and few of them post anything

    host, port = _target(url)
    address = _checked(host, port, private=private, resolve=resolve or _resolve)
    try:
        there = httpx.URL(url).copy_with(host=address)
        named = [(b"host", httpx.URL(url).netloc), *headers]
        with (
            httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", there, content=body, headers=named, extensions={"sni_hostname": host}) as answer,
        ):
            heard = 0
            for chunk in answer.iter_raw(4096):  # a receiver that never ends its answer is not waited for
                heard += len(chunk)
                if heard > MAX_ANSWER:
                    break
            return answer.status_code
    except httpx.InvalidURL as error:
        raise Refused(f"the webhook's address cannot be read: {error}") from error
    except httpx.HTTPError as error:
        raise Unreachable(f"{host} did not answer: {type(error).__name__}") from error


def check_url(url: str) -> None:
    """Look at an address when it is given, before anything is sent there.

    Raises:
        Refused: it is no address for webhooks.
    """
    _target(url)


def _target(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Refused("the webhook's address cannot be read") from error
    if parts.scheme not in PORTS or not parts.hostname:
        raise Refused("the webhook's address must be https://… or http://…")
    if parts.username is not None or parts.password is not None:
        raise Refused("the webhook's address must not have a user or password in it")
    return parts.hostname, port or PORTS[parts.scheme]


def _checked(host: str, port: int, *, private: bool, resolve: Resolve) -> str:
    try:
        found = resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{host} has no address just now") from error
    if not found:
        raise Unreachable(f"{host} has no address just now")
    if not private and not all(public(address) for address in found):
        raise Refused(f"{host} is inside our own network")
    return found[0]


def _resolve(host: str, port: int) -> list[str]:
    return [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def settled(status: int) -> int:
    """Return a status that is 2xx.

    Raises:
        Unreachable: the receiver may take it later.
        Refused: it does not want it; `gone`, if it never will.
    """
    if 200 <= status < 300:
        return status
    if status in BACK_SOON or status >= 500:
        raise Unreachable(f"the receiver answered {status}")
    raise Refused(f"the receiver answered {status}", gone=status == 410)
