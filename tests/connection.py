"""A raw ASGI server's side of one request."""

import asyncio

START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}


def body(chunk, *, more=False):
    return {"type": "http.response.body", "body": chunk, "more_body": more}


class Connection:
    """A server's side of one request, message by message."""

    def __init__(self, app, **scope):
        self.inbox, self.outbox = asyncio.Queue(), asyncio.Queue()
        base = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1"}
        base |= {"method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "scheme": "http", "root_path": ""}
        base |= {"headers": [(b"host", b"example.org")], "client": ("203.0.113.7", 1), "server": ("example.org", 80)}
        self.scope = {**base, "state": {}, "extensions": {}, **scope}
        if self.scope["type"] == "http" and self.scope["method"] == "GET":
            self.tell(type="http.request", body=b"", more_body=False)
        self.task = asyncio.ensure_future(app(self.scope, self.inbox.get, self.outbox.put))

    def tell(self, **message):
        self.inbox.put_nowait(message)

    async def hear(self):
        """The next message of the app; the app's failure, if that comes instead."""
        getter = asyncio.ensure_future(self.outbox.get())
        await asyncio.wait({getter, self.task}, return_when=asyncio.FIRST_COMPLETED, timeout=5)
        if not getter.done() and self.task.done() and self.outbox.empty():
            getter.cancel()
            self.task.result()
        return await asyncio.wait_for(getter, 5)
