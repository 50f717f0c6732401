"""Refuse requests that look like SQL injection or cross-site scripting."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import get_args

from ..errors import SettingsError
from ..http import App, Reply, Request, problem
from ..rules.decisions import Ruling
from ..rules.fields import Field, cookies, json_fields, pairs, parts
from ..rules.globs import expression
from ..rules.injection import Finding, detect, detect_near, worth
from ..rules.paths import PLAIN, canonical, matcher
from .layer import Layer, Mode

MOST = 10_240  # characters of a body that are judged in full; of the rest only what stands around strong words
SHORT = 256  # characters of a header whose verdict is remembered
EACH, CHEAP = 64, 8  # characters that a field costs besides; that one costs which needs no look

# What most clients send, which holds nothing to judge: found so at the engine's own speed.
_CLEAN_QUERY = re.compile(rb"[\w=&.,-]*").fullmatch
_CLEAN_COOKIES = re.compile(rb"(?:[\w.=/+:!-]|; )*").fullmatch
_CLEAN_NAME = re.compile(r"[\w.\[\]:-]{1,100}", re.ASCII).fullmatch
_KIND = re.compile(
    rb"\s*(?:(?:application|text)/(?:[\w.-]+\+)?(?P<json>json)\b|application/x-www-form-(?P<form>urlencoded)|"
    rb"(?P<multipart>multipart)/)",
    re.IGNORECASE,
).match


class InputGuard(Layer[None]):
    """Answer 400 to a request that holds SQL injection or cross-site scripting.

    It judges the path, the query, cookies, Referer and User-Agent, and the texts of JSON, form and multipart bodies,
    which are held up to the body limit; other bodies stream by. It is a second line of defence: queries with
    parameters, and pages that escape what they show, are the first.

    >>> app = InputGuard(None, paths={"/reports/*": "shadow"}, exempt=("form article", "/wiki/*: json body.*"))

    Args:
        app: What is protected.
        mode: "shadow" decides and records, and refuses nobody.
        paths: Other modes by path, of which the first that fits holds: "/reports/*" is all below /reports and itself.
        exempt: Fields that are not judged: a name ("article"), or a place and a name as the refusal says it ("form
            article", "json items.*.html", "cookie theme", "header referer"), `*` for anything, for some paths alone
            if they stand before it ("/wiki/*: json body").

    Raises:
        SettingsError: a mode, a path or a field does not fit.
    """

    reads_body = True

    def __init__(
        self, app: App, *, mode: Mode = "enforce", paths: Mapping[str, Mode] | None = None, exempt: Iterable[str] = ()
    ) -> None:
        super().__init__(app, mode=mode)
        modes: dict[str, Mode] = {**(paths or {})}
        for one in modes.values():
            if one not in get_args(Mode):
                raise SettingsError(f"paths: mode {one!r} must be one of {', '.join(get_args(Mode))}")
        self._paths: list[tuple[Callable[[str], bool], Mode]] = [(matcher(path), one) for path, one in modes.items()]
        self._exempt = [_exemption(text) for text in ([exempt] if isinstance(exempt, str) else exempt)]

    def reads(self, request: Request) -> bool:
        kind = request.header(b"content-type")
        if kind is None or request.scheme in ("ws", "wss"):
            return False
        return _KIND(kind) is not None and self._mode_for(request) != "off"

    def before(self, request: Request, answer: None) -> Reply | None:
        if self._paths and self._mode_for(request) == "off":
            return None
        found = self._find(request)
        if found is None:
            return None
        request.notes[self] = found
        detail = f"The request's {found.place} looks like an attack."
        # the path is not repeated where it is what was found
        members = {"instance": ""} if found.place == "path" else None
        return problem(request, 400, detail, members=members)

    def enforces(self, request: Request) -> bool:
        return (self._mode_for(request) if self._paths else self.mode) == "enforce"

    def why(self, request: Request) -> str:
        found = request.notes.get(self)
        if found is None:
            return "not judged" if self._mode_for(request) == "off" else "nothing found"
        return f"{found.rule} ({found.category}, {found.score} of 10) in {found.place}"

    def rulings(self, request: Request) -> list[Ruling]:
        found = request.notes.get(self)
        return [] if found is None else [Ruling(found.rule, False, self.enforces(request))]

    def _mode_for(self, request: Request) -> Mode:
        if not self._paths:
            return self.mode
        path = request.path
        if not PLAIN(path) and canonical(path) != path.rstrip("/").casefold():
            return self.mode  # a router may not read it as we do: no path of another mode
        for fits, mode in self._paths:
            if fits(path):
                return mode
        return self.mode

    def _find(self, request: Request) -> Finding | None:
        path = request.path
        if not PLAIN(path) and (found := _judge_path(path)):
            return _at("path", "", found)
        query = request.query
        worth_it = query and not _CLEAN_QUERY(query)
        if worth_it and (found := self._judge(request, "query", pairs(query.decode("latin-1")), query)):
            return found
        for name in (b"user-agent", b"referer"):
            value = request.header(name)
            if value is None or not (_remembered if len(value) <= SHORT else _judge_bytes)(value):
                continue
            if found := self._judge(request, "header", [(name.decode(), value.decode("latin-1"))], value):
                return found
        value = request.header(b"cookie")
        if value is not None and not _CLEAN_COOKIES(value):
            found = self._judge(request, "cookie", cookies(value.decode("latin-1")), value)
            if found:
                return found
        return self._find_in_body(request, request.body) if request.body else None

    def _find_in_body(self, request: Request, body: bytes) -> Finding | None:
        told = request.header(b"content-type") or b""
        kind = _KIND(told)
        if kind is None:
            return None
        if kind["json"]:
            return self._judge(request, "json", json_fields(body), body)
        fields = pairs(body.decode("latin-1"), most=3 * MOST) if kind["form"] else parts(body, told)
        return self._judge(request, "form", fields, body)

    def _judge(self, request: Request, kind: str, fields: Iterable[Field], raw: bytes) -> Finding | None:
        """Judge fields, names too, up to a number of characters; of a longer body the rest by strong words alone."""
        left = MOST
        exempt = [fits for on_path, fits in self._exempt if on_path(request.path)] if self._exempt else []
        for name, text in fields:
            if exempt and any(fits(name) or fits(f"{kind} {name}") for fits in exempt):
                continue
            if left < 0:
                return _at("body" if raw is request.body else kind, "", detect_near(raw.decode("latin-1")))
            if worth(text):
                left -= min(len(text), MOST) + EACH
                if found := detect(text):
                    return _at(kind, name, found)
            else:
                left -= CHEAP
            if not _CLEAN_NAME(name) and (found := detect(name)):
                return _at(kind, "", found)
        return None


def _exemption(text: str) -> tuple[Callable[[str], bool], Callable[[str], bool]]:
    path, colon, field = text.partition(":")
    if not colon or not path.startswith(("/", "*")):
        path, field = "*", text
    if not field.strip():
        raise SettingsError(f"exempt={text!r} names no field, as in 'form article' or '/wiki/*: json body'")
    fits = re.compile(expression(field.strip().replace("[", "\\[")), re.DOTALL).fullmatch
    return matcher(path.strip()), lambda name: fits(name) is not None


def _at(kind: str, name: str, found: Finding | None) -> Finding | None:
    """Return the finding with its place; a name that is no plain one may be the attack, and is not repeated."""
    if found is None:
        return None
    place = f"{kind} {name}" if _CLEAN_NAME(name) else kind
    return Finding(found.rule, found.score, found.category, place)


def _judge_path(path: str) -> Finding | None:
    return detect(path) or next(filter(None, map(detect, path.split("/"))), None)


def _judge_bytes(value: bytes) -> Finding | None:
    return detect(value.decode("latin-1"))


_remembered = lru_cache(4096)(_judge_bytes)  # browsers are few; a header is short, so this is at most some 2 MiB
