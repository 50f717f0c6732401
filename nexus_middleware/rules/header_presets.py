"""What each preset of `SecurityHeaders` says, in the words of `secure`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from secure.headers import ContentSecurityPolicy, PermissionsPolicy

Preset: TypeAlias = Literal["default", "strict", "api", "docs"]
CLOSED = ("strict", "api")
ASKED = ("geolocation", "microphone", "camera")
FEATURES = """
accelerometer autoplay camera cross-origin-isolated display-capture encrypted-media fullscreen geolocation
gyroscope keyboard-map magnetometer microphone midi payment picture-in-picture publickey-credentials-get
screen-wake-lock usb web-share xr-spatial-tracking clipboard-read clipboard-write gamepad hid idle-detection
interest-cohort serial unload
"""


def preset_headers(preset: Preset) -> dict[str, str]:
    """Return the headers of `preset`, Strict-Transport-Security among them.

    "strict" and "api" have the twelve static ones of the OWASP Secure Headers Project.

    >>> preset_headers("api")["Content-Security-Policy"]
    "default-src 'none'; frame-ancestors 'none'"
    """
    from secure import Secure, headers  # 20 ms that `import nexus_middleware` shall not cost

    closed = preset in CLOSED
    transport = headers.StrictTransportSecurity().max_age(63_072_000)  # seconds: two years
    referrer, opener, frames = headers.ReferrerPolicy(), headers.CrossOriginOpenerPolicy(), headers.XFrameOptions()
    made = Secure(
        cache=headers.CacheControl().no_store().max_age(0) if closed else None,
        coep=headers.CrossOriginEmbedderPolicy().require_corp() if closed else None,
        csp=_policy(preset),
        referrer=referrer.no_referrer() if closed else referrer.strict_origin_when_cross_origin(),
        hsts=transport.include_subdomains() if closed else transport,
        xcto=headers.XContentTypeOptions().nosniff(),
        xdfc=headers.XDnsPrefetchControl().off() if closed else None,
        xfo=frames.deny() if closed else frames.sameorigin(),
        coop=opener.same_origin() if closed else opener.same_origin_allow_popups(),
        corp=headers.CrossOriginResourcePolicy().same_origin() if closed else None,
        permissions=_permissions(closed=closed),
        xpcdp=headers.XPermittedCrossDomainPolicies().none(),
        custom=[headers.CustomHeader("X-XSS-Protection", "0")],  # its filter leaked pages; 0 is what OWASP asks for
    )
    return {**made.headers}


def _permissions(*, closed: bool) -> PermissionsPolicy:
    from secure.headers import PermissionsPolicy

    policy = PermissionsPolicy()
    for feature in FEATURES.split() if closed else ASKED:  # an open preset keeps them from frames of other sites alone
        policy = policy.add_directive(feature, "()" if closed else "self")
    return policy.add_directive("sync-xhr", "self") if closed else policy


def _policy(preset: Preset) -> ContentSecurityPolicy:
    from secure.headers import ContentSecurityPolicy

    policy = ContentSecurityPolicy()
    if preset == "default":  # breaks no page
        return policy.base_uri("'self'").frame_ancestors("'self'").object_src("'none'")
    if preset == "api":
        return policy.default_src("'none'").frame_ancestors("'none'")
    policy = policy.default_src("'none'").connect_src("'self'").base_uri("'none'").frame_ancestors("'none'")
    if preset == "strict":
        policy = policy.script_src("'none'").style_src("'self'").img_src("'self'").font_src("'self'")
        return policy.form_action("'self'").manifest_src("'self'")
    return _docs(policy)


def _docs(policy: ContentSecurityPolicy) -> ContentSecurityPolicy:
    """Add what the pages of Swagger UI and ReDoc load, as FastAPI serves them."""
    network = "https://cdn.jsdelivr.net"
    return (
        policy.script_src("'self'", "'unsafe-inline'", network)
        .style_src("'self'", "'unsafe-inline'", network, "https://fonts.googleapis.com")
        .font_src("'self'", "data:", "https://fonts.gstatic.com")
        .img_src("'self'", "data:", "https://fastapi.tiangolo.com", "https://cdn.redoc.ly")
        .worker_src("'self'", "blob:")
        .form_action("'self'")
    )
