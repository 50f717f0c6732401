"""Harden any ASGI or WSGI app for production, one layer at a time or all at once."""

from __future__ import annotations

from .errors import NexusError, SettingsError, StoreError
from .middleware.allowed_hosts import AllowedHosts
from .middleware.api_key import APIKey
from .middleware.body_limit import BodyLimit
from .middleware.cors import CORS
from .middleware.csp_reports import CSPReports
from .middleware.decision_log import DecisionLog
from .middleware.handlers import allow, allow_now, limit
from .middleware.input_guard import InputGuard
from .middleware.ip_filter import IPFilter
from .middleware.keys import by_api_key, by_client, by_header, by_user
from .middleware.layer import Layer
from .middleware.limits import Rule
from .middleware.rate_limit import RateLimit
from .middleware.request_id import RequestID
from .middleware.request_logger import RequestLogger
from .middleware.request_timing import RequestTiming
from .middleware.response_cache import CachePolicy, CacheRule, ResponseCache
from .middleware.rpc_limit import RPCLimit, RPCRule
from .middleware.security_headers import HeaderPolicy, SecurityHeaders
from .middleware.security_log import SecurityLog
from .middleware.trusted_proxies import TrustedProxies
from .rules.bans import Ban
from .rules.presets import CacheKeys, CacheTTL, RateLimits
from .settings import Settings
from .stack import Nexus
from .standard import with_options

__all__ = [
    "CORS",
    "APIKey",
    "AllowedHosts",
    "Ban",
    "BodyLimit",
    "CSPReports",
    "CacheKeys",
    "CachePolicy",
    "CacheRule",
    "CacheTTL",
    "DecisionLog",
    "HeaderPolicy",
    "IPFilter",
    "InputGuard",
    "Layer",
    "Nexus",
    "NexusError",
    "RPCLimit",
    "RPCRule",
    "RateLimit",
    "RateLimits",
    "RequestID",
    "RequestLogger",
    "RequestTiming",
    "ResponseCache",
    "Rule",
    "SecurityHeaders",
    "SecurityLog",
    "Settings",
    "SettingsError",
    "StoreError",
    "TrustedProxies",
    "allow",
    "allow_now",
    "by_api_key",
    "by_client",
    "by_header",
    "by_user",
    "limit",
    "with_options",
]
