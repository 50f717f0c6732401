"""The two doors, driven as a server would drive them, message by message, without a server."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from nexus_middleware.errors import StoreError

CLIENT = "203.0.113.7"


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@dataclass
class Answer:
    """What a test's app shall say; `pause` holds it up for that many seconds before it begins."""

    body: list[bytes] = field(default_factory=lambda: [b"ok"])
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    pause: float = 0.0
    fails: bool = False
    reads: bool = False  # the request's body first, into `Origin.bodies`


@dataclass
class Seen:
    """What came back."""

    status: int
    pairs: list[tuple[str, str]]
    chunks: list[bytes]

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.pairs)

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)


class Down:
    """A store like a Redis that is away."""

    url, waits = "redis://down", True

    def run(self, commands):
        raise StoreError("it is down")

    async def arun(self, commands):
        raise StoreError("it is down")


class Origin:
    """An app under both doors: calls `say(path, headers)` for its answers, and remembers what it was asked."""

    def __init__(self, say=lambda path, headers: Answer()):
        self.say, self.asked, self.bodies, self.seen = say, [], [], None

    def answer(self, path, headers):
        self.asked.append((path, headers))
        return self.say(path, headers)

    async def asgi(self, scope, receive, send):
        self.scope = scope
        self.seen = scope.get("state", {}).get("nexus")
        answer = self.answer(scope["path"], {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]})
        if answer.reads and await self._read(receive) is None:
            return
        if answer.pause:
            await asyncio.sleep(answer.pause)
        if answer.fails:
            raise RuntimeError("the app failed")
        pairs = [(k.encode(), v.encode()) for k, v in answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
        for i, chunk in enumerate(answer.body or [b""]):
            await send({"type": "http.response.body", "body": chunk, "more_body": i < len(answer.body) - 1})

    async def _read(self, receive):
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message["body"]
            more = message.get("more_body", False)
        self.bodies.append(body)
        return body

    def wsgi(self, environ, start_response):
        self.scope = environ
        self.seen = environ.get("nexus.request")
        headers = {k[5:].lower().replace("_", "-"): v for k, v in environ.items() if k.startswith("HTTP_")}
        answer = self.answer(environ["PATH_INFO"], headers)
        if answer.reads:
            self.bodies.append(environ["wsgi.input"].read())
        if answer.pause:
            time.sleep(answer.pause)
        if answer.fails:
            raise RuntimeError("the app failed")
        start_response(f"{answer.status} Said", answer.headers)
        return list(answer.body)


class ASGIDoor:
    """Drives layers as an ASGI server does."""

    name = "asgi"

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.stores = set()

    def app(self, origin):
        return origin.asgi

    def inner(self, layer):
        """What to wrap in the next layer by hand."""
        return layer

    def gap(self, layer):
        """A foreign middleware: nothing is fused across it."""

        async def foreign(scope, receive, send):
            await layer(scope, receive, send)

        return foreign

    def get(self, layer, path="/", **options):
        return self.loop.run_until_complete(self.aget(layer, path, **options))

    def many(self, n, layer, path="/", **options):
        async def all_at_once():
            return await asyncio.gather(*[self.aget(layer, path, **options) for _ in range(n)])

        return self.loop.run_until_complete(all_at_once())

    def settle(self, layer):
        """Let the work in the background end."""
        while tasks := [*layer.chain.background]:
            self.loop.run_until_complete(asyncio.wait(tasks))

    async def aget(
        self,
        layer,
        path="/",
        *,
        client: str | None = CLIENT,
        headers=(),
        method="GET",
        body: bytes | list[bytes] = b"",
        scheme="http",
        query=b"",
        on_chunk: Callable[[bytes], object] = len,
    ):
        chunks, heads = [], []
        parts = body if isinstance(body, list) else [body]
        inbox = [{"type": "http.request", "body": p, "more_body": i < len(parts) - 1} for i, p in enumerate(parts)]

        async def receive():
            return inbox.pop(0) if inbox else {"type": "http.disconnect"}

        async def send(message):
            if message["type"] == "http.response.start":
                heads.append(message)
            elif message["type"] == "http.response.body":
                assert heads, "a body before its head"
                on_chunk(message.get("body", b""))
                chunks.append(message.get("body", b""))

        pairs = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers]
        if not any(k == b"host" for k, _ in pairs):
            pairs.insert(0, (b"host", b"example.org"))
        if isinstance(body, bytes) and body and not any(k == b"content-length" for k, _ in pairs):
            pairs.append((b"content-length", b"%d" % len(body)))
        scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path}
        scope |= {"raw_path": path.encode(), "query_string": query, "headers": pairs, "scheme": scheme, "root_path": ""}
        if getattr(getattr(layer, "chain", None), "store", None) is not None:
            self.stores.add(layer.chain.store)
        await layer({**scope, "client": (client, 1) if client else None, "server": ("example.org", 80)}, receive, send)
        assert len(heads) == 1, f"{len(heads)} heads"
        return Seen(heads[0]["status"], [(k.decode(), v.decode()) for k, v in heads[0]["headers"]], chunks)

    def close(self) -> None:
        for store in self.stores:
            if hasattr(store, "aclose"):
                self.loop.run_until_complete(store.aclose())
        self.loop.close()


class WSGIDoor:
    """Drives layers as a WSGI server does."""

    name = "wsgi"

    def app(self, origin):
        return origin.wsgi

    def inner(self, layer):
        return layer.wsgi

    def gap(self, layer):
        def app(environ, start_response):  # what is no bound method of a layer is not fused
            return layer.wsgi(environ, start_response)

        return app

    def get(
        self,
        layer,
        path="/",
        *,
        client=CLIENT,
        headers=(),
        method="GET",
        body: bytes | list[bytes] = b"",
        scheme="http",
        query=b"",
        on_chunk: Callable[[bytes], object] = len,
    ):
        heads, chunks = [], []
        whole = body if isinstance(body, bytes) else b"".join(body)
        environ = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path.encode().decode("latin-1")}
        environ |= {"QUERY_STRING": query.decode(), "REMOTE_ADDR": client or "", "HTTP_HOST": "example.org"}
        environ |= {"SERVER_NAME": "example.org", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1"}
        environ |= {"wsgi.url_scheme": scheme, "wsgi.input": io.BytesIO(whole), "wsgi.errors": io.StringIO()}
        environ |= {"wsgi.version": (1, 0), "wsgi.multithread": True, "wsgi.multiprocess": False}
        if isinstance(body, list):
            environ["wsgi.input_terminated"] = True
        elif body:
            environ["CONTENT_LENGTH"] = str(len(whole))
        for key, value in headers:
            name = key.upper().replace("-", "_")
            environ[name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"] = value
        result = layer.wsgi(environ, lambda line, pairs, exc_info=None: heads.append((line, pairs)) or chunks.append)
        try:
            for chunk in result:
                on_chunk(chunk)
                chunks.append(chunk)
        finally:
            getattr(result, "close", list)()
        line, pairs = heads[-1]
        return Seen(int(line[:3]), pairs, chunks)

    def many(self, n, layer, path="/", **options):
        with ThreadPoolExecutor(n) as pool:
            return [*pool.map(lambda _: self.get(layer, path, **options), range(n))]

    def settle(self, layer):
        for thread in [*layer.chain.background]:
            thread.join()

    def close(self) -> None: ...
