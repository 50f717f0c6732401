"""When an address that keeps being refused is shut out, and for how long."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from ..errors import SettingsError
from .networks import IPV6_PREFIX, checked_prefix

UNITS = {"second": 1.0, "minute": 60.0, "hour": 3_600.0, "day": 86_400.0}
DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(second|minute|hour|day)s?\s*").fullmatch
SENTENCE = re.compile(r"\s*(\d+)\s+in\s+(.+?)\s+for\s+(.+)").fullmatch


def seconds(text: str | float) -> float:
    """Read a duration: "10 minutes", "1 hour", or a number of seconds.

    >>> seconds("10 minutes"), seconds(90)
    (600.0, 90.0)

    Raises:
        SettingsError: it is none, or not above 0.
    """
    match = DURATION(text) if isinstance(text, str) else None
    value = float(match[1]) * UNITS[match[2]] if match else 0.0 if isinstance(text, str) else float(text)
    if value <= 0:
        raise SettingsError(f"{text!r} is no duration: write '10 minutes', '1 hour', or seconds above 0 as a number")
    return value


@dataclass(frozen=True, kw_only=True)
class Ban:
    """Shut out an address for a time, twice as long each time.

    >>> Ban(after=20, within="10 minutes", lasts="1 hour").length(3)
    14400.0

    Args:
        after: How many responses of these statuses are one too many.
        within: In how long, "10 minutes" or seconds.
        lasts: For how long the first ban is.
        statuses: Of responses that speak against who asked.
        most: For how long a ban is at the most.
        spare: Networks and addresses that are never banned, besides this machine's own and those that may always call.
        ipv6_prefix: An IPv6 address is banned with its network of so many bits.

    Raises:
        SettingsError: a number or a duration does not fit.
    """

    after: int = 20
    within: str | float = "10 minutes"
    lasts: str | float = "1 hour"
    statuses: tuple[int, ...] = (401, 429)
    most: str | float = "1 day"
    spare: tuple[str, ...] = field(default=())
    ipv6_prefix: int = IPV6_PREFIX

    def __post_init__(self) -> None:
        if self.after < 1:
            raise SettingsError(f"after={self.after} must be at least 1 response")
        if not self.statuses or not all(400 <= status <= 599 for status in self.statuses):
            raise SettingsError(f"statuses={self.statuses} must be of responses that refuse, such as (401, 429)")
        if seconds(self.lasts) > seconds(self.most):
            raise SettingsError(f"lasts={self.lasts!r} is longer than most={self.most!r}")
        seconds(self.within)
        checked_prefix(self.ipv6_prefix)

    def length(self, times: int) -> float:
        """Return how many seconds the ban lasts of an address that is banned for that many times."""
        return min(seconds(self.most), seconds(self.lasts) * math.pow(2.0, min(times - 1, 40)))

    @classmethod
    def read(cls, text: str) -> Ban:
        """Read "20 in 10 minutes for 1 hour".

        Raises:
            SettingsError: it is nothing like that.
        """
        match = SENTENCE(text)
        if match is None:
            raise SettingsError(f"ban={text!r} must be like '20 in 10 minutes for 1 hour'")
        return cls(after=int(match[1]), within=match[2], lasts=match[3])
