"""Who is calling: the keys by which calls are counted."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import TypeAlias

from ..http import Request
from ..rules.networks import IPV6_PREFIX, bucket

KeyOf: TypeAlias = Callable[[Request], str | None]
IPV6 = "ipv6_prefix"  # in `request.notes`: the bits of the network that is one IPv6 caller, if not the usual 64
SHORT = re.compile(r"[A-Za-z0-9._:@/-]{1,64}", re.ASCII).fullmatch


def by_client(request: Request) -> str | None:
    """Count by client address, an IPv6 one by its network; all callers whose address is unknown share one count.

    The network is a /64, or what `ipv6_prefix` of the layer or of an outer `TrustedProxies` says.
    """
    client = request.client
    return bucket(client, request.notes.get(IPV6, IPV6_PREFIX)) if ":" in client else client or "unknown"


def within(key: KeyOf, prefix: int) -> KeyOf:
    """Return `key`, to which an IPv6 caller is its network of `prefix` bits."""

    def narrowed(request: Request) -> str | None:
        request.notes[IPV6] = prefix
        return key(request)

    return narrowed


def by_header(name: str) -> KeyOf:
    """Count by the value of a request header; a call without it is counted by address."""
    field = name.lower().encode("latin-1")

    def key(request: Request) -> str | None:
        value = request.header(field)
        return by_client(request) if value is None else f"{name.lower()}={value.decode('latin-1')}"

    key.__name__ = f"header:{name.lower()}"  # as a rules file writes it
    return key


_by_key_header = by_header("x-api-key")


def by_api_key(request: Request) -> str | None:
    """Count by the name of the key that an outer `APIKey` let in, else by X-API-Key as it came, else by address."""
    name = request.notes.get("api_key")
    return _by_key_header(request) if name is None else f"api-key={name}"


def by_user(request: Request) -> str | None:
    """Count by the user whom an outer layer or the server has signed in, else by address."""
    user = request.notes.get("user")
    return by_client(request) if user is None else f"user={user}"


def store_key(caller: str) -> str:
    """Return the part of a store's key that stands for `caller`: as it is if short and plain, else its digest."""
    if SHORT(caller):
        return caller
    return hashlib.blake2b(caller.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
