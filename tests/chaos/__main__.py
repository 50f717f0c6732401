"""`make chaos`: 2,000 jobs, 60 kill -9 and 3 stops of Redis, under our worker and under plain RQ."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from . import ours
from .peers import PEERS

RUNS = {"nexus": ours.run, **PEERS}
USUAL = ("nexus", "rq")  # the others need what `make bench` installs
COUNTS = ("jobs", "done", "twice", "failed", "seen", "LOST", "kills", "stops")
TIMES = ("rescue", "again", "back", "due", "late", "took")


def main() -> int:
    """Run what is asked for, print a table; 1 if ours lost a job."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(RUNS)} ({', '.join(USUAL)})")
    parser.add_argument("--jobs", type=int, default=2_000)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--restarts", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=120.0, help="over which the jobs are queued")
    parser.add_argument("--seed", type=int, default=1)
    given = vars(parser.parse_args())
    names = given.pop("names") or [*USUAL]
    if unknown := {*names} - {*RUNS}:
        parser.error(f"there is no {', '.join(sorted(unknown))}: there are {', '.join(RUNS)}")
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; times in seconds, each the longest")
    print("".join([f"{'':10}", *[f"{name:>7}" for name in (*COUNTS, *TIMES)]]), flush=True)
    lost = 0
    for name in names:
        with tempfile.TemporaryDirectory(prefix="nexus-chaos-") as folder:
            told = RUNS[name](Path(folder), **given)
        print(line(name, told), flush=True)
        lost += len(told.lost) if name == "nexus" else 0
    return int(lost > 0)


def line(name: str, told: ours.Report) -> str:
    """Return what became of the jobs of one run, in one line."""
    counts = (
        told.jobs,
        told.done,
        told.twice,
        told.failed,
        told.failed_told,
        len(told.lost),
        told.kills,
        told.outages,
    )
    times = (
        told.rescued_within,
        told.again_within,
        max(told.back_within, default=None),
        max(told.due_within, default=None),
        max(told.late_within, default=None),
        told.seconds,
    )
    shown = [f"{'-' if each is None else format(each, '.1f'):>7}" for each in times]
    return "".join([f"{name:10}", *[f"{count:7}" for count in counts], *shown])


if __name__ == "__main__":
    sys.exit(main())
