"""A flood of URLs through a cache of 1 MiB: prints how many bytes Python holds for it afterwards."""

import gc
import sys
import tracemalloc
from collections import deque

from nexus_middleware import ResponseCache
from tests.helpers import Answer, ASGIDoor, Origin


def main(size: int, urls: int) -> None:
    headers = [("cache-control", "max-age=60")]
    door, origin = ASGIDoor(), Origin(lambda path, _: Answer([bytes([len(path)]) * size], headers=headers))
    origin.asked = deque(maxlen=1)
    app = ResponseCache(door.app(origin), max_bytes=2**20)
    door.get(app)
    tracemalloc.start()
    began = tracemalloc.get_traced_memory()[0]
    for i in range(urls):
        for _ in range(2):  # what is made for hits is held too
            door.get(app, f"/{i}", query=b"q=%d" % i)
    gc.collect()
    sys.stdout.write(f"{tracemalloc.get_traced_memory()[0] - began}\n")
    door.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
