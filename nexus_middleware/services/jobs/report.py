"""The weekly report: a plot of who was there, and the week's figures, as an e-mail."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 240, 48, 28, 16  # pixels
INK, SOFT, BAR = "#1f2328", "#8b949e", "#3b6fd4"


def as_mail(week: str, values: Mapping[str, Any], daily: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """Return what `queue_bulk_emails` takes, but for whom it is to.

    Args:
        week: Its name, "2026-W44".
        values: The metrics.
        daily: Each day, and its users.
    """
    rows = [*_rows(values)]
    plot = bars(daily)
    picture = f'<p><img src="cid:users" width="{WIDTH}" height="{HEIGHT}" alt="{_spoken(daily)}"></p>' if plot else ""
    table = "".join(f"<tr><td>{escape(name)}</td><td align=right>{escape(text)}</td></tr>" for name, text in rows)
    text = "\n".join([f"Users a day: {_spoken(daily)}", "", *[f"{name}: {figure}" for name, figure in rows]])
    return {
        "subject": f"The week {week}",
        "text": text,
        "html": f"<h1>The week {escape(week)}</h1>{picture}<table cellpadding=4>{table}</table>",
        **({"images": {"users": base64.b64encode(plot).decode()}} if plot else {}),
    }


def bars(daily: Sequence[tuple[str, int]]) -> bytes:
    """Return a PNG with a bar for each day; nothing if Pillow is not installed (`nexus-middleware[media]`)."""
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError:
        return b""
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(12)
    top = _round_up(max((users for _, users in daily), default=0))
    ground, room = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    for part in range(3):
        y = ground - room * part / 2
        draw.line((LEFT, y, WIDTH - 8, y), fill=SOFT)
        draw.text((LEFT - 6, y), f"{top * part / 2:g}", INK, font, anchor="rm")
    step = (WIDTH - 8 - LEFT) / max(1, len(daily))
    for number, (day, users) in enumerate(daily):
        middle = LEFT + step * (number + 0.5)
        height = room * users / top
        draw.rectangle((middle - step * 0.3, ground - height, middle + step * 0.3, ground), fill=BAR)
        draw.text((middle, ground - height - 3), str(users), INK, font, anchor="ms")
        draw.text((middle, ground + 5), day[5:], INK, font, anchor="ma")
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def _round_up(most: int) -> int:
    """Return a round number that is at least `most`, and even, so that half of it is a number to read."""
    size = 2
    while size < most:
        size *= 5 if str(size)[0] == "2" else 2
    return size


def _spoken(daily: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{day} {users}" for day, users in daily)


def _rows(values: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            rows += [(f"{name}, {part}", _figure(name, figure)) for part, figure in value.items()]
        else:
            rows.append((name, _figure(name, value)))
    return rows


def _figure(name: str, value: Any) -> str:
    if value is None:
        return "none"
    if name == "revenue":
        return f"{value / 100:,.2f}"
    return f"{value:.1%}" if isinstance(value, float) else f"{value:,}"
