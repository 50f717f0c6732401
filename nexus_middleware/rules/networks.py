"""Addresses and networks: who calls, and whether a list holds them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

from ..errors import SettingsError
from ..http import Pair
from .forwarded import nodes
from .remembered import Remembered

MAX_HOPS = 32  # entries of a header that are read, from the right
MAPPED = b"\0" * 10 + b"\xff\xff"  # an IPv4 address written as an IPv6 one (RFC 4291, section 2.5.5.2)
NODE = re.compile(r"\[(?P<v6>[^\]]*)\](?::(?P<p6>\d{1,5}))?|(?P<v4>[\d.]+):(?P<p4>\d{1,5})", re.ASCII).fullmatch
IPV6_PREFIX = (
    64  # bits of a network that one IPv6 caller has: what a provider gives a household or a server at the least
)
NOWHERE = ("0.0.0.0", "::")  # noqa: S104  # an address that nobody has


class Networks:
    """A fixed set of addresses, from networks and single addresses; 100,000 of them are looked up in a microsecond.

    >>> private = Networks(["10.0.0.0/8", "2001:db8::/32", "192.0.2.1"])
    >>> "10.1.2.3" in private, "::ffff:10.1.2.3" in private, "192.0.2.2" in private
    (True, True, False)

    Args:
        cidrs: Such as "192.0.2.0/24", "192.0.2.1" or "2001:db8::/32".

    Raises:
        SettingsError: one of them cannot be read.
    """

    __slots__ = ("_ends", "_known", "_size", "_starts")

    def __init__(self, cidrs: Iterable[str] = ()) -> None:
        ranges = sorted([_range(cidr) for cidr in cidrs])
        self._size = len(ranges)
        self._starts: list[bytes] = []
        self._ends: list[bytes] = []
        for start, end in ranges:
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)
        self._known = Remembered(self._look, most=8192)

    def __contains__(self, address: str) -> bool:
        return bool(self._starts) and self._known[address]

    def __len__(self) -> int:
        return self._size

    def _look(self, address: str) -> bool:
        packed = _packed(address)
        if packed is None:
            return False
        key = _key(packed)
        at = bisect_right(self._starts, key) - 1
        return at >= 0 and key <= self._ends[at]


def client_address(
    peer: str | None,
    headers: list[Pair],
    *,
    trusted: Iterable[str] | Networks = (),
    header: str = "x-forwarded-for",
    hops: int | None = None,
) -> str | None:
    """Return the address of whoever asks, as far as trusted proxies vouch for it; None if it is unknown.

    From the right, each entry was written by the hop after it. So long as that hop is trusted its word is taken; the
    first entry that is not trusted is the client, and what stands left of it is only what the client claims.

    >>> client_address("10.0.0.1", [(b"x-forwarded-for", b"6.6.6.6, 203.0.113.9")], trusted=["10.0.0.0/8"])
    '203.0.113.9'

    Args:
        peer: Who holds the other end of the connection; None for a unix socket.
        headers: All lines of the request.
        trusted: Networks of proxies; "unix" for those behind a unix socket.
        header: The one header that is believed: a list such as X-Forwarded-For, `forwarded` (RFC 7239), or one with a
            single address, whose last line holds.
        hops: Take the entry that many from the right instead of walking over trusted ones.
    """
    networks, unix = (trusted, False) if isinstance(trusted, Networks) else _trust(tuple(trusted))
    address = _canonical(peer) if peer is not None else None
    believed = unix if peer is None else address is not None and address in networks
    if not believed and (hops is None or len(networks) or unix):
        return address
    name = header.lower()
    joined = b",".join([value for key, value in headers if key.lower() == name.encode("latin-1")])
    entries = nodes(joined.decode("latin-1"), MAX_HOPS, structured=name == "forwarded")
    if hops is not None:
        chosen = _node(entries[hops - 1]) if len(entries) >= hops else None
        return chosen or address
    for entry in entries:
        hop = _node(entry)
        if hop is None:
            return address
        address = hop
        if address not in networks:
            return address
    return address


@lru_cache(8192)
def bucket(address: str, prefix: int = IPV6_PREFIX) -> str:
    """Return the key by which calls of `address` are counted: an IPv6 address by its network of `prefix` bits.

    >>> bucket("2001:db8::1"), bucket("192.0.2.1"), bucket("::ffff:192.0.2.1")
    ('2001:db8::/64', '192.0.2.1', '192.0.2.1')
    """
    canonical = _canonical(address)
    if canonical is None or ":" not in canonical:
        return canonical or address
    return str(ip_network(f"{canonical}/{prefix}", strict=False))


def checked_prefix(bits: int) -> int:
    """Return the bits of the network that is one IPv6 caller.

    >>> checked_prefix(56)
    56

    Raises:
        SettingsError: they are none, so few that strangers would share a count, or more than an address has.
    """
    if type(bits) is not int or not 32 <= bits <= 128:
        raise SettingsError(
            f"ipv6_prefix={bits!r} must be from 32 to 128 bits: 64 is one network, 56 or 48 what some providers give a "
            "customer, 128 every address for itself"
        )
    return bits


@lru_cache(64)
def _trust(names: tuple[str, ...]) -> tuple[Networks, bool]:
    return Networks([name for name in names if name != "unix"]), "unix" in names


def _node(entry: str | None) -> str | None:
    """Return the address of one entry, whose port and brackets must be in order."""
    if entry is None:
        return None
    match = NODE(entry)
    if match is None:
        return _canonical(entry)
    port = match["p6"] or match["p4"]
    if port and int(port) > 65535:
        return None
    address = _canonical(match["v6"] or match["v4"])
    return None if match["v6"] and address and "." in address and ":" not in match["v6"] else address


@lru_cache(8192)
def _canonical(text: str) -> str | None:
    packed = _packed(text)
    if packed is None:
        return None
    address = inet_ntop(AF_INET if len(packed) == 4 else AF_INET6, packed)
    return None if address in NOWHERE else address


def _packed(text: str) -> bytes | None:
    """Return 4 or 16 bytes, of a mapped IPv4 address 4; no short, octal or full-width spelling is read."""
    try:
        if ":" not in text:
            return inet_pton(AF_INET, text)
        packed = inet_pton(AF_INET6, text.partition("%")[0])  # a zone means something to its own host alone
    except (OSError, ValueError):
        return None
    return packed[12:] if packed.startswith(MAPPED) else packed


def _range(cidr: str) -> tuple[bytes, bytes]:
    """Return the keys of the first and the last address."""
    text, _, bits = cidr.strip().partition("/")
    packed = _packed(text) if "%" not in text and (not bits or bits.isdecimal()) else None
    size = len(packed) * 8 if packed is not None else 0
    if packed is None or (bits and int(bits) > size) or (size == 32 and ":" in text):
        return _range_of(_network(cidr))  # a mask in dots, a mapped address, or none at all
    free = (1 << (size - int(bits))) - 1 if bits else 0
    first = int.from_bytes(packed) & ~free
    return _key(first.to_bytes(size // 8)), _key((first | free).to_bytes(size // 8))


def _network(cidr: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(cidr.strip(), strict=False)
    except ValueError as error:
        raise SettingsError(f"{cidr!r} is no address or network, such as 192.0.2.0/24 or 2001:db8::/32") from error


def _range_of(network: IPv4Network | IPv6Network) -> tuple[bytes, bytes]:
    first, last = network.network_address.packed, network.broadcast_address.packed
    if first.startswith(MAPPED) and last.startswith(MAPPED):
        first, last = first[12:], last[12:]
    return _key(first), _key(last)


def _key(packed: bytes) -> bytes:
    """Sort the two families apart, so that ::/0 holds no IPv4 address."""
    return (b"4" if len(packed) == 4 else b"6") + packed
