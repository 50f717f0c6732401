"""The standard order of layers, as a visible list: around the app, and around the dashboard and the probes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from inspect import signature
from typing import Any, TypeAlias

from .errors import SettingsError
from .http import App
from .middleware.allowed_hosts import AllowedHosts
from .middleware.api_key import APIKey
from .middleware.body_limit import BodyLimit
from .middleware.cors import CORS
from .middleware.csp_reports import CSPReports
from .middleware.decision_log import DecisionLog
from .middleware.input_guard import InputGuard
from .middleware.ip_filter import IPFilter
from .middleware.layer import Layer
from .middleware.limits import Rule
from .middleware.rate_limit import RateLimit
from .middleware.request_id import RequestID
from .middleware.request_logger import RequestLogger
from .middleware.request_timing import RequestTiming
from .middleware.response_cache import CacheRule, ResponseCache
from .middleware.security_headers import SecurityHeaders
from .middleware.security_log import SecurityLog
from .middleware.tracing import Tracing
from .middleware.trusted_proxies import TrustedProxies
from .runtime import Runtime
from .settings import Settings

Make: TypeAlias = Callable[[App], Layer[Any]]


def standard(runtime: Runtime, *, rules: Sequence[Rule], cache_rules: Sequence[CacheRule]) -> list[Make]:
    """Return the layers of the stack, outermost first; to edit the list is to edit the stack."""
    settings, store = runtime.settings, runtime.store
    layers: list[Make | None] = [
        partial(TrustedProxies, networks=settings.trusted_proxies, ipv6_prefix=settings.ipv6_prefix),
        RequestID,
        partial(Tracing, spans=runtime.telemetry.spans) if runtime.telemetry is not None else None,
        partial(
            RequestTiming,
            record=runtime.monitor.record,
            running=runtime.monitor.running,
            server_timing=settings.server_timing,
        ),
        partial(RequestLogger, log=runtime.log.access),
        partial(SecurityLog, record=runtime.security.note),
        _decision_log(runtime),
        _headers(settings),
        # outside of all that refuses: a page may read why, and a preflight, which brings no key, is answered first
        partial(CORS, origins=settings.cors_origins) if settings.cors_origins else None,
        allowed_hosts(runtime),
        _ip_filter(runtime),
        partial(BodyLimit, limit=settings.body_limit),
        # outside of the limit: reports of broken pages shall not use up what their reader may call
        partial(CSPReports, record=runtime.security.violated, path=settings.csp_report_path)
        if settings.csp_report_path
        else None,
        partial(RateLimit, limit=limits_of(settings, rules), store=store),  # off while there are none
        # inside of the limit, so that wrong keys are counted and nobody may guess without end; outside of the cache
        partial(APIKey, keys=settings.api_keys) if settings.api_keys else None,
        # inside of the limit, which costs less; outside of the cache, so that no answer is kept under an attack's address
        partial(InputGuard, mode=settings.input_guard),
        partial(ResponseCache, store=store, rules=cache_rules, pages=runtime.pages.local),
    ]
    return [layer for layer in layers if layer is not None]


def with_options(options: Mapping[type[Layer[Any]], Mapping[str, Any]]) -> Callable[[list[Make]], list[Make]]:
    """Return an edit for `Nexus(layers=…)`: the standard list, in which these layers are made with these options too.

    >>> from nexus_middleware import BodyLimit, InputGuard, Nexus, Settings
    >>> async def app(scope, receive, send): ...
    >>> edit = with_options({BodyLimit: {"paths": {"/upload/*": 50 * 2**20}}, InputGuard: {"exempt": ("form article",)}})
    >>> app = Nexus(app, Settings(), layers=edit)

    Raises:
        SettingsError: a layer is not in the list, or has no such option; said when the stack is made.
    """

    def edit(makes: list[Make]) -> list[Make]:
        kinds = [_kind(make) for make in makes]
        for kind, given in options.items():
            if kind not in kinds:
                raise SettingsError(f"{kind.__name__} is not in the stack, so its options would do nothing")
            for name in given:
                _reject_unknown(kind, name)
        pairs = zip(kinds, makes, strict=True)
        return [partial(make, **options[kind]) if kind in options else make for kind, make in pairs]

    return edit


def _kind(make: Make) -> Any:
    """Return what a `Make` makes: most are a layer's class, or a `partial` of it."""
    return getattr(make, "func", make)


def _reject_unknown(kind: type[Layer[Any]], name: str) -> None:
    known = [*signature(kind).parameters][1:]  # the first is the app
    if name not in known:
        close = get_close_matches(name, known, 1)
        would = f"did you mean {close[0]}?" if close else f"it has {', '.join(known)}"
        raise SettingsError(f"{kind.__name__} has no option {name!r}: {would}")


def limits_of(settings: Settings, rules: Sequence[Rule]) -> list[Rule]:
    """Return the settings' limit for all, if there is one, and the app's own rules."""
    for_all = Rule(limit=settings.rate_limit, exempt=settings.rate_limit_exempt)
    return [*([for_all] if settings.rate_limit else []), *rules]


def _decision_log(runtime: Runtime) -> Make:
    settings = runtime.settings
    return partial(
        DecisionLog, record=runtime.decisions.note, sample=settings.decision_sample, secret=settings.admin_secret
    )


def allowed_hosts(runtime: Runtime) -> Make | None:
    """Return what makes the layer, if the settings name hosts."""
    hosts = runtime.settings.allowed_hosts
    return partial(AllowedHosts, hosts=hosts) if hosts else None


def _headers(settings: Settings) -> Make:
    return partial(
        SecurityHeaders,
        preset=settings.header_preset,
        csp=settings.csp or None,
        report_only=settings.csp_report_only or None,
        report_path=settings.csp_report_path,
    )


def _ip_filter(runtime: Runtime) -> Make:
    settings, security = runtime.settings, runtime.security
    strike = security.strike if settings.ban else None
    return partial(
        IPFilter, allow=settings.allow, deny=settings.deny, blocked=security, strike=strike, also=runtime.filters
    )


def around_admin(runtime: Runtime) -> list[Make]:
    """Return the layers around the dashboard, its API and the probes, which limits and counts leave alone."""
    settings = runtime.settings
    return [
        partial(TrustedProxies, networks=settings.trusted_proxies),
        RequestID,
        partial(RequestLogger, log=runtime.log.access, exempt=(settings.livez_path, settings.readyz_path)),
        partial(SecurityLog, record=runtime.security.note),
        SecurityHeaders,
        _ip_filter(runtime),
        partial(BodyLimit, limit=settings.body_limit),
    ]


def wrap(app: App, layers: Iterable[Make]) -> App:
    """Put `layers`, outermost first, around `app`."""
    for make in reversed([*layers]):
        app = make(app)
    return app
