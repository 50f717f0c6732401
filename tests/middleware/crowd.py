"""One of several processes whose callers want the same cold page at the same time."""

import sys
import time

import redis

from nexus_middleware.middleware.response_cache import ResponseCache
from nexus_middleware.services.cache.pages import PageCache
from nexus_middleware.stores.redis import RedisStore
from tests.helpers import Answer, ASGIDoor, Origin, WSGIDoor


def main(url, name, callers, processes):
    """Ask `callers` times at once when all processes are there; print how often each outcome came."""
    db, store = redis.Redis.from_url(url), RedisStore(url, budget=5)

    def page(path, headers):
        return Answer([b"run %d" % db.incr("runs")], headers=[("cache-control", "max-age=60")], pause=0.3)

    door = {"asgi": ASGIDoor, "wsgi": WSGIDoor}[name]()
    pages = PageCache(store)
    app = ResponseCache(door.app(Origin(page)), store=store, pages=pages.local)
    pages.start()
    while not pages.local.level.live:
        time.sleep(0.005)
    db.incr("there")
    while int(db.get("there")) < processes:
        time.sleep(0.005)
    seen = [answer.body.decode() for answer in door.many(callers, app)]
    sys.stdout.write("|".join(f"{seen.count(body)} of {body}" for body in sorted(set(seen))))
    door.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
