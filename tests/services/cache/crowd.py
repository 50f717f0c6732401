"""One of several processes that want the same value at the same time."""

import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import redis

from nexus_middleware.services.cache import Cache


class Caller:
    """Asks the cache, and says what came of it."""

    def __init__(self, url, *, fails):
        self.db, self.cache, self.fails = redis.Redis.from_url(url), Cache(url), fails

    def fetch(self):
        self.db.incr("fetched")
        time.sleep(0.3)
        if self.fails:
            raise LookupError("no such course")
        return {"by": int(self.db.get("fetched"))}

    async def afetch(self):
        return await asyncio.to_thread(self.fetch)

    def ask(self, _):
        try:
            return repr(self.cache.get_or_set("course", self.fetch))
        except LookupError as error:
            return repr(error)

    async def aask(self):
        try:
            return repr(await self.cache.aget_or_set("course", self.afetch))
        except LookupError as error:
            return repr(error)

    async def all_at_once(self, callers):
        outcomes = await asyncio.gather(*[self.aask() for _ in range(callers)])
        await self.cache.store.aclose()
        return outcomes


def main(url, door, callers, fails):
    """Ask `callers` times at once when all processes are there; print every distinct outcome."""
    caller = Caller(url, fails=fails)
    caller.cache.get("ready")  # connected
    caller.db.incr("there")
    while int(caller.db.get("there")) < 3:
        time.sleep(0.005)
    if door == "threads":
        with ThreadPoolExecutor(callers) as pool:
            outcomes = [*pool.map(caller.ask, range(callers))]
    else:
        outcomes = asyncio.run(caller.all_at_once(callers))
    sys.stdout.write("|".join([str(len(outcomes)), *sorted(set(outcomes))]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "fails")
