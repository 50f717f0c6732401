"""An app, for both doors, and a job, whose servers write logs."""

from __future__ import annotations

import logging


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    logging.getLogger("shop").warning("asked\r\nat %s?token=hunter2", scope["path"])
    if scope["path"] == "/fails":
        raise RuntimeError("password=hunter2")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


def wsgi(environ, start_response):
    logging.getLogger("shop").warning("asked\r\nat %s?token=hunter2", environ["PATH_INFO"])
    if environ["PATH_INFO"] == "/fails":
        raise RuntimeError("password=hunter2")
    start_response("200 OK", [])
    return [b"ok"]


def job():
    logging.getLogger("shop").warning("asked\r\nat /?token=hunter2")


def worker(url):
    """Run RQ's own worker until its queue is empty, its log led into ours."""
    import redis
    import rq

    from nexus_middleware import Settings
    from nexus_middleware.services import logs

    logs.configure(Settings())
    connection = redis.Redis.from_url(url)
    queue = rq.Queue(connection=connection)
    queue.enqueue("tests.services.logs.served.job")
    rq.SimpleWorker([queue], connection=connection).work(burst=True)


if __name__ == "__main__":
    import sys

    worker(sys.argv[1])
