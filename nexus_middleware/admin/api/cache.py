"""The caches: what they hold and how they are used, single keys, and what may be forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec

from ...runtime import Runtime
from ...services.cache import COUNTED_AT_ONCE
from ...services.cache.browser import KeyFacts
from ...services.cache.groups import GroupStats, LoaderStats
from ...services.cache.history import CachePoint
from ...stores.commands import Scan
from ..answers import Answer, Problem, done, found, nothing_here
from ..described import says
from ..exchange import Exchange
from ..panels import timestamp
from ..shapes import Listing
from ..shapes.examples import CACHE
from ..shapes.system import Cache, CacheSeries, Forgotten, Group, Shown
from . import asked

VALUES = "cache:"  # what the keys of values begin with
MAX_PATTERN = 512  # characters
LONGEST_TAG = 200
GROWTH = 1.1  # a count that grew by no more than this since it was shown is still the one that was agreed to


class Keys(asked.Limit):
    """Which keys."""

    prefix: Annotated[str, msgspec.Meta(max_length=MAX_PATTERN)] = ""
    cursor: asked.Number = "0"


class Clear(msgspec.Struct, rename="camel"):
    """What is forgotten: all, the values whose keys fit a pattern, or, asked alone, those that have a tag."""

    pattern: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_PATTERN)] | msgspec.UnsetType = msgspec.UNSET
    tag: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_TAG)] | msgspec.UnsetType = msgspec.UNSET
    dry_run: asked.Flag = "0"
    expected: asked.Amount | msgspec.UnsetType = msgspec.UNSET


@says(Cache, example=CACHE)
async def read(exchange: Exchange) -> Answer:
    """Say what the caches hold and how they are used."""
    panels = exchange.panels
    return found(await panels.cache.get(), panels.meta(), exchange.headers.get("if-none-match", ""))


@says(CacheSeries, query=asked.Window)
async def series(exchange: Exchange) -> Answer:
    """Tell how often the caches had what was asked of them over ?window=, in no more than 90 points."""
    window, runtime = asked.window(exchange), exchange.runtime
    values, pages = await asyncio.gather(runtime.cache.ahistory(window), runtime.pages.ahistory(window))
    by_page = {page.at: page for page in pages.points}  # it may have been asked a step later
    points = [_point(value, by_page.get(value.at, CachePoint(value.at))) for value in values.points]
    points[-1]["partial"] = True
    told = {"windowSeconds": window, "step": values.step, "points": points}
    return found(told, exchange.panels.meta(), exchange.headers.get("if-none-match", ""))


def _point(value: CachePoint, page: CachePoint) -> dict[str, Any]:
    sums = {"hits": value.hits + page.hits, "misses": value.misses + page.misses, "sets": value.sets}
    apart = {"pageHits": page.hits, "pageMisses": page.misses}
    return {"at": timestamp(value.at), "atMs": value.at * 1000, **sums, **apart}


@says(Listing[Group])
async def groups(exchange: Exchange) -> Answer:
    """List how each group of keys, such as course:*, was used; the most used first."""
    return _listed(exchange, [_group(row) for row in await exchange.runtime.cache.agroups()])


@says(Listing[LoaderStats])
async def loaders(exchange: Exchange) -> Answer:
    """List what it costs to fetch what is not there, by group of keys; the slowest first."""
    return _listed(exchange, [msgspec.to_builtins(row) for row in await exchange.runtime.cache.aloaders()])


@says(Listing[KeyFacts], query=Keys)
async def keys(exchange: Exchange) -> Answer:
    """List about ?limit= keys that begin with ?prefix=, in no order; a page may be empty and yet have a next one."""
    prefix, cursor = exchange.query.get("prefix", ""), asked.number(exchange, "cursor") or 0
    if len(prefix) > MAX_PATTERN:
        raise Problem(400, "bad_prefix", f"prefix has at most {MAX_PATTERN} characters")
    page = await exchange.runtime.cache.akeys(prefix, cursor=cursor, count=asked.limit(exchange))
    items = [msgspec.to_builtins(item) for item in page.items]
    return _listed(exchange, items, next_cursor=str(page.cursor) if page.cursor else None, whole=False)


@says(Shown)
async def show(exchange: Exchange) -> Answer:
    """Tell a key's value as text, without its secrets, 16 KiB at the most; and its size, tags and seconds to live."""
    value = await exchange.runtime.cache.ashow(exchange.parameter("key"))
    if value is None:
        raise nothing_here()
    return found({"key": msgspec.to_builtins(value)}, exchange.panels.meta(), exchange.headers.get("if-none-match", ""))


