"""Content-Security-Policy as text: read, widened for one response's nonce, and told where to report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from ..errors import SettingsError

Directives: TypeAlias = dict[str, list[str]]
NONCE = "\0"  # stands where the nonce goes, until there is one
GUARDED = ("script-src", "style-src")  # what a nonce is for
GROUP = "csp"  # of Reporting-Endpoints


def parse(policy: str) -> Directives:
    """Read a policy (CSP level 3, section 2.2.1); of a directive that is there twice the first counts.

    >>> parse("default-src 'none'; img-src 'self' data:")
    {'default-src': ["'none'"], 'img-src': ["'self'", 'data:']}

    Raises:
        SettingsError: it is not one line of plain ASCII.
    """
    if not policy.isascii() or not policy.isprintable():
        raise SettingsError(f"csp={policy!r} must be one line of plain ASCII")
    found: Directives = {}
    for part in policy.split(";"):
        name, *sources = part.split() or [""]
        if name:
            found.setdefault(name.lower(), sources)
    return found


def unparse(directives: Mapping[str, list[str]]) -> str:
    """Return the policy as text.

    >>> unparse({"default-src": ["'none'"], "upgrade-insecure-requests": []})
    "default-src 'none'; upgrade-insecure-requests"
    """
    return "; ".join([" ".join([name, *sources]) for name, sources in directives.items()])


def nonced(policy: str, *, strict: bool) -> str:
    """Return `policy` with a place for a nonce wherever scripts or styles are restricted.

    One that allows everything inline is left as it is: a nonce would forbid the rest.

    Args:
        policy: Any policy.
        strict: A script with the nonce may load others ('strict-dynamic'); names of sites then open none.

    >>> nonced("default-src 'self'", strict=False).replace(NONCE, "X")
    "default-src 'self'; script-src 'self' 'nonce-X'; style-src 'self' 'nonce-X'"
    """
    directives = parse(policy)
    for name in (*GUARDED, "script-src-elem", "style-src-elem"):
        sources = directives.get(name, directives.get("default-src") if name in GUARDED else None)
        if sources is None or "'unsafe-inline'" in sources:
            continue
        kept = [source for source in sources if source != "'none'"]
        if strict and name == "script-src":
            kept.append("'strict-dynamic'")
        directives[name] = [*kept, f"'nonce-{NONCE}'"]
    return unparse(directives)


def reporting(policy: str, path: str, *, secure: bool) -> str:
    """Return `policy` with where to report to, unless it says so itself.

    Browsers that know `report-to` ignore `report-uri` where both stand, and know no endpoint without https.

    >>> reporting("default-src 'none'", "/csp", secure=True)
    "default-src 'none'; report-uri /csp; report-to csp"
    """
    directives = parse(policy)
    if "report-uri" not in directives and "report-to" not in directives:
        directives["report-uri"] = [path]
        if secure:
            directives["report-to"] = [GROUP]
    return unparse(directives)
