"""Checks of the layers: their order, whom they believe, what they leave out."""

from __future__ import annotations

from collections.abc import Iterator

from .registry import check
from .subject import Subject

PAIRS = (  # outer, inner, and what happens the other way round
    ("TrustedProxies", "IPFilter", "it filters the proxy's address, not the client's"),
    ("TrustedProxies", "RateLimit", "it counts the proxy's address, not the client's"),
    ("TrustedProxies", "RequestLogger", "it logs the proxy's address, not the client's"),
    ("SecurityHeaders", "IPFilter", "its refusals carry no security headers"),
    ("SecurityHeaders", "RateLimit", "its refusals carry no security headers"),
    ("SecurityHeaders", "APIKey", "its refusals carry no security headers"),
    ("SecurityHeaders", "ResponseCache", "pages are stored with their headers, and with what was meant for one"),
    ("CORS", "RateLimit", "preflights are counted, and pages cannot read why they were refused"),
    ("CORS", "APIKey", "preflights, which bring no key, are refused"),
    ("IPFilter", "RateLimit", "callers who are refused anyway are counted"),
    ("RateLimit", "APIKey", "wrong keys are not counted, so that one may be found by trying"),
    ("APIKey", "ResponseCache", "stored answers are given to callers without a key"),
    ("RateLimit", "ResponseCache", "stored answers are not counted"),
)


@check("NX001")
def order(subject: Subject) -> Iterator[str]:
    """Layers in an order that weakens them."""
    names = [type(layer).__name__ for layer in subject.layers if layer.mode != "off"]
    for outer, inner, why in PAIRS:
        if outer in names and inner in names and names.index(outer) > names.index(inner):
            yield f"{outer} stands inside of {inner}, so {why}: put it outside"


@check("NX002")
def forwarded(subject: Subject) -> Iterator[str]:
    """X-Forwarded-For is believed of everyone, or of nobody though it arrives."""
    for layer in subject.of("TrustedProxies"):
        if "0.0.0.0/0" in layer.networks and layer.hops is None:
            yield "TrustedProxies believes everyone, so that a caller may claim any address: name the proxies' networks"
        if layer.warned:
            yield "X-Forwarded-For arrives and no proxy is trusted: set NEXUS_TRUSTED_PROXIES to the proxy's network"
    counting = [name for name in ("IPFilter", "RateLimit") if subject.of(name)]
    if counting and not subject.of("TrustedProxies"):
        yield f"there is no TrustedProxies: behind a proxy, {' and '.join(counting)} see the proxy's address alone"
    if subject.environ.get("FORWARDED_ALLOW_IPS"):
        yield "FORWARDED_ALLOW_IPS has the server change the client's address before TrustedProxies looks: unset it"


@check("NX003")
def allow_list(subject: Subject) -> Iterator[str]:
    """An allow list that anyone can get round."""
    everyone = any("0.0.0.0/0" in layer.networks for layer in subject.of("TrustedProxies"))
    if everyone and any(layer.only for layer in subject.of("IPFilter")):
        yield "IPFilter(allow=…) stands behind TrustedProxies('*'), so a caller may claim an allowed address: name proxies"


@check("NX004")
def uncovered(subject: Subject) -> Iterator[str]:
    """Routes that no limit covers."""
    limits = subject.of("RateLimit")
    if subject.layers and not limits:
        yield "there is no RateLimit: set NEXUS_RATE_LIMIT, or add one"
        return
    open_to_all = [path for path in subject.routes if limits and not any(layer.covers(path) for layer in limits)]
    if open_to_all:
        yield f"no rule of RateLimit is about {_some(open_to_all)}: add one whose path is '*'"


@check("NX011")
def inside(subject: Subject) -> Iterator[str]:
    """Layers that do not cover the framework's own errors."""
    if subject.within:
        names = ", ".join(type(layer).__name__ for layer in subject.within)
        yield f"{names}: added by add_middleware, they miss the 500 of an app that fails. Wrap the app instead"


def _some(paths: list[str]) -> str:
    shown = ", ".join(sorted(paths)[:5])
    return shown if len(paths) <= 5 else f"{shown} and {len(paths) - 5} more"
