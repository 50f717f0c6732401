"""What stands around an app: our layers, other middleware, the app itself and its routes, found by looking inward."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ..http import Receive, Scope, Send
from ..middleware.layer import Layer
from ..runtime import Runtime
from ..settings import Settings

DEEPEST = 100  # wrappers around an app: more must be a circle


@dataclass(kw_only=True)
class Foreign:
    """A middleware that is none of ours."""

    kind: type
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class Subject:
    """What the checks look at.

    Args:
        layers: Ours, outermost first.
        within: Those of them that a framework's own list holds, inside of its error page.
        foreign: Other middleware.
        app: What is in the middle.
        runtime: Of the `Nexus` around it; None if there is none.
        access: The hook that opens the dashboard.
        workers: Processes that serve it.
        environ: The environment's variables.
    """

    layers: list[Layer[Any]] = field(default_factory=list)
    within: list[Layer[Any]] = field(default_factory=list)
    foreign: list[Foreign] = field(default_factory=list)
    app: Any = None
    runtime: Runtime | None = None
    access: Any = None
    workers: int = 1
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> Settings | None:
        """Of the `Nexus`."""
        return None if self.runtime is None else self.runtime.settings

    def of(self, name: str) -> list[Any]:
        """Return the layers of a class, by its name, that are not off."""
        return [layer for layer in self.layers if type(layer).__name__ == name and layer.mode != "off"]

    @property
    def routes(self) -> list[str]:
        """The paths of the app's routes, those below mounts too; parameters as the framework writes them."""
        found = [*_starlette(getattr(self.app, "routes", ()), "")]
        rules = getattr(getattr(self.app, "url_map", None), "iter_rules", None)
        return found + [str(rule.rule) for rule in (rules() if rules else ())]


def look(app: Any, *, workers: int | None = None, environ: Mapping[str, str] | None = None) -> Subject:
    """Find out what stands around `app`, without running it."""
    environ = os.environ if environ is None else environ
    subject = Subject(environ=environ, workers=_workers(environ) if workers is None else workers)
    for _ in range(DEEPEST):
        inner = _inward(app, subject)
        if inner is None:
            break
        app = inner
    subject.app = app
    return subject


def _inward(app: Any, subject: Subject) -> Any:
    """Note what `app` is, and return what it wraps; None if it is the app itself."""
    bound = getattr(app, "__self__", None)
    if isinstance(bound, Layer) or isinstance(getattr(bound, "runtime", None), Runtime):
        app = bound
    if isinstance(getattr(app, "runtime", None), Runtime):
        subject.runtime, subject.access = app.runtime, app.access
        return app.stack
    if isinstance(app, Layer):
        subject.layers.append(app)
        return app.app
    listed = getattr(app, "user_middleware", None)
    if listed is not None:
        _take(listed, subject)
        return None
    wsgi = getattr(app, "wsgi_app", None)
    if wsgi is not None:
        outer = wsgi if getattr(wsgi, "__self__", None) is not app else None
        if outer is not None:
            _around(outer, subject)
        subject.app = app
        return None
    inner = getattr(app, "app", None)
    if inner is not None and callable(inner):
        subject.foreign.append(Foreign(kind=type(app), options=vars(app)))
        return inner
    return None


def _around(app: Any, subject: Subject) -> None:
    """Look at what stands around Flask's `wsgi_app`, down to that method itself."""
    for _ in range(DEEPEST):
        if app is None or getattr(app, "__name__", "") == "wsgi_app":
            return
        app = _inward(app, subject)


def _take(listed: Any, subject: Subject) -> None:
    for each in listed:
        kind, options = each.cls, each.kwargs
        if isinstance(kind, type) and issubclass(kind, Layer):
            layer = kind(_nothing, *each.args, **options)
            subject.layers.append(layer)
            subject.within.append(layer)
        elif isinstance(kind, type):
            subject.foreign.append(Foreign(kind=kind, options=options))


def _starlette(routes: Any, prefix: str) -> Iterator[str]:
    for route in routes:
        path = prefix + str(getattr(route, "path", ""))
        inner = getattr(route, "routes", None)
        if inner:
            yield from _starlette(inner, path)
        elif path:
            yield path


def _workers(environ: Mapping[str, str]) -> int:
    """Return how many processes the environment asks uvicorn or gunicorn for."""
    words = environ.get("GUNICORN_CMD_ARGS", "").replace("=", " ").split()
    said = [after for word, after in pairwise(words) if word in ("-w", "--workers")]
    told = [text for text in (*said, environ.get("WEB_CONCURRENCY", "")) if text.isdigit()]
    return int(told[0]) if told else 1


async def _nothing(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Stand in for the app inside of a layer that is only looked at."""
