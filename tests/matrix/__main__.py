"""`make matrix`: every framework under every server, told as a table."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.conftest import Server
from tests.matrix.cells import CELLS, cell


def main(words: list[str]) -> int:
    """Run the cells whose app or server is among `words`, all without any; 1 if something failed."""
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        redis = Server(Path(folder))
        for i, (app, server) in enumerate(CELLS):
            if words and not {app, server} & {*words}:
                continue
            redis.client.flushall()
            failed = cell(app, server, redis.url, Path(folder) / str(i))
            wrong += bool(failed)
            print(f"{app:12} {server:26} {'ok' if not failed else 'FAILED'}", flush=True)
            for name, why in failed.items():
                print(f"    {name}: {why}", flush=True)
        redis.stop()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
