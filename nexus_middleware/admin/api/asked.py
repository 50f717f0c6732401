"""What a list's query may say, checked."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from ..answers import Problem
from ..exchange import Exchange

MOST = 200  # items of a page
LONGEST = 200  # characters of what is searched for
WINDOWS = {"15m": 900, "1h": 3_600, "6h": 21_600, "24h": 86_400, "7d": 604_800}  # seconds

Text = Annotated[str, msgspec.Meta(max_length=LONGEST)]
Number = Annotated[str, msgspec.Meta(pattern="^[0-9]{1,15}$")]
Amount = Annotated[int, msgspec.Meta(ge=0, le=10**15 - 1)]
Most = Annotated[int, msgspec.Meta(ge=1, le=MOST)]
Flag = Literal["0", "1"]
Span = Literal["15m", "1h", "6h", "24h", "7d"]


class Window(msgspec.Struct):
    """What a list over a window may be asked."""

    window: Span = "1h"


class Limit(msgspec.Struct):
    """What a list of the newest may be asked."""

    limit: Most = 50


def limit(exchange: Exchange, usual: int = 50) -> int:
    """Return ?limit=.

    Raises:
        Problem: it is no whole number from 1 to 200.
    """
    text = exchange.query.get("limit", str(usual))
    if not text.isascii() or not text.isdigit() or len(text) > 3 or not 0 < int(text) <= MOST:
        raise Problem(400, "bad_limit", f"limit is a whole number from 1 to {MOST}")
    return int(text)


def text(exchange: Exchange, name: str) -> str:
    """Return a text of the query, "" if it has none.

    Raises:
        Problem: it is longer than 200 characters.
    """
    given = exchange.query.get(name, "")
    if len(given) > LONGEST:
        raise Problem(400, f"bad_{name}", f"{name} has at most {LONGEST} characters")
    return given


def window(exchange: Exchange, usual: str = "1h") -> int:
    """Return ?window= in seconds.

    Raises:
        Problem: it is none of 15m, 1h, 6h, 24h and 7d.
    """
    given = exchange.query.get("window", usual)
    if given not in WINDOWS:
        raise Problem(400, "bad_window", f"window is one of {', '.join(WINDOWS)}")
    return WINDOWS[given]


def flag(exchange: Exchange, name: str) -> bool:
    """Whether ?name=1 is asked for.

    Raises:
        Problem: it is neither 0 nor 1: ?dryRun=true, taken for a no, would delete.
    """
    given = exchange.query.get(name, "0")
    if given not in ("0", "1"):
        raise Problem(400, f"bad_{name}", f"{name} is 0 or 1")
    return given == "1"


def number(exchange: Exchange, name: str) -> int | None:
    """Return a whole number of the query; None if it is not there.

    Raises:
        Problem: it is none.
    """
    given = exchange.query.get(name)
    if given is None:
        return None
    if not given.isascii() or not given.isdigit() or len(given) > 15:
        raise Problem(400, f"bad_{name}", f"{name} is a whole number")
    return int(given)