@says(Forgotten)
async def delete(exchange: Exchange) -> Answer:
    """Forget one key."""
    key = exchange.parameter("key")
    if not await exchange.runtime.cache.adelete(key):
        raise nothing_here()
    exchange.panels.cache.forget()
    exchange.audit("cache_delete", target=key, count=1)
    return done({"success": True, "deleted": 1, "scope": "cache", "key": key})


@says(Forgotten, query=Clear)
async def clear(exchange: Exchange) -> Answer:
    """Forget all of both caches, or with ?pattern= the values whose keys fit; ?dryRun=1 only counts, ?expected=N insists.

    Without a pattern the stored responses go too, whose keys are digests that no pattern would fit. ?tag= forgets the
    values that have it, however many: they are not counted.
    """
    query = exchange.query
    if "tag" in query:
        return await _clear_tag(exchange, query["tag"])
    pattern = query.get("pattern")
    if pattern is not None and not 0 < len(pattern) <= MAX_PATTERN:
        raise Problem(400, "bad_pattern", f"pattern has between 1 and {MAX_PATTERN} characters")
    if asked.flag(exchange, "dryRun"):
        matched = await _count(exchange.runtime, pattern)
        return done({"success": True, "dryRun": True, "matched": matched, "scope": "cache"})
    if (expected := asked.number(exchange, "expected")) is not None:
        _check_expected(expected, await _count(exchange.runtime, pattern))
    deleted = await _delete(exchange.runtime, pattern)
    exchange.panels.cache.forget()
    exchange.audit("cache_clear", target=pattern or "everything", count=deleted)
    return done({"success": True, "deleted": deleted, "scope": "cache"})


async def _clear_tag(exchange: Exchange, tag: str) -> Answer:
    if not 0 < len(tag) <= LONGEST_TAG:
        raise Problem(400, "bad_tag", f"tag has between 1 and {LONGEST_TAG} characters")
    if {"pattern", "dryRun", "expected"} & set(exchange.query):
        raise Problem(400, "bad_query", "what has a tag is not counted: ask for the tag alone")
    await exchange.runtime.cache.adelete_tag(tag)
    exchange.panels.cache.forget()
    exchange.audit("cache_clear_tag", target=tag)
    return done({"success": True, "scope": "cache", "tag": tag})


def _group(row: GroupStats) -> dict[str, Any]:
    counts = {"group": row.group, "hits": row.hits, "misses": row.misses, "sets": row.sets}
    return {**counts, "hitRatio": round(row.hit_rate, 4), "averageTtl": row.average_ttl}


def _listed(exchange: Exchange, items: Iterable[Any], *, next_cursor: str | None = None, whole: bool = True) -> Answer:
    rows = [*items]
    total = len(rows) if whole else None
    value = {"items": rows, "nextCursor": next_cursor, "total": total, "totalExact": whole}
    return found(value, exchange.panels.meta(), exchange.headers.get("if-none-match", ""))


def _check_expected(expected: int, count: int) -> None:
    if count > expected * GROWTH:
        raise Problem(
            409,
            "count_changed",
            f"{count} keys fit now, not {expected}; nothing was deleted",
            members={"expected": expected, "matched": count},
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
