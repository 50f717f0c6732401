"""What a job takes: read from its function's signature, checked when it is queued and again when it is run."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

import msgspec

from ...errors import PayloadError, SettingsError
from .registry import Known, Permanent, Work

WHERE = re.compile(r"(.*) - at `\$\.?(.*)`", re.DOTALL)
PLAIN = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def known(
    function: Callable[..., Any], *, name: str, queue: str, timeout: float = 180.0, isolated: bool = False
) -> Known:
    """Return the job that calls `function`, plain or async.

    A parameter annotated `Work` is given the run. If the only other one is a dataclass or a `msgspec.Struct`, it is the
    whole payload; else each parameter is a field of it. What is not annotated takes any JSON.

    >>> def resize(work: Work, photo: int, sizes: list[int]) -> None: ...
    >>> job = known(resize, name="resize", queue="images")
    >>> job.check({"photo": 7, "sizes": ["wide"]})
    Traceback (most recent call last):
        ...
    nexus_middleware.errors.PayloadError: job 'resize', sizes[0]: expected `int`, got `str`

    Raises:
        SettingsError: the function cannot be called with a payload.
    """
    payload = _Payload(function, name)
    return Known(name=name, queue=queue, run=payload.run, check=payload.check, timeout=timeout, isolated=isolated)


class _Payload:
    """The payload of one job."""

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self._function, self._name = function, name
        self._async = inspect.iscoroutinefunction(function)
        given = _parameters(function, name)
        self._work = next((key for key, kind in given.items() if kind is Work), None)
        fields = {key: kind for key, kind in given.items() if kind is not Work}
        self._whole = next(iter(fields)) if [_is_record(kind) for kind in fields.values()] == [True] else None
        self._type: Any = fields[self._whole] if self._whole else _record(function, fields)
        self._names = _names(self._type)
        self._any = _takes_any(function)

    def check(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return `payload` as JSON.

        Raises:
            PayloadError: a field is wrong, missing or unknown.
        """
        plain = {key: self._plain(key, value) for key, value in payload.items()}
        self._read(plain)
        return plain

    def run(self, work: Work) -> Any:
        """Call the function.

        Raises:
            Permanent: the payload is not what the function takes: another version queued it.
        """
        try:
            read = self._read(work.payload)
        except PayloadError as error:
            raise Permanent(str(error)) from error
        arguments = {self._whole: read} if self._whole else self._fields(read, work.payload)
        if self._work:
            arguments[self._work] = work
        made = self._function(**arguments)
        return asyncio.run(made) if self._async else made

    def _plain(self, key: str, value: Any) -> Any:
        try:
            return msgspec.to_builtins(value, str_keys=True)
        except (TypeError, ValueError) as error:
            raise PayloadError(f"job {self._name!r}, {key}: this cannot be JSON: {error}") from error

    def _read(self, payload: Mapping[str, Any]) -> Any:
        extra = [] if self._any else sorted(payload.keys() - self._names)
        if extra:
            raise PayloadError(f"job {self._name!r} takes no {', '.join(extra)}: it takes {', '.join(self._names)}")
        try:
            return msgspec.convert(payload, self._type)
        except msgspec.ValidationError as error:
            raise PayloadError(f"job {self._name!r}{told(error)}") from error

    def _fields(self, read: Any, payload: Mapping[str, Any]) -> dict[str, Any]:
        given = {name: getattr(read, name) for name in self._names if name in payload}
        return {**payload, **given} if self._any else given


def told(error: msgspec.ValidationError) -> str:
    """Return what is wrong, with the field first.

    >>> told(msgspec.ValidationError("Expected `int`, got `str` - at `$.photo`"))
    ', photo: expected `int`, got `str`'
    """
    text, where = str(error), ""
    if found := WHERE.fullmatch(text):
        text, where = found.groups()
    text = text[:1].lower() + text[1:]
    return f", {where}: {text}" if where else f": {text}"


def _parameters(function: Callable[..., Any], name: str) -> dict[str, Any]:
    try:
        kinds = get_type_hints(function)
    except Exception as error:
        raise SettingsError(f"job {name!r}: the annotations of its function cannot be read: {error}") from error
    parameters = inspect.signature(function).parameters.values()
    wrong = [each.name for each in parameters if each.kind not in (*PLAIN, inspect.Parameter.VAR_KEYWORD)]
    if wrong:
        raise SettingsError(f"job {name!r}: its function must take {', '.join(wrong)} by name")
    return {each.name: kinds.get(each.name, Any) for each in parameters if each.kind in PLAIN}


def _record(function: Callable[..., Any], fields: Mapping[str, Any]) -> type[msgspec.Struct]:
    """Return a type with the function's parameters as its fields; what has a default may be left out."""
    parameters = inspect.signature(function).parameters
    made: list[Any] = [
        (key, kind) if parameters[key].default is inspect.Parameter.empty else (key, kind, None)
        for key, kind in fields.items()
    ]
    return msgspec.defstruct("Payload", made, kw_only=True)


def _names(kind: Any) -> dict[str, None]:
    """Return the names of a record's fields in JSON, in their order."""
    if dataclasses.is_dataclass(kind):
        return dict.fromkeys([each.name for each in dataclasses.fields(kind)])
    return dict.fromkeys([each.encode_name for each in msgspec.structs.fields(kind)])


def _takes_any(function: Callable[..., Any]) -> bool:
    return any(each.kind is inspect.Parameter.VAR_KEYWORD for each in inspect.signature(function).parameters.values())


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and (issubclass(kind, msgspec.Struct) or dataclasses.is_dataclass(kind))
