"""Usual limits, times and key names, to write once and read everywhere."""

from __future__ import annotations


class RateLimits:
    """Usual limits, in the notation of `limits`."""

    API = "100/minute"
    AUTH = "5/15minutes"
    STRICT = "10/minute"


class CacheTTL:
    """Usual times to live, in seconds."""

    SHORT = 60
    MEDIUM = 300
    LONG = 3_600
    DAY = 86_400
    WEEK = 604_800


class CacheKeys:
    """Usual beginnings of keys, as in `f"{CacheKeys.USER}:42"`; take any others you like."""

    USER = "user"
    COURSE = "course"
    LESSON = "lesson"
    ANALYTICS = "analytics"
    METRICS = "metrics"
    AB_TEST = "ab_test"
    FUNNEL = "funnel"
    SESSION = "session"
    REVENUE = "revenue"
    API_RESPONSE = "api_response"
