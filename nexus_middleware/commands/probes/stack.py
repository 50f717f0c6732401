"""A stack taken apart: what stands around an app, so that it can be put around another."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...errors import SettingsError
from ...http import ASGIApp
from ...middleware.layer import Layer
from ...runtime import Runtime

DEEPEST = 100  # wrappers around an app: more must be a circle


@dataclass(frozen=True)
class Wrapper:
    """One thing around an app."""

    name: str
    around: Callable[[Any], Any]


@dataclass(frozen=True)
class Stack:
    """What stands around an app, outermost first, and the app."""

    wrappers: list[Wrapper]
    app: Any

    def wrap(self, app: ASGIApp, *, since: int = 0) -> ASGIApp:
        """Put the stack around `app`, without its `since` outermost."""
        for wrapper in reversed(self.wrappers[since:]):
            app = wrapper.around(app)
        return app


def taken_apart(app: Any) -> Stack:
    """Return what stands around an ASGI app.

    Raises:
        SettingsError: it is a WSGI app.
    """
    wrappers: list[Wrapper] = []
    for _ in range(DEEPEST):
        if hasattr(app, "wsgi_app") or getattr(app, "__name__", "") == "wsgi" or _is_django_wsgi(app):
            raise SettingsError("the probes speak ASGI: give the ASGI app, such as Nexus(app) without `.wsgi`")
        found, inner = _inward(app)
        wrappers += found
        if inner is None:
            break
        app = inner
    return Stack(wrappers, app)


def _inward(app: Any) -> tuple[list[Wrapper], Any]:
    name = type(app).__name__
    if isinstance(getattr(app, "runtime", None), Runtime) and hasattr(app, "stack"):
        return [Wrapper(name, lambda inner: _twin(app, stack=inner))], app.stack
    if isinstance(app, Layer):
        return [Wrapper(name, lambda inner: _twin(app, app=inner, compiled=None))], app.app
    listed = getattr(app, "user_middleware", None)
    if listed is not None:
        return [_listed(each) for each in listed], None
    within = getattr(app, "asgi_app", None)  # Quart's, around which a stack may stand
    if within is not None:
        return [], None if getattr(within, "__self__", None) is app else within
    inner = getattr(app, "app", None)
    if inner is not None and callable(inner):
        return [Wrapper(name, lambda inner: _twin(app, app=inner))], inner
    return [], None


def _listed(each: Any) -> Wrapper:
    """Return one of Starlette's `Middleware(...)`."""
    name = getattr(each.cls, "__name__", str(each.cls))
    return Wrapper(name, lambda inner: each.cls(inner, *each.args, **each.kwargs))


def _twin(wrapper: Any, **inner: Any) -> Any:
    twin = copy.copy(wrapper)
    for name, value in inner.items():
        setattr(twin, name, value)
    return twin


def _is_django_wsgi(app: Any) -> bool:
    return any(kind.__name__ == "WSGIHandler" for kind in type(app).__mro__)
