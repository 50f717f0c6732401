"""GET and DELETE /cache."""

from __future__ import annotations

from ...runtime import Runtime
from ...services.cache import COUNTED_AT_ONCE
from ...stores.commands import Scan
from ..answers import Answer, Problem, done, found
from ..exchange import Exchange

VALUES = "cache:"  # what the keys of values begin with
MAX_PATTERN = 512  # characters
GROWTH = 1.1  # a count that grew by no more than this since it was shown is still the one that was agreed to


async def read(exchange: Exchange) -> Answer:
    """Say what the caches hold and how they are used."""
    panels = exchange.panels
    return found(await panels.cache.get(), panels.meta(), exchange.headers.get("if-none-match", ""))


async def clear(exchange: Exchange) -> Answer:
    """Forget all of both caches, or with ?pattern= the values whose keys fit; ?dryRun=1 only counts, ?expected=N insists.

    Without a pattern the stored responses go too, whose keys are digests that no pattern would fit.
    """
    query = exchange.query
    pattern = query.get("pattern")
    if pattern is not None and not 0 < len(pattern) <= MAX_PATTERN:
        raise Problem(400, "bad_pattern", f"pattern has between 1 and {MAX_PATTERN} characters")
    if query.get("dryRun") == "1":
        matched = await _count(exchange.runtime, pattern)
        return done({"success": True, "dryRun": True, "matched": matched, "scope": "cache"})
    if "expected" in query:
        _check_expected(query["expected"], await _count(exchange.runtime, pattern))
    deleted = await _delete(exchange.runtime, pattern)
    exchange.panels.cache.forget()
    exchange.audit("cache_clear", target=pattern or "everything", count=deleted)
    return done({"success": True, "deleted": deleted, "scope": "cache"})


def _check_expected(text: str, count: int) -> None:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Problem(400, "bad_expected", "expected is a whole number")
    if count > int(text) * GROWTH:
        raise Problem(
            409,
            "count_changed",
            f"{count} keys fit now, not {int(text)}; nothing was deleted",
            members={"expected": int(text), "matched": count},
        )


async def _delete(runtime: Runtime, pattern: str | None) -> int:
    if pattern is not None:
        return await runtime.cache.adelete_pattern(pattern)
    return await runtime.cache.aflush() + await runtime.pages.aflush()


async def _count(runtime: Runtime, pattern: str | None) -> int:
    count, cursor, more = 0, 0, True
    while more:
        cursor, keys = (await runtime.store.arun([Scan(VALUES, pattern or "*", cursor, COUNTED_AT_ONCE)]))[0]
        count += len(keys)
        more = cursor != 0
    return count + ((await runtime.pages.astats()).keys if pattern is None else 0)
