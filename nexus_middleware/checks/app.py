"""Checks of the app: middleware nearby, pages that the policy blanks, cookies."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from ..rules.csp import parse
from .registry import check
from .subject import Subject

NETWORK = "https://cdn.jsdelivr.net"


@check("NX005")
def base_http(subject: Subject) -> Iterator[str]:
    """A BaseHTTPMiddleware nearby."""
    for each in subject.foreign:
        if any(kind.__name__ == "BaseHTTPMiddleware" for kind in each.kind.__mro__):
            yield (
                f"{each.kind.__name__} is a BaseHTTPMiddleware: it costs about as much as six layers, and breaks context "
                "variables and early disconnects. Write it as a Layer or as plain ASGI"
            )


@check("NX006")
def docs(subject: Subject) -> Iterator[str]:
    """A policy that blanks the pages of the API's documentation."""
    pages = [getattr(subject.app, name, None) for name in ("docs_url", "redoc_url")]
    for path in [page for page in pages if isinstance(page, str)]:
        for layer in subject.of("SecurityHeaders"):
            policy = layer.lines(_request(path)).get("content-security-policy", "")
            if not _opens(parse(policy)):
                yield f"the policy of {path} blocks its scripts: SecurityHeaders(…, paths={{{path!r}: 'docs'}})"


def _opens(policy: dict[str, list[str]]) -> bool:
    sources = policy.get("script-src", policy.get("default-src"))
    return sources is None or ({"'unsafe-inline'", NETWORK} <= {*sources}) or {"*", "'unsafe-inline'"} <= {*sources}


def _request(path: str) -> Any:
    return SimpleNamespace(path=path, mount="", scheme="https", notes={})


@check("NX007")
def cookies(subject: Subject) -> Iterator[str]:
    """Cookies that go out without Secure."""
    for each in subject.foreign:
        options = each.options
        secure = options.get("https_only", "secure" in str(options.get("security_flags", "")))
        if each.kind.__name__ == "SessionMiddleware" and "starlette" in each.kind.__module__ and not secure:
            yield "SessionMiddleware sends its cookie over http too: https_only=True"
    config = getattr(subject.app, "config", None)
    if isinstance(config, dict) and config.get("SECRET_KEY") and not config.get("SESSION_COOKIE_SECURE"):
        yield "Flask sends its session cookie over http too: SESSION_COOKIE_SECURE=True"
    if type(subject.app).__module__.startswith("django."):
        yield from _django()


def _django() -> Iterator[str]:
    conf = sys.modules.get("django.conf")
    settings = getattr(conf, "settings", None)
    if settings is not None and settings.configured:
        for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"):
            if not getattr(settings, name, False):
                yield f"Django sends a cookie over http too: {name} = True"
