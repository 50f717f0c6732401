"""How well the input guard tells attacks from honest text, and what it costs: on public collections, if they are here.

They are other people's and are no part of the project. Where they lie in `../shared/corpora` beside the checkout, the
rules were written with the lines whose CRC-32 is even in view, and the others are what is counted here.
"""

from __future__ import annotations

import json
import statistics
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nexus_middleware import InputGuard
from nexus_middleware.rules.injection import detect, detect_sql_injection, detect_xss
from tests.helpers import WSGIDoor
from tests.rules import attacks, honest

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
GROUPS = {
    "plain: forms": ["httpparams-csic2010"],
    "plain: names": ["names-jobs-places", "words"],
    "plain: addresses, agents": ["faker-generated"],
    "plain: URLs": ["urls"],
    "plain: prose": ["fortunes", "rails-guides-prose", "readme-prose"],
    "hard: once misjudged": ["libinjection-fp", "gotestwaf-fp", "rails-guides-prose-sqlish"],
    "rich: HTML": ["readme-html"],
    "rich: code, JSON": ["readme-code", "rails-guides-code", "json-docs"],
}
OURS = {"plain: forms": honest.FORMS, "plain: prose": honest.PLAIN, "rich: HTML": honest.RICH}
UNITS = [
    "'",
    '"',
    "<",
    "/*",
    "--",
    "(",
    ")",
    " ",
    "1,",
    "or ",
    "&&",
    "%2527",
    "&#x27;",
    "\\x27",
    "on=",
    "<a onx",
    "j ",
    "java",
]
BODY = 500_000  # bytes
JSON, FORM = "application/json", "application/x-www-form-urlencoded"

Goal = tuple[str, float, float, float]  # what is aimed at, what it is, its bounds
Detector = Callable[[str], Any]
Clock = Callable[[], float]


def report() -> Iterator[Goal]:
    """Print the tables; yield the goals."""
    lines = (
        "the half of ../shared/corpora that no rule was written with" if CORPORA.exists() else "our own sample alone"
    )
    print(f"\nInput guard, on {lines}")
    yield from _rates("SQL injection", "sqli", detect_sql_injection, attacks.SQLI, (0.75, 0.0015, 0.025))
    yield from _rates("XSS", "xss", detect_xss, attacks.XSS, (0.85, 0.004, 0.02))
    yield from _times()


def _rates(
    title: str, folder: str, find: Detector, ours: list[str], goals: tuple[float, float, float]
) -> Iterator[Goal]:
    attacks = {path.stem: _held_out(path) for path in sorted(CORPORA.glob(f"{folder}/*.jsonl"))} or {"our own": ours}
    found = {name: _share(find, lines) for name, lines in attacks.items() if lines}
    macro = statistics.mean(found.values())
    print(f"\n{title + ', found':42}{'lines':>8}{'share':>9}")
    for name, share in found.items():
        print(f"{name:42}{len(attacks[name]):8}{share:9.4f}")
    print(
        f"{'mean of the sources':50}{macro:9.4f}\n\n{title + ', false alarms':42}{'lines':>8}{'alarms':>9}{'share':>9}"
    )
    alarms: dict[str, tuple[int, int]] = {}
    for group, lines in _honest():
        alarms[group] = sum(1 for text in lines if find(text)), len(lines)
        print(f"{group:42}{len(lines):8}{alarms[group][0]:9}{alarms[group][0] / len(lines):9.4f}")
    least, plain, rich = goals
    yield f"{title}: mean share of attacks found", macro, least, float("inf")
    yield f"{title}: false alarms in plain text, in percent", 100 * _rate(alarms, "plain"), 0, 100 * plain
    yield f"{title}: false alarms in code and HTML, in percent", 100 * _rate(alarms, "rich"), 0, 100 * rich
    for source, least in {"sqli": {"httpparams": 0.995, "payloadbox": 0.88}, "xss": {"payloadbox": 0.98}}[
        folder
    ].items():
        if source in found:
            yield f"{title}: found of {source}", found[source], least, float("inf")


