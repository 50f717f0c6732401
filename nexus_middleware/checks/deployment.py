"""Checks of where it runs: the store, the processes, the dashboard's door."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from ..settings import Settings
from .registry import check
from .subject import Subject

SHORTEST = 16  # characters of an admin token
INSIDE = (".local", ".internal", ".lan", ".home.arpa", ".localhost", ".svc", ".cluster.local")


@check("NX008")
def memory(subject: Subject) -> Iterator[str]:
    """A memory of its own in each of several processes."""
    if subject.workers < 2:
        return
    local = [layer for layer in subject.layers if layer.store is not None and not layer.store.waits]
    if local or (subject.runtime is not None and subject.runtime.settings.store == "memory://"):
        yield (
            f"{subject.workers} processes each count and cache for themselves, so that limits admit as many times more: "
            "set NEXUS_STORE to a Redis"
        )


@check("NX009")
def dashboard(subject: Subject) -> Iterator[str]:
    """A dashboard that is open, easy to guess, or that nobody can open."""
    settings = subject.settings
    if settings is None or not (settings.dashboard_path or settings.api_path):
        return
    if subject.access is not None:
        if _lets_anyone_in(subject.access):
            yield "access= lets in a request that says nothing of who sends it: return None for strangers"
    elif not settings.admin_secret:
        yield "nobody can open the dashboard: set NEXUS_ADMIN_TOKEN, or give Nexus(app, access=…)"
    elif any(len(token) < SHORTEST for token in _tokens(settings)):
        yield f"an admin token has fewer than {SHORTEST} characters: python -c 'import secrets; print(secrets.token_urlsafe())'"


def _tokens(settings: Settings) -> list[str]:
    unnamed = [settings.admin_token] if settings.admin_token else []
    return [*unnamed, *[text.partition("=")[2] for text in settings.admin_tokens]]


def _lets_anyone_in(access: object) -> bool:
    if not callable(access) or inspect.iscoroutinefunction(access):
        return False
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b"", "state": {}}
    try:
        return bool(access(scope))
    except Exception:  # noqa: BLE001  # a hook may need what only its own server puts into the scope
        return False


@check("NX010")
def redis(subject: Subject) -> Iterator[str]:
    """A Redis at a public address without TLS, or without a password."""
    settings = subject.settings
    urls = {layer.store.url for layer in subject.layers if layer.store is not None}
    urls |= {settings.store, settings.queue_store} if settings is not None else set()
    for url in sorted(url for url in urls if url):
        parts = urlsplit(url)
        if "redis" not in parts.scheme and "valkey" not in parts.scheme:
            continue
        if not _public(parts.hostname or ""):
            continue
        if not parts.scheme.startswith(("rediss", "valkeys")):
            yield f"the Redis at {parts.hostname} is spoken to without TLS: rediss://"
        if not parts.password:
            yield f"the Redis at {parts.hostname} asks for no password: give it an ACL user, rediss://user:password@…"


def _public(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(INSIDE)


@check("NX012")
def off(subject: Subject) -> Iterator[str]:
    """The glass is broken."""
    if subject.settings is not None and subject.settings.off:
        yield "NEXUS_OFF is set: no layer does anything. Unset it when the emergency is over"
