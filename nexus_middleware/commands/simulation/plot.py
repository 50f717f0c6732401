"""Refusals over time, as an SVG that runs no script and loads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 900, 260, 56, 34, 30
BARS = 180


def plot(refusals: Mapping[int, int], first: float, last: float, title: str) -> str:
    """Draw them.

    Args:
        refusals: By the minute, in minutes since the epoch.
        first: When the log begins, in seconds since the epoch.
        last: When it ends.
        title: Above the picture.
    """
    start, end = int(first // 60), int(last // 60) + 1
    step = max(1, -(-(end - start) // BARS))  # minutes a bar
    sums = [sum(refusals.get(minute, 0) for minute in range(at, at + step)) for at in range(start, end, step)]
    most = max(max(sums, default=0), 2)
    most += most % 2  # so that half of it is a whole number
    room, ground = HEIGHT - TOP - BOTTOM, HEIGHT - BOTTOM
    wide = (WIDTH - LEFT - 12) / max(1, len(sums))
    bars = [
        f'<rect x="{LEFT + n * wide:.1f}" y="{ground - room * count / most:.1f}" width="{max(wide - 1, 1):.1f}"'
        f' height="{room * count / most:.1f}"><title>{_clock(start + n * step)}: {count}</title></rect>'
        for n, count in enumerate(sums)
        if count
    ]
    lines = [
        f'<path stroke="#d0d7de" d="M{LEFT} {ground - room * part / 2:.1f}H{WIDTH - 12}"/>'
        f'<text x="{LEFT - 6}" y="{ground - room * part / 2 + 4:.1f}" text-anchor="end">{most * part // 2:,}</text>'
        for part in range(3)
    ]
    marks = [
        f'<text x="{LEFT + (WIDTH - LEFT - 12) * n / 4:.1f}" y="{HEIGHT - 10}" text-anchor="{("start", "middle", "middle", "middle", "end")[n]}">'
        f"{_clock(start + (end - start) * n // 4)}</text>"
        for n in range(5)
    ]
    unit = "a minute" if step == 1 else f"in {step} minutes"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' font-family="system-ui, sans-serif" font-size="12" fill="#57606a" stroke="none">'
        f'<title>{escape(title)}</title><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
        f'<text x="{LEFT}" y="18" fill="#1f2328">{escape(title)}, {unit} (UTC)</text>'
        f"<g>{''.join(lines)}</g>"
        f'<g fill="#c2410c">{"".join(bars)}</g>{"".join(marks)}</svg>\n'
    )


def _clock(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%d %b %H:%M")
