"""Send the response headers that tell browsers to be careful."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias, get_args

from ..errors import SettingsError
from ..http import App, Head, Request
from ..rules.header_presets import Preset, preset_headers
from .layer import Layer

Lines: TypeAlias = dict[bytes, bytes]
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

    def _compile(self, preset: Preset, csp: str | None, report_only: str | None) -> tuple[Lines, Lines]:
        """Return the lines for http and for https."""
        if preset not in get_args(Preset):
            raise SettingsError(f"preset={preset!r} must be one of {', '.join(get_args(Preset))}")
        lines = {k.lower().encode("latin-1"): v.encode("latin-1") for k, v in preset_headers(preset).items()}
        for name, value in ((CSP, csp), (REPORT_ONLY, report_only)):
            if value:
                lines[name] = _checked(value)
            elif value is not None:
                lines.pop(name, None)
        return {name: value for name, value in lines.items() if name != HSTS}, lines

    def after(self, request: Request, head: Head) -> None:
        plain, https = self._plain, self._https
        if self._paths:
            plain, https = next((lines for path, lines in self._paths if request.path.startswith(path)), (plain, https))
        lines = https if request.scheme in HTTPS else plain
        if self._override:
            head.headers = [pair for pair in head.headers if pair[0] not in self._override]
        head.add_missing(lines)


def _checked(value: str) -> bytes:
    if not value.isascii() or not value.isprintable():
        raise SettingsError(f"csp={value!r} must be one line of plain ASCII")
    return value.encode()
