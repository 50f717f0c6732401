"""Addresses and networks: who calls, and what a rule about addresses holds."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_network


@lru_cache(4096)
def bucket(address: str, *, prefix: int = 64) -> str:
    """Return the key by which calls of `address` are counted: an IPv6 address by its network of `prefix` bits.

    >>> bucket("2001:db8::1"), bucket("192.0.2.1")
    ('2001:db8::/64', '192.0.2.1')
    """
    if ":" not in address:
        return address
    try:
        return str(ip_network(f"{address}/{prefix}", strict=False))
    except ValueError:
        return address
