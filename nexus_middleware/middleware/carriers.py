"""The requests of Starlette, FastAPI, Flask and Django, as limits on single handlers need to know them."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from ..errors import SettingsError
from ..http import Reply, Request
from ..stores.base import Store
from .requests import ENVIRON, STATE, asgi_request, wsgi_request
from .trace import Trace

INJECTED = "nexus_request"  # how FastAPI hands the request to a handler that does not ask for it
CARRIERS = frozenset(("Request", "WebSocket", "HTTPConnection"))
REQUESTS = (("starlette.requests", "HTTPConnection"), ("django.http", "HttpRequest"))


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
        return parameter.name in ("request", "websocket")
    return (kind if isinstance(kind, str) else getattr(kind, "__name__", "")).rpartition(".")[2] in CARRIERS


def carrier_of(handler: Callable[..., Any], args: Sequence[Any], options: dict[str, Any]) -> Any:
    """Return the framework's own request; whichever framework it is, it has been imported long ago."""
    flask = sys.modules.get("flask")
    kinds = tuple([kind for module, name in REQUESTS if (kind := getattr(sys.modules.get(module), name, None))])
    for each in (*args, *options.values()):
        if isinstance(each, kinds):
            return each
    if flask is not None and flask.has_request_context():
        return flask.request
    raise SettingsError(f"{handler.__qualname__} is limited, but was given no request: let it take `request`")


def response(carrier: Any, reply: Reply) -> Any:
    """Return `reply` as the framework of `carrier` wants it."""
    headers = {name.decode(): value.decode() for name, value in reply.headers}
    django = sys.modules.get("django.http")
    if django is not None and isinstance(carrier, django.HttpRequest):
        return django.HttpResponse(reply.body, status=reply.status, headers=headers)
    if hasattr(carrier, "scope"):
        return import_module("starlette.responses").Response(reply.body, reply.status, headers)
    return reply.body, reply.status, headers


def seen_by_layers(carrier: Any) -> tuple[Request, Store | None]:
    """Return the request as layers see it, and the store of those around the app."""
    over_scope = hasattr(carrier, "scope")
    trace: Trace[Any] | None = carrier.scope.get("state", {}).get(STATE) if over_scope else carrier.environ.get(ENVIRON)
    if trace is None:
        return asgi_request(carrier.scope, {}) if over_scope else wsgi_request(carrier.environ, {}), None
    stores = (passage.chain.store for passage in trace.chains)
    return trace.chains[-1].request, next((store for store in stores if store is not None), None)
