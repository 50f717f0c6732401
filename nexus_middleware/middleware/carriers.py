"""The requests of the frameworks, as limits on single handlers need to know them."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import msgspec

from ..errors import SettingsError
from ..http import Reply, Request
from ..stores.base import Store
from .requests import ENVIRON, STATE, asgi_request, wsgi_request
from .trace import Trace

INJECTED = "nexus_request"  # how FastAPI hands the request to a handler that does not ask for it
CARRIERS = frozenset(("Request", "WebSocket", "HTTPConnection", "ASGIConnection"))
NAMES = frozenset(("request", "req", "websocket", "socket", "connection"))  # of parameters without an annotation
LITESTAR, FALCON = ("litestar.connection", "ASGIConnection"), ("falcon", "Request")
REQUESTS = (("starlette.requests", "HTTPConnection"), ("django.http", "HttpRequest"), LITESTAR, FALCON)


def signature(handler: Callable[..., Any]) -> inspect.Signature | None:
    """Return what FastAPI shall read of a handler that does not ask for the request; None if it is as it is."""
    if "fastapi" not in sys.modules:
        return None
    whole = inspect.signature(handler)
    if any(_asks(parameter) for parameter in whole.parameters.values()):
        return None
    kept = [*whole.parameters.values()]
    at = len(kept) - (bool(kept) and kept[-1].kind is inspect.Parameter.VAR_KEYWORD)
    wanted = sys.modules["starlette.requests"].Request
    kept.insert(at, inspect.Parameter(INJECTED, inspect.Parameter.KEYWORD_ONLY, annotation=wanted))
    return whole.replace(parameters=kept)


def _asks(parameter: inspect.Parameter) -> bool:
    kind = parameter.annotation
    if kind is inspect.Parameter.empty:
        return parameter.name in NAMES
    return (kind if isinstance(kind, str) else getattr(kind, "__name__", "")).rpartition(".")[2] in CARRIERS


def carrier_of(handler: Callable[..., Any], args: Sequence[Any], options: dict[str, Any]) -> Any:
    """Return the framework's own request; whichever framework it is, it has been imported long ago."""
    for each in (*args, *options.values()):
        if _is(each, *REQUESTS):
            return each
    flask, quart = sys.modules.get("flask"), sys.modules.get("quart")
    if quart is not None and quart.has_request_context():
        return quart.request
    if quart is not None and quart.has_websocket_context():
        return quart.websocket
    if flask is not None and flask.has_request_context():
        return flask.request
    raise SettingsError(f"{handler.__qualname__} is limited, but was given no request: let it take `request`")


def _is(carrier: Any, *kinds: tuple[str, str]) -> bool:
    return any(
        isinstance(carrier, kind) for module, name in kinds if (kind := getattr(sys.modules.get(module), name, None))
    )


def closes(carrier: Any) -> bool:
    """Whether a refusal closes a websocket, instead of being answered or raised."""
    over = getattr(carrier, "scope", {}).get("type") == "websocket"
    return over and not _is(carrier, LITESTAR, FALCON)


def response(carrier: Any, reply: Reply) -> Any:
    """Return `reply` as the framework of `carrier` wants it.

    Raises:
        TooManyRequestsException: Litestar's, which handlers and guards raise alike.
        HTTPStatus: Falcon's, which responders and hooks raise alike.
    """
    headers = {name.decode(): value.decode() for name, value in reply.headers}
    django = sys.modules.get("django.http")
    if django is not None and isinstance(carrier, django.HttpRequest):
        return django.HttpResponse(reply.body, status=reply.status, headers=headers)
    if _is(carrier, LITESTAR):
        told = {name: value for name, value in headers.items() if not name.startswith("content-")}
        detail = msgspec.json.decode(reply.body)["detail"]
        raise import_module("litestar.exceptions").TooManyRequestsException(detail=detail, headers=told)
    if _is(carrier, FALCON):
        raise import_module("falcon").HTTPStatus(reply.status, headers=headers, text=reply.body.decode())
    if _is(carrier, ("starlette.requests", "HTTPConnection")):
        return import_module("starlette.responses").Response(reply.body, reply.status, headers)
    return reply.body, reply.status, headers


def seen_by_layers(carrier: Any) -> tuple[Request, Store | None]:
    """Return the request as layers see it, and the store of those around the app."""
    over_scope = hasattr(carrier, "scope")
    environ: Any = {} if over_scope else carrier.env if _is(carrier, FALCON) else carrier.environ
    trace: Trace[Any] | None = carrier.scope.get("state", {}).get(STATE) if over_scope else environ.get(ENVIRON)
    if trace is None:
        return asgi_request(carrier.scope, {}) if over_scope else wsgi_request(environ, {}), None
    stores = (passage.chain.store for passage in trace.chains)
    return trace.chains[-1].request, next((store for store in stores if store is not None), None)
