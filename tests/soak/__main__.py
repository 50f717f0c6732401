"""`make soak`: ten minutes of mixed traffic and faults; a table each minute, and whether anything grew or was miscounted."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from .run import soak


def main() -> int:
    """Run for MINUTES, 10 if it is not said; 1 if a goal was missed."""
    minutes, seed = float(os.environ.get("MINUTES", "10")), int(os.environ.get("SEED", "1"))
    with tempfile.TemporaryDirectory(prefix="nexus-soak-") as folder:
        report = soak(Path(folder), minutes * 60, seed=seed, say=lambda line: print(line, flush=True))
    print("\n".join(["", *report.lines()]))
    return int(not report.met)


if __name__ == "__main__":
    sys.exit(main())
