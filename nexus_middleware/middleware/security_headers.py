"""Send the response headers that tell browsers to be careful, and none that tell attackers about the server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import get_args

from ..errors import SettingsError
from ..http import NAME, App, Head, Headers, Pair, Request, fixed
from ..rules.csp import GROUP, NONCE, nonced, parse, reporting
from ..rules.header_presets import Preset, preset_headers
from ..rules.leaking_headers import LEAKING
from .layer import Layer

HTTPS = ("https", "wss")
HSTS = b"strict-transport-security"
CSP = b"content-security-policy"
REPORT_ONLY = b"content-security-policy-report-only"
POLICIES = (CSP, REPORT_ONLY)
NOTE = "csp_nonce"  # in `request.notes`, once the app has read it


@dataclass(frozen=True, kw_only=True)
class HeaderPolicy:
    """The headers of some paths.

    Args:
        preset: Where it begins.
        csp: The Content-Security-Policy instead of the preset's; "" for none.
        report_only: A Content-Security-Policy-Report-Only beside it.
        headers: More headers, or other values than the preset's; "" for none.
    """

    preset: Preset = field(default="default", kw_only=False)
    csp: str | None = None
    report_only: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class SecurityHeaders(Layer[None]):
    """Add the headers that the app has not set itself; Strict-Transport-Security only over https (RFC 6797, 7.2).

    Headers that name the software behind the app are removed: `LEAKING`, 87 of them. A page that reads
    `request.state.nexus.csp_nonce` is sent a policy with that nonce.

    >>> app = SecurityHeaders(None, preset="strict", paths={"/docs": "docs"})

    Args:
        app: What is protected.
        preset: "default" breaks no page; "strict" allows own styles and images, and
            scripts with the nonce only; "api" is for answers that are no
            pages; "docs" lets the pages of Swagger UI and ReDoc work, whose scripts come from a content network.
        csp: As of `HeaderPolicy`, as are the next two.
        report_only: Of the paths too that have a policy of their own and say nothing of it.
        headers: For every path that has no policy of its own.
        paths: Other presets or policies for a path and all below it, of which the longest holds: `{"/docs": "docs"}`.
        override: Names of headers, in any case, that replace what the app says.
        keep: Names of leaking headers that are let through.
        report_path: Where browsers are told to report violations, such as the path of `CSPReports`; "" for nowhere.

    Raises:
        SettingsError: a preset, a policy or a name is none.
    """

    def __init__(  # noqa: PLR0913  # each is one choice, by its keyword
        self,
        app: App,
        *,
        preset: Preset = "default",
        csp: str | None = None,
        report_only: str | None = None,
        headers: Mapping[str, str] | None = None,
        paths: Mapping[str, Preset | HeaderPolicy] | None = None,
        override: Iterable[str] = (),
        keep: Iterable[str] = (),
        report_path: str = "",
    ) -> None:
        super().__init__(app)
        if report_path and not report_path.startswith("/"):
            raise SettingsError(f"report_path={report_path!r} must begin with /")
        dropped = (LEAKING - {_name(name) for name in keep}) | {_name(name) for name in override}
        own = HeaderPolicy(preset, csp=csp, report_only=report_only, headers=headers or {})
        self._own = _Compiled(own, own.report_only, dropped, report_path)
        self._paths: list[tuple[str, str, _Compiled]] = []
        for path, given in sorted((paths or {}).items(), key=lambda item: -len(item[0])):
            if not path.startswith("/"):
                raise SettingsError(f"paths: {path!r} must begin with /")
            policy = HeaderPolicy(given) if isinstance(given, str) else given
            watch = report_only if policy.report_only is None else policy.report_only
            self._paths.append((path, path.rstrip("/") + "/", _Compiled(policy, watch, dropped, report_path)))

    def after(self, request: Request, head: Head) -> None:
        compiled = self._of(request) if self._paths else self._own
        lines = compiled.https if request.scheme in HTTPS else compiled.plain
        nonce = request.notes.get(NOTE)
        pairs = lines.pairs if nonce is None else lines.with_nonce(nonce.encode())
        headers = head.headers
        if lines.watched.isdisjoint(map(NAME, headers)):  # nearly always
            headers += pairs
        else:
            headers[:] = [pair for pair in headers if pair[0] not in lines.dropped]
            present = {name for name, _ in headers}
            headers += [pair for pair in pairs if pair[0] not in present]

    def lines(self, request: Request) -> dict[str, str]:
        """Return what is sent on a path where the app says nothing itself."""
        head = Head(200, [])
        self.after(request, head)
        return {name.decode(): value.decode() for name, value in head.headers}

    def _of(self, request: Request) -> _Compiled:
        path = request.path
        inside = path.removeprefix(request.mount)
        for exact, below, compiled in self._paths:
            if exact in (path, inside) or path.startswith(below) or inside.startswith(below):
                return compiled
        return self._own

    def why(self, request: Request) -> str:
        return "with a nonce" if NOTE in request.notes else ""


class _Compiled:
    """The lines of one policy, ready to be sent."""

    def __init__(
        self, policy: HeaderPolicy, report_only: str | None, dropped: frozenset[bytes], report_path: str
    ) -> None:
        if policy.preset not in get_args(Preset):
            raise SettingsError(f"preset={policy.preset!r} must be one of {', '.join(get_args(Preset))}")
        lines = {name.lower(): value for name, value in preset_headers(policy.preset).items()}
        given = {name.lower(): value for name, value in policy.headers.items()}
        for name, value in ((CSP, policy.csp), (REPORT_ONLY, report_only)):
            if value is not None:
                parse(value)
                given[name.decode()] = value
        lines = {name: value for name, value in {**lines, **given}.items() if value}
        strict = policy.preset == "strict" and not policy.csp
        self.https = _Lines(_told(lines, report_path, secure=True), dropped, strict=strict)
        lines.pop(HSTS.decode(), None)
        self.plain = _Lines(_told(lines, report_path, secure=False), dropped, strict=strict)


class _Lines:
    """What goes out with a response, over one scheme."""

    def __init__(self, lines: Mapping[str, str], dropped: frozenset[bytes], *, strict: bool) -> None:
        self.pairs: Headers = [fixed(_name(name), _value(name, value)) for name, value in lines.items()]
        self.dropped = dropped
        self.watched = dropped | {name for name, _ in self.pairs}
        self._plain = [pair for pair in self.pairs if pair[0] not in POLICIES]
        self._nonced = [
            (name, nonced(value.decode(), strict=strict).encode().split(NONCE.encode()))
            for name, value in self.pairs
            if name in POLICIES
        ]

    def with_nonce(self, nonce: bytes) -> list[Pair]:
        """Return the lines of a page that has read its nonce."""
        return [*self._plain, *[(name, nonce.join(parts)) for name, parts in self._nonced]]


def _told(lines: Mapping[str, str], path: str, *, secure: bool) -> dict[str, str]:
    """Add to the policies where to report to."""
    if not path:
        return {**lines}
    told = {k: reporting(v, path, secure=secure) if k.encode() in POLICIES else v for k, v in lines.items()}
    return {**told, "reporting-endpoints": f'{GROUP}="{path}"'} if secure else told


def _name(name: str) -> bytes:
    if not name.isascii() or not name.isprintable() or not name or set(name) & set(' :"(),/;<=>?@[\\]{}'):
        raise SettingsError(f"{name!r} is no name of a header")
    return name.lower().encode()


def _value(name: str, value: str) -> bytes:
    if not value.isascii() or not value.isprintable():
        raise SettingsError(f"{name}={value!r} must be one line of plain ASCII")
    return value.encode()
