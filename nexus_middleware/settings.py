"""Every knob of `Nexus`, in one frozen object."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_type_hints

from .errors import SettingsError

HeaderPreset = Literal["default", "strict", "api", "docs"]
LogLevel = Literal["error", "warn", "info", "http", "debug"]
LogClients = Literal["whole", "network", "none"]
GuardMode = Literal["enforce", "shadow", "off"]
ADMIN_TOKEN = re.compile(r"([A-Za-z0-9._-]{1,64})(?::read_only)?=.+").fullmatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a `Nexus` stack does. The defaults are safe in production, behind no proxy.

    >>> Settings(rate_limit="10/second;1000/hour").body_limit
    512000
    """

    store: str = field(default="memory://", repr=False)  # or redis://host:port/db, shared by every worker
    queue_store: str = field(default="", repr=False)  # where jobs live; "" for `store`
    namespace: str = "nexus"  # what every key in Redis begins with
    environment: str = "development"  # or production, staging, …; shown on the dashboard
    release: str = ""  # your app's version: the charts mark when it changes
    trusted_proxies: tuple[str, ...] = ()  # networks whose X-Forwarded-For is believed
    ipv6_prefix: int = 64  # bits of the network that is one IPv6 caller, to limits, bans and the dashboard's sign-in
    rate_limit: str = "100/minute"  # in the notation of `limits`; "" for none
    rate_limit_exempt: tuple[str, ...] = ()  # paths that it is not about, "/static/*"
    body_limit: int = 500 * 1024  # bytes
    rules: str = ""  # a TOML file of limits, address lists and cache times, read again when it changes
    allow: tuple[str, ...] = ()  # networks that alone may call; () for all
    deny: tuple[str, ...] = ()  # networks that may not call; here and in `allow`, "/path" is a file that lists them
    allowed_hosts: tuple[str, ...] = ()  # that are served, "example.org" or "*.example.org"; () for every one
    ban: str = (
        ""  # "20 in 10 minutes for 1 hour": who is refused so often is banned, twice as long each time; "" for no
    )
    cors_origins: tuple[str, ...] = ()  # whose pages may read the answers, "https://shop.example"; () for no CORS
    api_keys: tuple[str, ...] = field(default=(), repr=False)  # for /api/*, plain, sha256:… or file:…; () needs none
    input_guard: GuardMode = "shadow"  # or enforce, which refuses what looks like an attack; off
    header_preset: HeaderPreset = "default"  # of `SecurityHeaders`
    csp: str = ""  # Content-Security-Policy; "" for the preset's
    csp_report_only: str = ""  # a second policy, which only reports
    csp_report_path: str = ""  # where browsers report what breaks a policy; "" for nowhere
    admin_token: str = field(default="", repr=False)  # opens the dashboard and its API; "" locks them
    admin_tokens: tuple[str, ...] = field(default=(), repr=False)  # more of them, "ada=…" or "grafana:read_only=…"
    dashboard_path: str = "/admin/infrastructure"
    api_path: str = "/api/infrastructure"
    livez_path: str = "/livez"  # "" gives the path back to the app, here and in the next
    readyz_path: str = "/readyz"
    metrics_path: str = "/metrics"  # for Prometheus, with the admin token; the app's own while nobody has access
    log_dir: str = ""  # "" for standard output only
    log_level: LogLevel = "info"
    log_clients: LogClients = "whole"  # addresses in the log: "network" for their /24 or /48, "none"
    health: tuple[str, ...] = ()  # other thresholds, "memory=70/90" (degraded/unhealthy) or "cpu=off"
    alert_webhooks: tuple[str, ...] = field(default=(), repr=False)  # URLs to which alerts are posted
    alert_secret: str = field(default="", repr=False)  # whsec_…, which signs those posts
    alert_email: tuple[str, ...] = ()  # whom alerts are mailed to
    otel: bool = False  # send traces and metrics by OpenTelemetry; OTEL_* variables say where
    server_timing: bool = False  # tell clients what each layer took
    smtp_url: str = field(default="", repr=False)  # smtp://host:port, smtps://user:password@host, smtp+starttls://…
    smtp_from: str = ""  # the address that e-mail comes from
    zone: str = "UTC"  # whose midnight ends a day of the analytics
    funnels: tuple[str, ...] = ()  # of the analytics, "sale:viewed>cart>paid"
    report_to: tuple[str, ...] = ()  # who gets the weekly report by e-mail
    media_dir: str = ""  # the folder of uploaded files, for content jobs
    vapid_key: str = field(default="", repr=False)  # signs push messages: PEM or base64url
    vapid_subject: str = ""  # who sends them, mailto:… or https://…
    webhooks_private: bool = False  # let users' webhooks go to addresses of our own network
    decision_sample: float = 0.0  # share, 0 to 1, of the requests that pass whose decisions are kept too
    off: bool = False  # break the glass: everything passes through, nothing is done

    def __post_init__(self) -> None:
        if self.body_limit <= 0:
            raise SettingsError(f"body_limit is in bytes and must be above 0, not {self.body_limit}")
        if not 0 <= self.decision_sample <= 1:
            raise SettingsError(f"decision_sample is a share from 0 to 1, not {self.decision_sample}")
        if not self.namespace or set(self.namespace) & set(": \t\r\n*?[]{}\\"):
            raise SettingsError(f"namespace={self.namespace!r} must be a plain name, such as 'nexus'")
        if self.allow and "*" in self.trusted_proxies:
            raise SettingsError(
                "trusted_proxies='*' lets everyone claim an address of the allow list: name the proxies"
            )
        _check_tokens(self.admin_tokens)
        for name in ("dashboard_path", "api_path", "csp_report_path", "livez_path", "readyz_path", "metrics_path"):
            _check_path(name, getattr(self, name))
        kinds = {
            "log_level": LogLevel,
            "log_clients": LogClients,
            "input_guard": GuardMode,
            "header_preset": HeaderPreset,
        }
        for name, kind in kinds.items():
            if getattr(self, name) not in get_args(kind):
                raise SettingsError(f"{name}={getattr(self, name)!r} must be one of {', '.join(get_args(kind))}")

    @property
    def admin_secret(self) -> str:
        """All that opens the dashboard, as one secret: "" if nothing does, and another one when a token is changed."""
        return self.admin_token if not self.admin_tokens else "\n".join((self.admin_token, *self.admin_tokens))

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read `NEXUS_BODY_LIMIT` and the like; `REDIS_URL` stands in for `NEXUS_STORE`.

        Raises:
            SettingsError: a value does not fit, or a name is nearly one of ours. A name that is not is one warning.
        """
        environ = os.environ if environ is None else environ
        names = {f"NEXUS_{f.name.upper()}": f.name for f in fields(cls)}
        given = {name: text for name, text in environ.items() if name.startswith("NEXUS_")}
        for name in sorted(given.keys() - names.keys()):
            _reject_or_warn(name, [*names])
        kinds = get_type_hints(cls)
        values = {names[name]: _read(name, text, kinds[names[name]]) for name, text in given.items() if name in names}
        if values.get("api_keys") == ():
            raise SettingsError(
                "NEXUS_API_KEYS is set and has no key, which would open what it closes: unset it for that"
            )
        if environ.get("REDIS_URL") and "store" not in values:
            values["store"] = environ["REDIS_URL"]
        return cls(**values)


def _check_tokens(tokens: tuple[str, ...]) -> None:
    names = [match[1] if (match := ADMIN_TOKEN(text)) else "" for text in tokens]
    if "" in names:  # it may be a secret, so that it is not repeated
        raise SettingsError(
            f"admin_tokens: entry {names.index('') + 1} must be name=token or name:read_only=token, as in ada=…"
        )
    if len({*names}) < len(names):
        raise SettingsError("admin_tokens: two have the same name")


def _check_path(name: str, path: str) -> None:
    if path and (not path.startswith("/") or path.endswith("/") or "//" in path):
        raise SettingsError(f"{name}={path!r} must be a path that begins with / and does not end with one, or ''")


def _reject_or_warn(name: str, names: list[str]) -> None:
    close = get_close_matches(name, names, 1, 0.8)
    if close:
        raise SettingsError(f"unknown setting {name}: did you mean {close[0]}?")
    warnings.warn(f"{name} is not a setting of nexus_middleware and does nothing", stacklevel=3)


def _words(text: str) -> tuple[str, ...]:
    return tuple([part.strip() for part in text.split(",") if part.strip()])


_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
_READERS: dict[Any, tuple[Callable[[str], Any], str]] = {
    int: (int, "a whole number"),
    float: (float, "a number"),
    bool: (lambda text: _BOOLEANS[text.lower()], "true or false"),
    tuple[str, ...]: (_words, "a list parted by commas"),
}


def _read(name: str, text: str, kind: Any) -> Any:
    read, wanted = _READERS.get(kind, (str, "text"))
    try:
        return read(text.strip())
    except (ValueError, KeyError) as error:
        raise SettingsError(f"{name}={text!r} must be {wanted}") from error
