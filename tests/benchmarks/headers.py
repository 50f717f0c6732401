"""What the security headers cost within a chain, beside the middleware of `secure`, whose builders make their values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nexus_middleware import IPFilter, SecurityHeaders
from tests.benchmarks import subjects
from tests.benchmarks.measure import Race

DOORS = ("ASGI", "WSGI")
Goal = tuple[str, float, float, float]


async def plain(scope: Any, receive: Any, send: Any) -> None:
    """Answer as little as an app can, with a list of its own each time: `secure` adds to the one it is given."""
    await send({**subjects.START, "headers": [(b"content-type", b"application/json")]})
    await send(subjects.BODY)


def enter(race: Race) -> dict[str, list[tuple[str, str]]]:
    """Add the subjects; return their table."""
    from secure.middleware import SecureASGIMiddleware, SecureWSGIMiddleware

    bare_wsgi = subjects.bare_wsgi
    made: dict[str, tuple[Any, ...]] = {
        "ASGI": (
            plain,
            IPFilter(plain),
            IPFilter(SecurityHeaders(plain, preset="strict")),
            SecureASGIMiddleware(plain),
        ),
        "WSGI": (
            bare_wsgi,
            IPFilter(bare_wsgi).wsgi,
            IPFilter(SecurityHeaders(bare_wsgi, preset="strict")).wsgi,
            SecureWSGIMiddleware(bare_wsgi),
        ),
    }
    for door, apps in made.items():
        for name, app in zip(_names(door), apps, strict=True):
            (race.asgi if door == "ASGI" else race.wsgi)(name, app)
    return {"security headers": [row for door in DOORS for row in _rows(door)]}


def goals(race: Race) -> Iterator[Goal]:
    """Yield what the headers add to a chain, and what the peer adds to an app."""
    for door in DOORS:
        app, chain, ours, peer = _names(door)
        added = race.ratio(ours, chain, app)
        yield f"SecurityHeaders adds to a chain, {door}, microseconds", added * race.micros(app), 0, 2.0
        yield f"secure's middleware adds, {door}, in that", race.ratio(peer, app, app) / added, 8.0, float("inf")


def _names(door: str) -> tuple[str, str, str, str]:
    return (
        f"an app of its own, {door}",
        f"IPFilter around it, {door}",
        f"and SecurityHeaders, strict, {door}",
        f"secure's middleware, {door}",
    )


def _rows(door: str) -> list[tuple[str, str]]:
    app, chain, ours, peer = _names(door)
    return [(app, app), (chain, app), (ours, chain), (peer, app)]
