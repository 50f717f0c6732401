"""Webhooks as Standard Webhooks 1.0 signs them, and which addresses on the network they may go to."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from ..errors import SettingsError
from ..http import Pair

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64  # bytes of a secret, as the specification says
TOLERANCE = 5 * 60.0  # seconds that a message may be old, or ahead of our clock
# globally routable by the book, and yet a way to somewhere else: translators and tunnels to IPv4
INDIRECT = [ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")]


def new_secret() -> str:
    """Return a fresh secret, which sender and receiver share."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def read_secret(text: str) -> bytes:
    """Return the bytes of a secret such as `new_secret` makes.

    Raises:
        SettingsError: it is none; what was given is not repeated.
    """
    try:
        secret = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if not SHORTEST <= len(secret) <= LONGEST:
        raise SettingsError(f"a webhook's secret must be {PREFIX} and {SHORTEST} to {LONGEST} bytes in base64")
    return secret


def signed(body: bytes, *, secret: str, message_id: str, at: int) -> list[Pair]:
    """Return the header lines that tell the receiver which message this is, and that it is ours.

    Args:
        body: What is sent, byte for byte.
        secret: Shared with the receiver.
        message_id: The same when it is sent again, so that the receiver can act once.
        at: Seconds since the epoch.
    """
    key = read_secret(secret)
    mac = _mac(key, message_id, at, body)
    return [
        (b"webhook-id", message_id.encode()),
        (b"webhook-timestamp", b"%d" % at),
        (b"webhook-signature", b"v1," + mac),
    ]


def verified(headers: dict[str, str], body: bytes, *, secrets: tuple[str, ...], now: float) -> bool:
    """Whether the message comes from somebody who has one of `secrets`, and is no old one.

    Args:
        headers: Of the request, names in lower case.
        body: As it came, byte for byte.
        secrets: The one shared with the sender; two of them while it is being changed.
        now: Seconds since the epoch.
    """
    written = headers.get("webhook-timestamp", "")
    if not (written.isascii() and written.isdigit()) or abs(now - int(written)) > TOLERANCE:
        return False
    given = [part[3:].encode() for part in headers.get("webhook-signature", "").split(" ") if part.startswith("v1,")]
    wanted = [_mac(read_secret(each), headers.get("webhook-id", ""), int(written), body) for each in secrets]
    return any(hmac.compare_digest(one, other) for one in given for other in wanted)


def public(address: str) -> bool:
    """Whether an address is one that anybody on the Internet has, and leads nowhere inside.

    >>> public("198.51.100.7"), public("93.184.215.14"), public("::ffff:127.0.0.1"), public("169.254.169.254")
    (False, True, False, False)
    """
    try:
        found: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        elif any(found in network for network in INDIRECT):
            return False
    return found.is_global and not (found.is_multicast or found.is_reserved or found.is_unspecified)


def _mac(key: bytes, message_id: str, at: int, body: bytes) -> bytes:
    return base64.b64encode(hmac.digest(key, b"%s.%d.%s" % (message_id.encode(), at, body), hashlib.sha256))
