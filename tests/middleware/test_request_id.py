"""RequestID: ids of our own are never given twice, not by threads and not by forked processes."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from nexus_middleware.middleware.request_id import random_id

FORKS = """
import os
from nexus_middleware.middleware.request_id import random_id

random_id()  # there is a stock now, which the child must not give too
if child := os.fork():
    os.waitpid(child, 0)  # so that the two do not write at the same time
print(*[random_id() for _ in range(200)], sep="\\n", flush=True)
"""


def test_no_two_threads_get_the_same_id():
    with ThreadPoolExecutor(8) as pool:
        ids = [*pool.map(lambda _: random_id(), range(5_000))]

    assert len({*ids}) == 5_000
    assert all(len(x) == 32 and int(x, 16) >= 0 for x in ids)


def test_a_forked_process_gives_none_of_its_parents_ids():
    told = subprocess.run([sys.executable, "-c", FORKS], capture_output=True, text=True, check=True, timeout=30)

    ids = told.stdout.split()
    assert len(ids) == len({*ids}) == 400
