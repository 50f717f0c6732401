"""A list of the API as a file, CSV or JSON, whole up to a bound: `?download=csv` at the address of the list."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from .answers import API, JSON, Answer, Problem
from .panels import timestamp

if TYPE_CHECKING:
    from .exchange import Exchange

MOST = 5_000  # rows of a file
MOST_PAGES = 100  # a page of cached keys may be empty and yet have a next one
PAGE = 200  # rows
FORMATS = ("csv", "json")
CSV = (b"content-type", b"text/csv; charset=utf-8; header=present")
MARK = "\ufeff"  # without it spreadsheets take UTF-8 for something else
FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")  # how a cell begins that a spreadsheet would compute
UNFIT = re.compile(r"[^A-Za-z0-9_-]+")


async def downloaded(exchange: Exchange, run: Callable[[Exchange], Awaitable[Answer]]) -> Answer:
    """Return as a file all that a list has, 5,000 rows at the most; `x-truncated` says whether there is more.

    Args:
        exchange: The request; its `?download=` is csv or json, and the rest of its query goes on to the list.
        run: The handler of the list.

    Raises:
        Problem: it is another format, or the address is no list.
    """
    kind = exchange.query["download"]
    if kind not in FORMATS:
        raise Problem(400, "bad_download", f"download is one of {', '.join(FORMATS)}")
    told = await _whole(exchange, run)
    rows = told["items"]
    name = f"{UNFIT.sub('-', exchange.path.rpartition('/')[2])}-{UNFIT.sub('', timestamp())}.{kind}"
    exchange.audit("download", target=name, count=len(rows))
    about = (b"content-disposition", f'attachment; filename="{name}"'.encode())
    more = (b"x-truncated", b"true" if told["nextCursor"] else b"false")
    if kind == "json":
        return Answer(200, msgspec.json.encode(told), (JSON, *API, about, more))
    return Answer(200, await asyncio.to_thread(table, rows), (CSV, *API, about, more))


async def _whole(exchange: Exchange, run: Callable[[Exchange], Awaitable[Answer]]) -> dict[str, Any]:
    query = {"limit": str(PAGE), **exchange.query}  # a limit of the client's own is that of each page
    del query["download"]
    told, rows = await _page(exchange.asking(query), run), []
    rows += told["items"]
    for _ in range(MOST_PAGES):
        if not told["nextCursor"] or len(rows) >= MOST:
            break
        told = await _page(exchange.asking({**query, "cursor": told["nextCursor"]}), run)
        rows += told["items"]
    more = told["nextCursor"] or (str(MOST) if len(rows) > MOST else None)
    return {**told, "items": rows[:MOST], "nextCursor": more}


async def _page(exchange: Exchange, run: Callable[[Exchange], Awaitable[Answer]]) -> dict[str, Any]:
    answer = await run(exchange)
    told: dict[str, Any] = msgspec.json.decode(answer.body) if answer.headers[:1] == (JSON,) else {}
    if "items" not in told or "nextCursor" not in told:
        raise Problem(400, "no_list", "only a list can be downloaded")
    return told


def table(rows: Iterable[Any]) -> bytes:
    r"""Return rows as CSV (RFC 4180) in UTF-8, with a column for each field that any of them has.

    What a spreadsheet would compute gets an apostrophe in front: a path or a user agent may be anything.

    >>> table([{"path": "/a", "n": 1}, {"path": "=HYPERLINK(1)", "tags": ["x"]}]).decode("utf-8-sig")
    'path,n,tags\r\n/a,1,\r\n\'=HYPERLINK(1),,"[""x""]"\r\n'
    """
    dicts = [row if isinstance(row, dict) else {"value": row} for row in rows]
    names = list(dict.fromkeys(name for row in dicts for name in row))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([_cell(name) for name in names])
    writer.writerows([_cell(row.get(name)) for name in names] for row in dicts)
    return (MARK + out.getvalue()).encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):  # a number may begin with a minus
        return msgspec.json.encode(value).decode()
    return f"'{value}" if FORMULA.match(value) else value
