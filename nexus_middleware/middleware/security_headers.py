"""Send the response headers that tell browsers to be careful."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from ..errors import SettingsError
from ..http import App, Head, Headers, Pair, Request
from .layer import Layer

if TYPE_CHECKING:
    from secure import Secure

Preset: TypeAlias = Literal["default", "strict", "api", "docs"]
HTTPS = ("https", "wss")
HSTS = b"strict-transport-security"
CSP = b"content-security-policy"
REPORT_ONLY = b"content-security-policy-report-only"


class SecurityHeaders(Layer[None]):
    """Add the headers that the app has not set itself; Strict-Transport-Security only over https (RFC 6797, 7.2).

    Args:
        app: What is protected.
        preset: "default" breaks no page; "strict" allows own scripts and styles only; "api" is for answers that are no
            pages; "docs" lets the pages of Swagger UI and ReDoc work, whose scripts come from a content network.
        csp: The Content-Security-Policy instead of the preset's; "" for none.
        report_only: A Content-Security-Policy-Report-Only beside it.
        paths: Other presets by the beginning of the path, of which the longest holds: `{"/docs": "docs"}`.
        override: Names of headers, in any case, that replace what the app says.

    Raises:
        SettingsError: a preset or a name is none.
    """

    def __init__(
        self,
        app: App,
        *,
        preset: Preset = "default",
        csp: str | None = None,
        report_only: str | None = None,
        paths: Mapping[str, Preset] | None = None,
        override: Iterable[str] = (),
    ) -> None:
        super().__init__(app)
        self._override = frozenset(name.lower().encode("latin-1") for name in override)
        self._plain, self._https = self._compile(preset, csp, report_only)
        by_length = sorted((paths or {}).items(), key=lambda item: -len(item[0]))
        self._paths = [(path, self._compile(other, None, report_only)) for path, other in by_length]

    def _compile(self, preset: str, csp: str | None, report_only: str | None) -> tuple[list[Pair], list[Pair]]:
        """Return the lines for http and for https."""
        if preset not in get_args(Preset):
            raise SettingsError(f"preset={preset!r} must be one of {', '.join(get_args(Preset))}")
        lines = {k.lower().encode("latin-1"): v.encode("latin-1") for k, v in _headers(preset).headers.items()}
        for name, value in ((CSP, csp), (REPORT_ONLY, report_only)):
            if value:
                lines[name] = _checked(value)
            elif value is not None:
                lines.pop(name, None)
        return [pair for pair in lines.items() if pair[0] != HSTS], [*lines.items()]

    def after(self, request: Request, head: Head) -> None:
        plain, https = self._plain, self._https
        if self._paths:
            plain, https = next((lines for path, lines in self._paths if request.path.startswith(path)), (plain, https))
        lines = https if request.scheme in HTTPS else plain
        headers = head.headers
        if self._override:
            headers = head.headers = [pair for pair in headers if pair[0] not in self._override]
        head.headers = [*headers, *_missing(headers, lines)]


def _missing(headers: Headers, lines: Headers) -> Headers:
    present = {name for name, _ in headers}
    return [pair for pair in lines if pair[0] not in present]


def _checked(value: str) -> bytes:
    if not value.isascii() or not value.isprintable():
        raise SettingsError(f"csp={value!r} must be one line of plain ASCII")
    return value.encode()


def _headers(preset: str) -> Secure:
    from secure import Secure  # 20 ms that `import nexus_middleware` shall not cost
    from secure.headers import (
        ContentSecurityPolicy,
        CrossOriginOpenerPolicy,
        CrossOriginResourcePolicy,
        CustomHeader,
        PermissionsPolicy,
        ReferrerPolicy,
        StrictTransportSecurity,
        XContentTypeOptions,
        XFrameOptions,
    )

    policies = {
        "default": ContentSecurityPolicy().base_uri("'self'").frame_ancestors("'self'").object_src("'none'"),
        "strict": ContentSecurityPolicy()
        .default_src("'none'")
        .script_src("'self'")
        .style_src("'self'")
        .img_src("'self'")
        .font_src("'self'")
        .connect_src("'self'")
        .form_action("'self'")
        .base_uri("'none'")
        .frame_ancestors("'none'"),
        "api": ContentSecurityPolicy().default_src("'none'").frame_ancestors("'none'"),
        "docs": ContentSecurityPolicy()
        .default_src("'none'")
        .script_src("'self'", "'unsafe-inline'", "https://cdn.jsdelivr.net")
        .style_src("'self'", "'unsafe-inline'", "https://cdn.jsdelivr.net", "https://fonts.googleapis.com")
        .font_src("https://fonts.gstatic.com")
        .img_src("'self'", "data:", "https://fastapi.tiangolo.com", "https://cdn.redoc.ly")
        .connect_src("'self'")
        .worker_src("blob:")
        .base_uri("'none'")
        .frame_ancestors("'none'"),
    }
    closed = preset in ("strict", "api")
    strict_transport = StrictTransportSecurity().max_age(63_072_000)  # seconds: two years
    referrer = ReferrerPolicy().no_referrer() if closed else ReferrerPolicy().strict_origin_when_cross_origin()
    return Secure(
        csp=policies[preset],
        referrer=referrer,
        hsts=strict_transport.include_subdomains() if closed else strict_transport,
        xcto=XContentTypeOptions().nosniff(),
        xfo=XFrameOptions().deny() if closed else XFrameOptions().sameorigin(),
        coop=CrossOriginOpenerPolicy().same_origin()
        if closed
        else CrossOriginOpenerPolicy().same_origin_allow_popups(),
        corp=CrossOriginResourcePolicy().same_origin() if closed else None,
        permissions=PermissionsPolicy().geolocation().microphone().camera(),
        custom=[CustomHeader("X-XSS-Protection", "0")],  # its filter leaked pages; 0 is what OWASP asks for
    )
