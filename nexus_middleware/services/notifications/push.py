"""Send a message to a browser that is closed: Web Push (RFC 8030), encrypted for it (RFC 8291), signed by us (RFC 8292)."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ...errors import SettingsError
from ..webhooks import Refused, Resolve, exchange, settled
from .receivers import Receiver

LONGEST = 3_000  # bytes of a message, below the 4,096 that push services take when it is encrypted
LASTS = 86_400  # seconds that the push service keeps it for a browser that is away
TOKEN_LASTS = 12 * 3600  # seconds


def push(
    receiver: Receiver,
    payload: dict[str, Any],
    *,
    key: str,
    subject: str,
    private: bool = False,
    resolve: Resolve | None = None,
) -> int:
    """Push `payload`, as JSON that only the browser can read; return the status, which is 2xx.

    Args:
        receiver: The browser.
        payload: At most 3,000 bytes as JSON.
        key: The VAPID private key, as `vapid --gen` or any generator writes it: PEM or base64url.
        subject: Who sends, for the push service: mailto:… or https://…
        private: Let it go to addresses of our own network.
        resolve: As in `webhooks.post`.

    Raises:
        Refused: the browser is gone (`gone` is set), or the message must not be sent.
        Unreachable: the push service may take it later.
        SettingsError: pywebpush is not installed, or the key is none.
    """
    body = msgspec.json.encode(payload)
    if len(body) > LONGEST:
        raise Refused(f"the message has {len(body)} bytes: at most {LONGEST}")
    encrypted, authorization = _sealed(receiver, body, key, subject)
    headers = [
        (b"content-type", b"application/octet-stream"),
        (b"content-encoding", b"aes128gcm"),
        (b"ttl", b"%d" % LASTS),
        (b"authorization", authorization.encode()),
    ]
    status = exchange(receiver.address, encrypted, headers, private=private, resolve=resolve)
    if status == 404:  # RFC 8030, section 7.3: the subscription is over
        raise Refused("the browser's subscription is over", gone=True)
    return settled(status)


def _sealed(receiver: Receiver, body: bytes, key: str, subject: str) -> tuple[bytes, str]:
    try:
        from py_vapid import Vapid02, VapidException  # type: ignore[import-untyped]
        from pywebpush import WebPusher  # type: ignore[import-untyped]
    except ImportError as error:
        raise SettingsError("push messages need pywebpush: install nexus-middleware[push]") from error
    parts = urlsplit(receiver.address)
    claims = {"sub": subject, "aud": f"{parts.scheme}://{parts.netloc}", "exp": int(time.time()) + TOKEN_LASTS}
    try:
        vapid = Vapid02.from_pem(key.encode()) if "BEGIN" in key else Vapid02.from_string(key)
        authorization: str = vapid.sign(claims)["Authorization"]
    except (VapidException, ValueError, TypeError) as error:
        raise SettingsError("NEXUS_VAPID_KEY must be a VAPID private key: PEM, or base64url") from error
    keys = {"p256dh": receiver.p256dh, "auth": receiver.auth}
    pusher = WebPusher({"endpoint": receiver.address, "keys": keys})
    return bytes(pusher.encode(body)["body"]), authorization
