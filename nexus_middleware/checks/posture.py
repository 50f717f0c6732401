"""How an app is protected, measured on the layers that run: their order, the headers they send, what the checks find."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec

from .registry import findings
from .subject import look

STATIC = (  # that the OWASP Secure Headers Project asks for
    "cache-control",
    "content-security-policy",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
    "referrer-policy",
    "strict-transport-security",
    "x-content-type-options",
    "x-dns-prefetch-control",
    "x-frame-options",
    "x-permitted-cross-domain-policies",
)


def posture(app: Any, *, path: str = "/") -> dict[str, Any]:
    """Return how `app` is protected, as the dashboard shows it.

    Args:
        app: The object that the server runs: a `Nexus`, a layer, or an app within them.
        path: Whose headers are asked for, over https.

    Returns:
        `layers`, outermost first, each with `name` and `mode`; `headers`, that the layers send where the app says
        nothing; `missing`, those of OWASP's twelve that are not among them; `findings`, as of `nexus check`.

    >>> from nexus_middleware import SecurityHeaders
    >>> posture(SecurityHeaders(None, preset="strict"))["missing"]
    []
    """
    subject = look(app)
    headers: dict[str, str] = {}
    for layer in subject.of("SecurityHeaders")[::-1]:
        headers |= layer.lines(SimpleNamespace(path=path, mount="", scheme="https", notes={}))
    return {
        "layers": [{"name": type(layer).__name__, "mode": layer.mode} for layer in subject.layers],
        "headers": headers,
        "missing": [name for name in STATIC if name not in headers],
        "findings": msgspec.to_builtins(findings(subject)),
    }
