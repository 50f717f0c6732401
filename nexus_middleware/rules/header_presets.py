"""What each preset of `SecurityHeaders` says, in the words of `secure`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from secure.headers import ContentSecurityPolicy

Preset: TypeAlias = Literal["default", "strict", "api", "docs"]
CLOSED = ("strict", "api")


def preset_headers(preset: Preset) -> dict[str, str]:
    """Return the headers of `preset`, Strict-Transport-Security among them.

    >>> preset_headers("api")["Content-Security-Policy"]
    "default-src 'none'; frame-ancestors 'none'"
    """
    from secure import Secure, headers  # 20 ms that `import nexus_middleware` shall not cost

    closed = preset in CLOSED
    transport = headers.StrictTransportSecurity().max_age(63_072_000)  # seconds: two years
    referrer, opener, frames = headers.ReferrerPolicy(), headers.CrossOriginOpenerPolicy(), headers.XFrameOptions()
    made = Secure(
        csp=_policy(preset),
        referrer=referrer.no_referrer() if closed else referrer.strict_origin_when_cross_origin(),
        hsts=transport.include_subdomains() if closed else transport,
        xcto=headers.XContentTypeOptions().nosniff(),
        xfo=frames.deny() if closed else frames.sameorigin(),
        coop=opener.same_origin() if closed else opener.same_origin_allow_popups(),
        corp=headers.CrossOriginResourcePolicy().same_origin() if closed else None,
        permissions=headers.PermissionsPolicy().geolocation().microphone().camera(),
        custom=[headers.CustomHeader("X-XSS-Protection", "0")],  # its filter leaked pages; 0 is what OWASP asks for
    )
    return {**made.headers}


def _policy(preset: Preset) -> ContentSecurityPolicy:
    from secure.headers import ContentSecurityPolicy

    policy = ContentSecurityPolicy()
    if preset == "default":  # breaks no page
        return policy.base_uri("'self'").frame_ancestors("'self'").object_src("'none'")
    if preset == "api":
        return policy.default_src("'none'").frame_ancestors("'none'")
    policy = policy.default_src("'none'").connect_src("'self'").base_uri("'none'").frame_ancestors("'none'")
    if preset == "strict":
        policy = policy.script_src("'self'").style_src("'self'").img_src("'self'").font_src("'self'")
        return policy.form_action("'self'")
    return _docs(policy)


def _docs(policy: ContentSecurityPolicy) -> ContentSecurityPolicy:
    """Add what the pages of Swagger UI and ReDoc load."""
    network = "https://cdn.jsdelivr.net"
    return (
        policy.script_src("'self'", "'unsafe-inline'", network)
        .style_src("'self'", "'unsafe-inline'", network, "https://fonts.googleapis.com")
        .font_src("https://fonts.gstatic.com")
        .img_src("'self'", "data:", "https://fastapi.tiangolo.com", "https://cdn.redoc.ly")
        .worker_src("blob:")
    )
