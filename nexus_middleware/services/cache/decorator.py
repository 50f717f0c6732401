"""Keep what a function returns, by what it was called with."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from string import Formatter
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar, get_type_hints

import msgspec

from ...errors import SettingsError
from ...rules.presets import CacheTTL
from . import arguments
from .entries import encoded

if TYPE_CHECKING:
    from .cache import Cache

P = ParamSpec("P")
R = TypeVar("R")
KeyOf: TypeAlias = str | Callable[..., str]
TagsOf: TypeAlias = Iterable[str] | Callable[..., Iterable[str]]


def cached(
    without_brackets: None = None,
    /,
    *,
    ttl: float = CacheTTL.MEDIUM,
    key: KeyOf | None = None,
    tags: TagsOf = (),
    cache: Cache | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keep what the function below returns; works for plain functions and for coroutine functions.

    Many callers at once are one call. What it raises is not kept. Values come back as the function's annotation says.

    >>> @cached(ttl=CacheTTL.LONG, key="square:{n}", tags=("squares", "square-{n}"))
    ... def square(n: int) -> int:
    ...     return n * n
    >>> square(3), square(n=3)
    (9, 9)

    Args:
        without_brackets: Nothing: write @cached(), not @cached.
        ttl: Seconds.
        key: The key with the arguments in braces, in which `:` of an argument is escaped, so that two calls never share
            a key by chance; or what makes the key of the arguments. None: the function's name and its arguments.
        tags: What `delete_tag` forgets it by, as `key` is written; or what makes the tags of the arguments.
        cache: Where it is kept; None for one on `NEXUS_STORE`, made at the first call.

    Raises:
        SettingsError: `key` or a tag names an argument that the function does not have, `ttl` is not above 0, or the
            function is a generator's, which runs only when its values are taken.
    """
    if without_brackets is not None:
        raise SettingsError("write @cached(), with brackets")
    if isinstance(tags, str):
        raise SettingsError(f"tags={tags!r} is one text: write tags=({tags!r},)")
    try:
        arguments.life(ttl)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"@cached: {error}") from None

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        call = Call(function, key, tags)

        @functools.wraps(function)
        def kept(*args: P.args, **kwargs: P.kwargs) -> R:
            where = cache or _shared()
            name, marks = call.named(args, kwargs)
            fetch = functools.partial(function, *args, **kwargs)
            return where.get_or_set(name, fetch, ttl, tags=marks, type=call.type)  # type: ignore[no-any-return]

        @functools.wraps(function)
        async def akept(*args: P.args, **kwargs: P.kwargs) -> Any:
            where = cache or _shared()
            name, marks = call.named(args, kwargs)
            fetch = functools.partial(function, *args, **kwargs)
            return await where.aget_or_set(name, fetch, ttl, tags=marks, type=call.type)

        return akept if inspect.iscoroutinefunction(function) else kept  # type: ignore[return-value]

    return decorate


class Call:
    """How calls of one function are named.

    Args:
        function: Which.
        key: As `cached` takes it.
        tags: As `cached` takes them.
    """

    def __init__(self, function: Callable[..., Any], key: KeyOf | None, tags: TagsOf) -> None:
        self._signature = inspect.signature(function)
        self._name = f"{function.__module__}.{function.__qualname__}"
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise SettingsError(f"{self._name} yields, and what it yields cannot be kept: return a list")
        self._key = key
        self._tags = tags if callable(tags) else tuple(tags)
        self.type = _returned(function)
        for text in (*([key] if isinstance(key, str) else []), *(self._tags if isinstance(self._tags, tuple) else ())):
            self._check(text)

    def _check(self, text: str) -> None:
        try:
            names = [field for _, field, _, _ in FORMAT.parse(text) if field is not None]
        except ValueError as error:
            raise SettingsError(f"{text!r} cannot be read: {error}") from error
        for name in names:
            first = name.partition(".")[0].partition("[")[0]
            if first not in self._signature.parameters:
                raise SettingsError(f"{text!r} names {first!r}, and {self._name} has no such argument")

    def named(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        """Return the key and the tags of a call."""
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        values = bound.arguments
        if isinstance(self._tags, tuple):
            tags = tuple([FORMAT.vformat(tag, (), values) for tag in self._tags])
        else:
            tags = tuple(self._tags(*args, **kwargs))
        if self._key is None:
            return self._default(values), tags
        return FORMAT.vformat(self._key, (), values) if isinstance(self._key, str) else self._key(*args, **kwargs), tags

    def _default(self, values: dict[str, Any]) -> str:
        try:
            return f"{self._name}:{encoded([*values.values()]).decode()}"
        except TypeError as error:
            raise TypeError(f"{self._name} is called with what cannot name a key; give key=: {error}") from error


class _Format(Formatter):
    """Puts arguments into a key so that none of them looks like more than one segment of it."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if getattr(type(value), "__repr__", None) is object.__repr__:
            raise TypeError(f"a {type(value).__name__} has no text of its own to name a key by; name a field of it")
        text = str(super().format_field(value, format_spec))
        return text.replace("%", "%25").replace(":", "%3A")


FORMAT = _Format()


def _returned(function: Callable[..., Any]) -> Any:
    """Return the type that the function says it returns; Any if it says none that JSON could be read as."""
    try:
        kind = get_type_hints(function).get("return", Any)
        msgspec.json.Decoder(kind)
    except Exception:  # noqa: BLE001  # a name that is not there, or a type that msgspec does not read
        return Any
    return kind


@functools.cache
def _shared() -> Cache:
    from ...settings import Settings
    from ...stores import open_store
    from .cache import Cache

    settings = Settings.from_env()
    return Cache(open_store(settings.store, namespace=settings.namespace))
