"""The rules file: limits, of calls too, address lists and cache times as TOML, checked whole before any of it holds."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from ..errors import SettingsError
from ..rules.networks import Networks
from ..rules.windows import Strategy
from .keys import KeyOf, by_api_key, by_client, by_header, by_user
from .layer import Mode
from .limits import CountWhen, Rule, compiled
from .response_cache.options import CacheRule
from .rpc_limit import RPCRule

WHERE = re.compile(r"(.*) - at `\$\.?(.*)`", re.DOTALL)
LINE = re.compile(r"\(at line (\d+),")
KEYS: dict[str, KeyOf] = {"client": by_client, "api-key": by_api_key, "user": by_user}
COUNTS: dict[str, CountWhen | None] = {
    "all": None,
    "failures": lambda request, status: status >= 400,
    "successes": lambda request, status: status < 400,
}


class PolicyError(SettingsError):
    """A rules file that cannot be taken; `line` is where, 0 if that is not known."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {why}" if line else why)
        self.line = line


class LimitTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One [[limit]]; the same names as `Rule`."""

    limit: str
    name: str = "default"
    path: str = "*"
    methods: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()
    key: str = "client"  # client, api-key, user, or header:NAME
    cost: int = 1
    count: str = "all"  # all, failures or successes, by the status of the answer
    mode: Mode = "enforce"


class CallTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One [[rpc]]; the same names as `RPCRule`."""

    limit: str
    name: str = "default"
    method: str = "*"
    tool: str = "*"
    key: str = "client"  # as of [[limit]]
    cost: int = 1
    mode: Mode = "enforce"


class FilterTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """[filter]; the same names as `IPFilter`."""

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    mode: Mode = "enforce"


class CacheTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One [[cache]]; the same names as `CacheRule`."""

    path: str
    ttl: int  # seconds
    vary: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class Tables(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The whole file."""

    strategy: Strategy = "sliding-window"
    limit: tuple[LimitTable, ...] = ()
    rpc: tuple[CallTable, ...] = ()
    filter: FilterTable = FilterTable()
    cache: tuple[CacheTable, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A rules file that can be taken."""

    text: str
    strategy: Strategy
    limits: tuple[Rule, ...]
    calls: tuple[RPCRule, ...]
    allow: tuple[str, ...]
    deny: tuple[str, ...]
    filter_mode: Mode
    cache: tuple[CacheRule, ...]


def read_policy(text: str) -> Policy:
    """Read a rules file.

    >>> policy = read_policy('''
    ... [[limit]]
    ... name = "sign-in"
    ... limit = "5/15minutes"
    ... path = "/login"
    ... methods = ["POST"]
    ... ''')
    >>> policy.limits[0].path
    '/login'

    Raises:
        PolicyError: it is not as it must be; the message says in which line, what was given, and what would do.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = LINE.search(str(error))
        raise PolicyError(f"this is not TOML: {error}", int(line[1]) if line else 0) from error
    try:
        tables = msgspec.convert(raw, Tables)
    except msgspec.ValidationError as error:
        raise _pointed(text, error) from error
    rules = tuple([_placed(text, ("limit", n), _rule, table) for n, table in enumerate(tables.limit)])
    _placed(text, ("limit", len(rules) - 1), lambda made: compiled(made, tables.strategy), rules)
    calls = tuple([_placed(text, ("rpc", n), _call, table) for n, table in enumerate(tables.rpc)])
    _placed(text, ("rpc", len(calls) - 1), lambda made: compiled([x.counting for x in made], tables.strategy), calls)
    for name in ("allow", "deny"):
        _placed(text, ("filter", name), Networks, getattr(tables.filter, name))
    cache = tuple([_placed(text, ("cache", n), _cached, table) for n, table in enumerate(tables.cache)])
    return Policy(
        text=text,
        strategy=tables.strategy,
        limits=rules,
        calls=calls,
        allow=tables.filter.allow,
        deny=tables.filter.deny,
        filter_mode=tables.filter.mode,
        cache=cache,
    )


def _rule(table: LimitTable) -> Rule:
    if table.count not in COUNTS:
        raise SettingsError(f"count={table.count!r} must be one of {', '.join(COUNTS)}")
    rule = Rule(
        table.limit,
        path=table.path,
        methods=table.methods,
        exempt=table.exempt,
        key=_key(table.key),
        name=table.name,
        cost=table.cost,
        count_when=COUNTS[table.count],
        mode=table.mode,
    )
    compiled([rule], "sliding-window")  # so that the error is about this one
    return rule


def _call(table: CallTable) -> RPCRule:
    rule = RPCRule(
        table.limit,
        method=table.method,
        tool=table.tool,
        key=_key(table.key),
        name=table.name,
        cost=table.cost,
        mode=table.mode,
    )
    compiled([rule.counting], "sliding-window")  # so that the error is about this one
    return rule


def _key(named: str) -> KeyOf:
    if named in KEYS:
        return KEYS[named]
    if named.startswith("header:") and named != "header:":
        return by_header(named.removeprefix("header:"))
    raise SettingsError(f"key={named!r} must be {', '.join(KEYS)} or header:NAME")


def _cached(table: CacheTable) -> CacheRule:
    return CacheRule(table.path, ttl=table.ttl, vary=table.vary, tags=table.tags)


def _placed(text: str, where: tuple[Any, ...], make: Callable[[Any], Any], given: Any) -> Any:
    """Return what `make` makes; where it cannot, the error says in which line its table, or the key named, stands."""
    try:
        return make(given)
    except SettingsError as error:
        named = re.match(r"(\w+)(?:=| of )", str(error))
        path = [*where, named[1]] if named else [*where]
        raise PolicyError(str(error), _line(text, path)) from error


def _pointed(text: str, error: msgspec.ValidationError) -> PolicyError:
    told, where = str(error), ""
    if found := WHERE.fullmatch(told):
        told, where = found.groups()
    unknown = re.search(r"unknown field `(\w+)`", told)
    path: list[Any] = [int(part) if part.isdigit() else part for part in re.findall(r"\w+", where)]
    told = told[:1].lower() + told[1:]
    return PolicyError(f"{where}: {told}" if where else told, _line(text, [*path, unknown[1]] if unknown else path))


def _line(text: str, path: list[Any]) -> int:
    """Return the line of a table, or of a key in it, 0 if it is not found: TOML's own positions are not kept."""
    if not path:
        return 0
    lines = text.splitlines()
    heads = [n for n, line in enumerate(lines) if re.match(rf"\s*\[\[?\s*{re.escape(str(path[0]))}\s*\]\]?", line)]
    number = path[1] if len(path) > 1 and isinstance(path[1], int) else 0
    start = heads[number] if 0 <= number < len(heads) else 0 if not heads else heads[-1]
    names = [part for part in path[bool(heads) :] if isinstance(part, str)]
    for n in range(start, len(lines) if names else 0):
        if n > start and re.match(r"\s*\[", lines[n]):
            break
        if re.match(rf"\s*{re.escape(names[-1])}\s*=", lines[n]):
            return n + 1
    return start + 1 if heads else 0
