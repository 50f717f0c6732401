"""The shape every protection shares."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, ClassVar, Generic, Literal, TypeAlias, TypeVar, get_args
from wsgiref.types import StartResponse, WSGIEnvironment

from ..errors import SettingsError
from ..http import App, Head, Reply, Request
from ..rules.decisions import Ruling
from ..stores import open_store
from ..stores.base import Store
from ..stores.commands import Command
from . import asgi, wsgi
from .chain import Chain
from .passage import Passage, Want

A = TypeVar("A")
Mode: TypeAlias = Literal["enforce", "shadow", "off"]
Tap: TypeAlias = Callable[[bytes, bool], Command[Any] | None]
STEPS = ("ask", "before", "after", "done", "watch")


class Layer(Generic[A]):
    """One protection around an app, written as up to four steps that do no I/O.

    The object is an ASGI app; its `wsgi` method is a WSGI app. Subclasses override the steps they need. `ask` may read
    only what steps further out than any asking layer have noted: it runs before the other `before`s.

    >>> class Greeting(Layer[None]):
    ...     def after(self, request, head):
    ...         head.add(b"x-greeting", b"hello")

    Args:
        app: What is protected: an ASGI app, a WSGI app, or another layer.
        store: Where the answers to `ask` come from; a URL names one store per process.
        mode: "shadow" decides and records, but refuses nobody and shows nothing; "off" is as if it were not there.

    Raises:
        SettingsError: an option does not fit.
    """

    steps: frozenset[str] = frozenset()  # those that the class has of its own, less what an object has no use for
    counts: ClassVar[bool] = False  # `ask` changes something, so it must not run before a step that may refuse
    reads_body: ClassVar[bool] = False  # `before` may want `request.body`; see `reads`

    def __init__(self, app: App, *, store: Store | str | None = None, mode: Mode = "enforce") -> None:
        if mode not in get_args(Mode):
            raise SettingsError(f"mode={mode!r} must be one of {', '.join(get_args(Mode))}")
        self.app = app
        self.mode: Mode = mode
        self.owns_store = isinstance(store, str)
        self.store = open_store(store) if isinstance(store, str) else store
        self.compiled: Chain | None = None

    def __init_subclass__(cls) -> None:
        cls.steps = frozenset(step for step in STEPS if getattr(cls, step) is not getattr(Layer, step))

    def reads(self, request: Request) -> bool:
        """Whether this layer wants `request.body`, if it `reads_body` at all; the app still gets every byte."""
        return True

    def enforces(self, request: Request) -> bool:
        """Whether a reply of `before` stops this request, or is only recorded; asked when there is one."""
        return self.mode == "enforce"

    def ask(self, request: Request) -> Command[A] | Literal[Want.NO_MORE] | None:
        """Return the question that the store shall answer before `before` runs.

        Or `Want.NO_MORE`, if `before` will refuse without an answer: then no layer further in is asked.
        """
        return None

    def before(self, request: Request, answer: A | None) -> Reply | Future[A | None] | None:
        """Return a reply to stop the request here, None to let it pass.

        `answer` is None if nothing was asked or the store is down. A future is the promise of a later answer: the
        request waits for it, without holding the event loop, and then `before` is called again with it.
        """
        return None

    def after(self, request: Request, head: Head) -> Reply | Tap | None:
        """Edit the head of the response.

        Return a reply to send it in place of the app's response; or a tap, `tap(chunk, last)`, to see the body go by.
        A tap may return a command, which the store has answered before that chunk goes out. `last` is True once, if
        and only if the body is whole: at the end, or when the bytes that content-length announced have been seen.
        """
        return None

    def done(self, request: Request, status: int) -> Command[Any] | None:
        """Note that the last byte has gone out, or that the client or app has gone away; runs once, whatever happens.

        `status` is 500 if no response was started. The command that it returns delays nobody.
        """
        return None

    def watch(self, passage: Passage[Any]) -> None:
        """Look at a request that is over, and that a layer of this chain or the app has refused; after all `done`s."""

    def why(self, request: Request) -> str:
        """Explain this layer's decision, for `request.state.nexus.decisions`; called only when somebody reads it."""
        return ""

    def rulings(self, request: Request) -> list[Ruling]:
        """Return what each rule of this layer said of a request that it has judged; called only when somebody asks."""
        return []

    @property
    def chain(self) -> Chain:
        """This layer and those directly inside it, compiled at the first request."""
        chain = self.compiled
        if chain is None:
            layers, app = fusible(self)
            chain = self.compiled = Chain(layers, app, app.wsgi if isinstance(app, Layer) else app)
        return chain

    __call__ = asgi.serve  # as an ASGI app

    def wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as a WSGI app (PEP 3333)."""
        return wsgi.serve(self.compiled or self.chain, environ, start_response)


def fusible(outermost: Layer[Any]) -> tuple[list[Layer[Any]], App]:
    """Return the layers that may run as one, and what they stand around: the app, or a layer with a chain of its own."""
    met: list[Layer[Any]] = []
    app: Any = outermost
    while isinstance(layer := _owner(app), Layer) and (not met or _joins(layer, met)):
        met.append(layer)
        app = layer.app
    return [layer for layer in met if layer.mode != "off"], _owner(app)


def _owner(app: Any) -> Any:
    """Return the layer whose `wsgi` method `app` is, as in `flask.wsgi_app = Layer(flask.wsgi_app).wsgi`, or `app`."""
    return app.__self__ if getattr(app, "__func__", None) is Layer.wsgi else app


def _joins(layer: Layer[Any], outer: list[Layer[Any]]) -> bool:
    one_store = layer.store is None or all(layer.store is o.store for o in outer if o.store is not None)
    plain = type(layer).__call__ is Layer.__call__ and type(layer).wsgi is Layer.wsgi
    alone = layer.reads_body and "ask" in layer.steps and any("ask" in o.steps for o in outer)  # asks after its body
    return one_store and plain and not alone and not (layer.counts and _guarded(outer))


def _guarded(outer: list[Layer[Any]]) -> bool:
    """Whether a layer that asks now would count calls which a step between it and the trip refuses."""
    first = next((i for i, layer in enumerate(outer) if "ask" in layer.steps), len(outer))
    return any("before" in layer.steps and not layer.counts for layer in outer[first:])
