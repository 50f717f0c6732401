"""What layers decided about a request, as it is told and kept."""

from __future__ import annotations

import hmac

import msgspec

LASTS = 600  # seconds that a key for the header holds


class Ruling(msgspec.Struct, frozen=True):
    """What one rule said of one request."""

    rule: str
    allowed: bool
    binds: bool  # False: in shadow
    key: str = ""  # on whom it was counted: an address, or a digest
    count: int | None = None  # that were used up then, this call included if it was admitted
    limit: int | None = None
    window: float | None = None  # seconds


class Decision(msgspec.Struct, frozen=True):
    """What one layer decided about one request, and why."""

    layer: str
    verdict: str  # passed, answered, would answer (mode="shadow"), not reached
    status: int | None
    why: str
    rules: tuple[Ruling, ...] = ()
    took: float | None = None  # µs in the layer's own steps; only where these are timed (`server_timing`)

    @property
    def refusal(self) -> str:
        """Which it is of "refused", "would refuse" and ""."""
        if self.verdict not in ("answered", "would answer"):
            return ""
        refused = (self.status or 0) >= 400 or any(not ruling.allowed for ruling in self.rules)
        return ("refused" if self.verdict == "answered" else "would refuse") if refused else ""


class Record(msgspec.Struct, frozen=True):
    """What all layers decided about one request; `at` in seconds since the epoch."""

    request_id: str
    at: float
    client: str
    method: str
    path: str  # without the query
    status: int
    outcome: str  # refused, would refuse, passed
    decisions: tuple[Decision, ...]

    @property
    def refusals(self) -> list[tuple[str, str, str]]:
        """Return layer, rule and "refused" or "would refuse" for each rule that spoke against it.

        A layer that does not tell its rules apart has one, called "".
        """
        found: list[tuple[str, str, str]] = []
        for decision in self.decisions:
            against = [ruling for ruling in decision.rules if not ruling.allowed]
            found += [(decision.layer, x.rule, "refused" if x.binds else "would refuse") for x in against]
            if not against and decision.refusal:
                found.append((decision.layer, "", decision.refusal))
        return found


def outcome(decisions: list[Decision]) -> str:
    """Return what became of a request: refused, would refuse or passed."""
    told = {decision.refusal for decision in decisions}
    return "refused" if "refused" in told else "would refuse" if "would refuse" in told else "passed"


def brief(decisions: list[Decision]) -> str:
    """Return decisions as one header line.

    >>> brief([Decision("RateLimit", "answered", 429, "", (Ruling("sign-in", False, True, "203.0.113.9", 5, 5, 900.0),))])
    'RateLimit=answered;status=429;rule="sign-in 5/5 per 900 s, against"'
    """
    return ", ".join([_brief(decision) for decision in decisions])


def _brief(decision: Decision) -> str:
    told = f"{decision.layer}={decision.verdict.replace(' ', '-')}"
    if decision.status is not None:
        told += f";status={decision.status}"
    for x in decision.rules:
        used = "" if x.limit is None else f" {x.count}/{x.limit} per {x.window:g} s"
        told += f';rule="{x.rule}{used}{"" if x.allowed else ", against" if x.binds else ", against, in shadow"}"'
    return told if decision.took is None else f"{told};us={decision.took:g}"


def sign(secret: str, until: int) -> str:
    """Return a key that opens the header of decisions until then, in seconds since the epoch.

    >>> opens("a secret", sign("a secret", 1000), 999.0), opens("a secret", sign("a secret", 1000), 1000.0)
    (True, False)
    """
    signing = hmac.digest(secret.encode(), b"nexus decisions 1", "sha256")
    return f"{until}.{hmac.digest(signing, b'%d' % until, 'sha256').hex()}"


def opens(secret: str, key: str, now: float) -> bool:
    """Whether `key` was signed with `secret` and still holds."""
    until = key.partition(".")[0]
    if not until.isascii() or not until.isdigit() or len(until) > 12:
        return False
    return hmac.compare_digest(key.encode("utf-8", "replace"), sign(secret, int(until)).encode()) and int(until) > now