def _held_out(path: Path) -> list[str]:
    lines = path.read_text().splitlines()
    return [json.loads(line) for line in lines if zlib.crc32(line.encode()) % 2]


def _honest() -> Iterator[tuple[str, list[str]]]:
    if not CORPORA.exists():
        yield from OURS.items()
        return
    for group, names in GROUPS.items():
        yield group, [line for name in names for line in _held_out(CORPORA / "benign" / f"{name}.jsonl")]


def _share(find: Detector, lines: list[str]) -> float:
    return sum(1 for text in lines if find(text)) / len(lines)


def _rate(alarms: dict[str, tuple[int, int]], kind: str) -> float:
    counted = [pair for group, pair in alarms.items() if group.startswith(kind)]
    return sum(hits for hits, _ in counted) / sum(size for _, size in counted)


def _times() -> Iterator[Goal]:
    groups = dict(_honest())
    for what, group, most in (("a form value", "plain: forms", 1.0), ("a paragraph", "plain: prose", 25.0)):
        lines = groups[group]
        yield (
            f"µs to judge {what}, median",
            statistics.median(_seconds(detect, text, clock=time.perf_counter) for text in lines) * 1e6,
            0,
            most,
        )
    bodies = {name: _guarded(body, kind) for name, body, kind in _hostile_bodies()}
    slowest = max(bodies, key=lambda name: bodies[name])
    yield f"ms for the slowest body of 500 KB ({slowest})", bodies[slowest] * 1e3, 0, 10.0
    growth = {unit: _growth(unit) for unit in UNITS}
    worst = max(growth, key=lambda unit: growth[unit])
    yield f"time for twice a hostile text of 100,000, at most ({worst!r})", growth[worst], 0, 2.6


def _seconds(find: Detector, text: str, *, rounds: int = 5, clock: Clock = time.process_time) -> float:
    """Return the least of some rounds, of the processor's time: what other processes do does not count."""

    def once() -> float:
        began = clock()
        find(text)
        return clock() - began

    return min(once() for _ in range(rounds))


def _growth(unit: str) -> float:
    once, twice = (unit * (n // len(unit)) for n in (100_000, 200_000))
    return _seconds(detect, twice, rounds=9) / _seconds(detect, once, rounds=9)


def _hostile_bodies() -> Iterator[tuple[str, bytes, str]]:
    story = "".join(f"It's line {i}: <b>some</b> 'words' & more; or less. " for i in range(12_000))[: BODY - 20]
    yield "a story", json.dumps({"text": story}).encode(), JSON
    yield "a story in lines", json.dumps(story.split(". ")).encode()[:BODY].rpartition(b",")[0] + b"]", JSON
    for unit in UNITS:
        text = unit * (BODY // len(json.dumps(unit)[1:-1]) - 2)
        yield f"one text of {unit!r}", json.dumps({"a": text}).encode(), JSON
        yield f"a form of {unit!r}", (unit * (BODY // len(unit))).encode(), FORM
        yield f"a list of {unit!r}", json.dumps([unit] * (BODY // (len(json.dumps(unit)) + 2))).encode(), JSON
    yield "a form of pairs", b"a=1&" * (BODY // 4), FORM
    yield "a list of numbers", b"[" + b"1," * (BODY // 2) + b"1]", JSON
    yield "brackets", b"[" * BODY, JSON


def _guarded(body: bytes, kind: str) -> float:
    """Return the seconds that the guard adds to a request with this body."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b""]

    def seconds(mode: Any) -> float:
        guard, door = InputGuard(app, mode=mode), WSGIDoor()
        post: Any = {"method": "POST", "headers": [("content-type", kind)], "body": body}
        return _seconds(lambda path: door.get(guard, path, **post), "/")

    return seconds("shadow") - seconds("off")
