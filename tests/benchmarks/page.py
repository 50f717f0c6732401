"""Run all benchmarks, or the parts that are named, and write what they print into docs/benchmarks.md: `make bench-page`."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
PARTS = {
    "Requests, layers and detection": "tests.benchmarks",
    "Whole servers": "tests.benchmarks.served",
    "Queues": "tests.benchmarks.queues",
    "Caches": "tests.benchmarks.caches",
    "What the layers say they cost": "tests.benchmarks.costs",
}
PEERS = [
    "starlette",
    "slowapi",
    "asgi-ratelimit",
    "limits",
    "fastapi-guard",
    "a2wsgi",
    "secure",
    "structlog",
    "prometheus-fastapi-instrumentator",
    "hishel",
    "fastapi-cache2",
    "cashews",
    "aiocache",
    "django",
    "rq",
    "saq",
    "dramatiq",
    "redis",
]
HEAD = """# Benchmarks

What `make bench` printed, each part whole and unchanged from one run: ours and the peers, each in its best
configuration, side by side in one process. Read the ratios. The times are those of one machine, and the goals are those
that we set ourselves: a missed one says so.

- Machine: {machine}, {cores} processors, {system}
- Python {python}; {versions}
- Run with `make bench-page`, each part on the day that it names

"bytecodes" counts what one request takes in steps of the interpreter, which nothing else on the machine can change.
"adds x" is what something adds to the bare app, in requests of a bare Starlette route. The goals come first, the tables
that they are taken from after them.

What a request costs in bytecodes and in trips to Redis is held by the tests (`tests/benchmarks/test_gate.py`): a change
by which the layers take 5 % more steps, or one trip more, does not pass.
"""


def main() -> int:
    """Run them one after another, and write the page; parts that were not asked for stay as they are."""
    wanted, page = sys.argv[1:] or [*PARTS], PAGE.read_text("utf-8")
    parts = [HEAD.format(**_facts())]
    for title, module in PARTS.items():
        if title not in wanted and f"## {title}\n" in page:
            parts.append(page[page.index(f"## {title}\n") :].partition("\n```\n")[0] + "\n```\n")
            continue
        done = subprocess.run([sys.executable, "-m", module], stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            print(f"{module} ended with {done.returncode}: the page stays as it is", file=sys.stderr)
            return 1
        day = datetime.now(UTC).date().isoformat()
        parts.append(f"## {title}\n\nOn {day}.\n\n```text\n{done.stdout.strip()}\n```\n")
    PAGE.write_text("\n".join(parts), "utf-8")
    return 0


def _facts() -> dict[str, object]:
    return {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": ", ".join(_versions()),
    }


def _versions() -> list[str]:
    found = {each.name.lower(): each.version for each in importlib.metadata.distributions()}
    return [f"{name} {found[name]}" for name in PEERS if name in found]


if __name__ == "__main__":
    sys.exit(main())
