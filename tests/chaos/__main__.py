"""`make chaos`: 2,000 jobs, 60 kill -9 and 3 stops of Redis, under our worker and under plain RQ."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from . import ours, plain_rq


def main() -> int:
    """Run both, print a table; 1 if ours lost a job."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--jobs", type=int, default=2_000)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--restarts", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=120.0, help="over which the jobs are queued")
    parser.add_argument("--seed", type=int, default=1)
    given = vars(parser.parse_args())
    head = f"{'':22}{'jobs':>6}{'done':>6}{'twice':>6}{'failed':>7}{'seen':>6}{'LOST':>6}{'kills':>6}{'stops':>6}"
    print(f"{head}  rescue ≤ s  again ≤ s   late ≤ s   took s")
    lost = 0
    for name, run in (("nexus worker, 2 proc.", ours.run), ("rq worker, scheduler", plain_rq.run)):
        with tempfile.TemporaryDirectory(prefix="nexus-chaos-") as folder:
            told = run(Path(folder), **given)
        late = f"{max(told.late_within):.1f}" if told.late_within else "-"
        print(
            f"{name:22}{told.jobs:6}{told.done:6}{told.twice:6}{told.failed:7}{told.failed_told:6}"
            f"{len(told.lost):6}{told.kills:6}{told.outages:6}{told.rescued_within:12.1f}{told.again_within:11.1f}{late:>11}{told.seconds:9.0f}",
            flush=True,
        )
        lost += len(told.lost) if run is ours.run else 0
    return int(lost > 0)


if __name__ == "__main__":
    sys.exit(main())
