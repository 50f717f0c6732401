"""Which stored variant answers a request (RFC 9111, section 4.1), with like values of a header spelt alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from ...http import Pair
from .entry import Entry, Selected
from .fields import members

CODINGS = (b"br", b"gzip", b"zstd", b"*")


def names(value: bytes) -> tuple[bytes, ...] | None:
    """Return the headers that a Vary field names, in order; None for `*`, which no later request fits.

    >>> names(b"Accept-Encoding, foo, FOO")
    (b'accept-encoding', b'foo')
    >>> names(b"foo, *")
    """
    named = sorted({name.lower() for name in members(value)})
    return None if b"*" in named else tuple(named)


def select(named: Iterable[bytes], headers: list[Pair]) -> Selected:
    """Return what a request says in the headers that `named` are, in the one spelling that is compared."""
    return tuple([(name, normal(name, joined(headers, name))) for name in named])


def fits(entry: Entry, headers: list[Pair]) -> bool:
    """Whether `entry` answers a request with these headers."""
    return all(
        normal(name, said := joined(headers, name)) == value
        or (name == b"accept-language" and _preferred(said) == entry.get(b"content-language").lower() != b"")
        for name, value in entry.vary
    )


def joined(headers: list[Pair], name: bytes) -> bytes | None:
    """Return all lines of `name` as one (RFC 9110, section 5.2); None if there is none."""
    lines = [value for key, value in headers if key == name]
    return b",".join(lines) if lines else None


@lru_cache(maxsize=2048)
def normal(name: bytes, value: bytes | None) -> bytes | None:
    """Return one spelling for all that means the same.

    >>> normal(b"accept-language", b"EN, de") == normal(b"accept-language", b"de,en")
    True
    >>> normal(b"accept-encoding", b"gzip, deflate, br;q=0")
    b'gzip'
    """
    if value is None and name != b"accept-encoding":
        return None
    return _NORMAL.get(name, _plain)(value or b"")


def _plain(value: bytes) -> bytes:
    return b",".join(members(value))


def _language(value: bytes) -> bytes:
    return b",".join(sorted(b"".join(part.lower().split()) for part in members(value)))


def _coding(value: bytes) -> bytes:
    weights = dict(_weighed(value))
    return b",".join([name for name in CODINGS if weights.get(name, 0.0) > 0])


_NORMAL: dict[bytes, Callable[[bytes], bytes]] = {b"accept-language": _language, b"accept-encoding": _coding}


def _weighed(value: bytes) -> list[tuple[bytes, float]]:
    found: list[tuple[bytes, float]] = []
    for part in members(value):
        name, _, weight = part.partition(b";")
        try:
            found.append((name.strip().lower(), float(weight.partition(b"=")[2] or 1)))
        except ValueError:
            found.append((name.strip().lower(), 1.0))
    return found


def _preferred(value: bytes | None) -> bytes:
    """Return the one language that a request likes best; b"" if it likes several alike."""
    weighed = sorted(_weighed(value or b""), key=lambda one: -one[1])
    if not weighed or (len(weighed) > 1 and weighed[0][1] == weighed[1][1]):
        return b""
    return weighed[0][0]
