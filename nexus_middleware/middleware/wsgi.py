"""The WSGI door: runs a chain as a WSGI app (PEP 3333)."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from ..errors import StoreError
from ..http import CURRENT, FAILED, TEXTS, Head, Headers, Reply
from .bodies import BodyTooLong, Metered, hold
from .chain import Chain, log
from .passage import PATIENCE, Flow, Passage, Want
from .requests import ENVIRON, WSGIRequest, wsgi_request

if TYPE_CHECKING:
    from ..stores.commands import Command


def serve(chain: Chain, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Start the request; the server runs the rest by iterating over what this returns, and closing it."""
    passage = entered(chain, environ, start_response)
    try:
        return passage.run()
    except BaseException:
        passage.close()
        raise


def entered(chain: Chain, environ: WSGIEnvironment, start_response: StartResponse) -> WSGIPassage:
    """Begin the passage of a request, and its trace, if no chain further out has begun that."""
    trace = environ.get(ENVIRON)
    if trace is None:
        passage = WSGIPassage(chain, wsgi_request(environ, {}), environ, start_response=start_response)
        environ[ENVIRON] = passage
    else:
        passage = WSGIPassage(chain, wsgi_request(environ, trace.request.notes), None, start_response=start_response)
        trace.inside = [*(trace.inside or ()), passage]
    return passage


class WSGIPassage(Passage[WSGIRequest], kw_only=True, eq=False):
    """A passage, and the way back to its client: a WSGI body that knows when the server is done with it."""

    start_response: StartResponse
    body: Iterable[bytes] = ()
    again: bool = False
    too_long: Reply | None = None  # what its client is told of a body, of which the app has read too much

    def run(self) -> Iterable[bytes]:
        """Run the steps on the way in, and the app or the reply."""
        step = self.chain.go_in(self)
        while step is not None and not isinstance(step, Reply):
            step = self._wait(step)
        if step is None:
            try:
                self.body = self._call_app()
            except Exception:
                if self.started or not self._stand_in():
                    raise
                log.exception("the app failed, and a stored answer stood in for its own")
        else:
            self.body, self.again = self._answer(step), step.again
        return self

    def __len__(self) -> int:  # servers add a content-length to a body of one chunk
        if self.instead is not None:
            return 1
        return len(self.body)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.body:
            self._show(self.flow, chunk, ended=False)
            if self.instead is not None:
                break
            yield chunk
        else:
            self._show(self.flow, b"", ended=True)  # the server ends the response only after this
        if self.instead is not None:
            self._show(self.tail, self.instead, ended=True)
            yield self.instead

    def close(self) -> None:
        """Tell the app and the layers that the request is over."""
        try:
            if commands := self.finish():
                self._ask(commands)
        finally:
            getattr(self.body, "close", _nothing)()
            if self.began is not None:  # what it holds holds it, and a circle of objects is dear to free
                self.began.pop(ENVIRON, None)
                self.request.environ.pop(ENVIRON, None)
                CURRENT.set(None)  # the thread goes on: its next log line is not about this request
        if self.again:
            self._repeat()

    def _wait(self, step: Any) -> Any:
        if step is Want.BODY:
            return hold(self) or self.advance()
        return self.advance(_kept(step) if isinstance(step, Future) else self._ask(step))

    def _ask(self, commands: list[Command[Any]]) -> list[Any]:
        store = self.chain.store
        try:
            return store.run(commands) if store is not None else []
        except StoreError as error:
            return self.chain.store_failed(self, commands, error)

    def _call_app(self) -> Iterable[bytes]:
        request = self.request
        if not request.body_limits:
            return self.chain.wsgi_app(request.environ, self._start)
        meter = Metered(request.environ, self._fits)
        request.environ = {**request.environ, "wsgi.input": io.BufferedReader(meter)}
        try:
            return self.chain.wsgi_app(request.environ, self._start)
        except BodyTooLong:
            if self.started or self.too_long is None:
                raise
            request.keep_route()
            return self._answer(self.too_long)

    def _fits(self, taken: int) -> bool:
        """Whether the app may have that many bytes of the body."""
        self.too_long = self.cut(taken)
        return self.too_long is None

    def _stand_in(self) -> bool:
        """Whether a layer has an answer to give where the app has none; it begins then."""
        self.request.notes[FAILED] = True
        head = Head(500, [])
        self.dress(head)
        if self.instead is None:
            return False
        self.started = True
        self.start_response(_line(head.status), _texts(head.headers))
        return True

    def _show(self, flow: Flow | None, chunk: bytes, *, ended: bool) -> None:
        if flow is not None and (commands := flow.show(chunk, ended=ended)):
            self._ask(commands)

    def _start(self, line: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
        self.started = True
        request = self.request
        request.keep_route()
        if self.too_long is not None:  # whatever the app says of a cut body
            head = self.too_long.head()
            self.dress(head)
            self.tail, self.flow, self.instead = self.flow, None, self.too_long.body
        else:
            head = Head(int(line[:3]), [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers])
            self.chain.go_out(self, head)
        line = line if line.startswith(f"{head.status} ") else _line(head.status)
        write = self.start_response(line, _texts(head.headers), exc_info)
        return lambda chunk: self._write(write, chunk)

    def _write(self, write: Any, chunk: bytes) -> None:
        self._show(self.flow, chunk, ended=False)
        if self.instead is None:
            write(chunk)

    def _answer(self, reply: Reply) -> list[bytes]:
        head = reply.head()
        self.too_long, self.started = None, True
        self.chain.go_out(self, head) if self.cutter is None else self.dress(head)
        self.start_response(_line(head.status), _texts(head.headers))
        return [reply.body]

    def _repeat(self) -> None:
        """Run the request once more, from the layer that answered inward; nobody sees the response."""
        layer = self.chain.layers[self.depth]
        environ = {key: value for key, value in self.request.environ.items() if key != ENVIRON}
        environ |= {"nexus.again": True, "wsgi.input": io.BytesIO()}
        thread = threading.Thread(target=self._exhaust, args=(layer.wsgi, environ), daemon=True)
        self.chain.background.add(thread)
        thread.start()

    def _exhaust(self, app: WSGIApplication, environ: WSGIEnvironment) -> None:
        try:
            body = app(environ, lambda *_: lambda _: None)
            with contextlib.closing(cast("WSGIPassage", body)):
                for _ in body:
                    pass
        except Exception:  # noqa: BLE001  # nobody waits for it: the log is where its failure can go
            log.exception("a request that was repeated in the background failed")
        finally:
            self.chain.background.discard(threading.current_thread())


def _kept(promise: Future[Any]) -> Any:
    """Return the outcome of a promise; None if it takes too long."""
    try:
        return promise.result(PATIENCE)
    except TimeoutError:
        return None


@lru_cache(1024)
def _line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"


def _texts(headers: Headers) -> list[tuple[str, str]]:
    return [*map(TEXTS.__getitem__, headers)]


def _nothing() -> None: ...
