"""The dashboard's page, its sign-in page, and the files they load; no build step, no template engine."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import secrets
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import msgspec

from ..http import Pair
from .answers import NO_STORE, Answer, Problem, nothing_here
from .exchange import Exchange
from .resource import Action, Resource

STATIC = files("nexus_middleware.admin") / "static"
KINDS = {
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "mjs": b"text/javascript; charset=utf-8",
    "svg": b"image/svg+xml",
}
CSP = (  # scripts by their nonce alone, and the modules that those import
    "default-src 'none'; script-src 'strict-dynamic' 'nonce-{nonce}'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
FILE_CSP: Pair = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
SAFETY: tuple[Pair, ...] = (
    (b"referrer-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
THEME = re.compile(r"(?:^|;\s*)nexus-theme=(light|dark)(?:;|$)")  # chosen by the settings, for the next page
SCRIPT = re.compile(r'<script\b[^>]* src="{{static}}/([^"]+)"')
HTML: Pair = (b"content-type", b"text/html; charset=utf-8")
FOREVER: Pair = (b"cache-control", b"public, max-age=31536000, immutable")  # the address changes with the content


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that the page loads."""

    kind: bytes
    body: bytes
    packed: bytes  # gzip


@dataclass(frozen=True, slots=True)
class Assets:
    """All such files, under a name that changes when one of them does."""

    tag: str
    by_name: dict[str, Asset]


def pages() -> dict[str, Resource]:
    """Return what the dashboard serves beside the API, by path."""
    return {
        "/": Resource("dashboard", {"GET": Action("", _page)}, public=True),
        "/static/{tag}/{name:path}": Resource("dashboard", {"GET": Action("", _static)}, public=True),
    }


async def _page(exchange: Exchange) -> Answer:
    try:
        await exchange.access.admit(exchange)
    except Problem as why:
        if why.status not in (401, 429) or not exchange.access.by_token:
            raise
        return _html("sign-in.html", why.status, {"error": "" if why.status == 401 else why.detail}, exchange)
    if "view" not in exchange.rights:
        raise nothing_here()
    panels = exchange.panels
    snapshot = {**await panels.overview(), "meta": panels.meta(), "me": exchange.me}
    answer = _html("page.html", 200, snapshot, exchange)
    if exchange.who != "token" or exchange.token is None:
        return answer
    begun = exchange.access.sessions.cookie(
        exchange.token, secure=exchange.secure
    )  # what the page asks brings the token no more
    return Answer(answer.status, answer.body, (*answer.headers, begun))


def _html(name: str, status: int, snapshot: dict[str, Any], exchange: Exchange) -> Answer:
    environment = exchange.runtime.settings.environment
    data = msgspec.json.encode(snapshot).decode().replace("<", "\\u003c")  # so that no text ends the script element
    nonce, theme = secrets.token_urlsafe(16), THEME.search(exchange.cookies)
    values = {
        "static": f"static/{assets().tag}",
        "nonce": nonce,
        "environment": escape(environment),
        "theme": f' data-theme="{theme[1]}"' if theme else "",
        "plain": "" if exchange.secure else "plain",
        "snapshot": data,  # the last, so that nothing in it is filled
    }
    text = SCRIPT.sub(_sealed, _template(name))
    for key, value in values.items():
        text = text.replace("{{" + key + "}}", value)
    policy: Pair = (b"content-security-policy", CSP.format(nonce=nonce).encode())
    body, headers = text.encode(), (HTML, NO_STORE, (b"vary", b"accept-encoding"), policy, *SAFETY)
    if "gzip" not in exchange.headers.get("accept-encoding", ""):
        return Answer(status, body, headers)
    # it holds no secret that its length could tell: the nonce is another each time
    return Answer(status, gzip.compress(body, 6, mtime=0), (*headers, (b"content-encoding", b"gzip")))


def _sealed(element: re.Match[str]) -> str:
    """Add to a script element what its file hashes to (Subresource Integrity)."""
    digest = hashlib.sha384(assets().by_name[element[1]].body).digest()
    return f'{element[0]} integrity="sha384-{base64.b64encode(digest).decode()}"'


async def _static(exchange: Exchange) -> Answer:
    known = assets()
    asset = known.by_name.get(exchange.path_params["name"])
    if asset is None:
        raise nothing_here()
    # another tag is that of another version, whose page was loaded before this one was deployed
    caching = FOREVER if exchange.path_params["tag"] == known.tag else NO_STORE
    headers = ((b"content-type", asset.kind), caching, (b"vary", b"accept-encoding"), FILE_CSP, *SAFETY)
    if "gzip" in exchange.headers.get("accept-encoding", ""):
        return Answer(200, asset.packed, (*headers, (b"content-encoding", b"gzip")))
    return Answer(200, asset.body, headers)


@lru_cache(1)
def assets() -> Assets:
    """Read all files that the page loads, once."""
    bodies = {name: file.read_bytes() for name, file in _walk(STATIC, "") if name.rpartition(".")[2] in KINDS}
    digest = hashlib.sha256()
    for name in sorted(bodies):
        digest.update(name.encode() + b"\0" + bodies[name])
    by_name = {
        name: Asset(KINDS[name.rpartition(".")[2]], body, gzip.compress(body, 9, mtime=0))
        for name, body in bodies.items()
    }
    return Assets(digest.hexdigest()[:16], by_name)


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _walk(entry, f"{prefix}{entry.name}/")
        else:
            found.append((prefix + entry.name, entry))
    return found


@lru_cache(4)
def _template(name: str) -> str:
    return (STATIC / name).read_text("utf-8")
