"""What the academy does beside its answers: it counts, tells its students, and works on what they hand in."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nexus_middleware import Nexus, NexusError
from nexus_middleware.rules.revenue import Payment, Subscription

from .data import Academy

WORK = {  # what is made of a file, by the beginning of its type
    "image/": ("image", ("thumbnail:256", "resize:1024x1024")),
    "video/": ("video", ("thumbnail:1s", "transcode:360p")),
    "audio/": ("audio", ("audio:mp3",)),
    "application/pdf": ("document", ("text", "pages:72")),
}
SHOWN = (".webp", ".jpeg", ".mp4", ".mp3", ".txt", ".png")


class After:
    """Counts and jobs; without Redis the site goes on without them."""

    def __init__(self, app: Nexus, academy: Academy) -> None:
        self._app, self._academy = app, academy
        app.queues.revenue_source(self._earned)

    async def saw(self, event: str, user: str, **more: Any) -> None:
        """Count that a user did something; a page does not fail for that."""
        try:
            await self._app.runtime.analytics.arecord(event, user, **more)
        except NexusError as error:
            self._app.log.debug("not counted", of=event, why=str(error))

    async def welcome(self, email: str, title: str, order: int, course: int) -> str:
        """Have the worker send the mail and fill the inbox; the order stands even if nobody can."""
        try:
            await self._app.queues.aqueue_email(
                to=email,
                subject=f"Welcome to {title}",
                html=f"<p>Welcome! Your first lesson of <b>{title}</b> is waiting.</p>",
                text=f"Welcome! Your first lesson of {title} is waiting.",
                key=f"order-{order}",
            )
            await self._app.queues.options(key=f"order-{order}").aqueue_notification(
                user_id=email,
                type="course",
                title=f"{title} is yours",
                message="Your first lesson is waiting.",
                action_url=f"/courses/{course}/lessons/1",
            )
        except (ValueError, NexusError) as error:  # no such address, no queues, or no Redis now
            return f"No mail: {error}"
        return "A mail is on its way."

    async def inbox(self, user: str) -> list[Any]:
        """Return the user's messages, and mark them as read."""
        try:
            found = await self._app.runtime.inbox.amessages(user)
            await self._app.runtime.inbox.amark_all_read(user)
        except NexusError:
            return []
        return found

    async def hand_in(self, kind: str, chunks: AsyncIterator[bytes]) -> str:
        """Keep a file and have the worker look at it; the name under which it is found."""
        wanted = next((work for start, work in WORK.items() if kind.startswith(start)), None)
        if wanted is None:
            raise ValueError("Hand in a picture, a film, a recording or a PDF.")
        name = secrets.token_hex(8)
        with self._folder().joinpath(name).open("xb") as file:  # a moment's writing; at most the body limit
            async for chunk in chunks:
                file.write(chunk)
        await self._app.queues.aqueue_content_processing(type=wanted[0], content_id=name, operations=wanted[1])
        return name

    def made(self, name: str) -> list[Path]:
        """Return the files that were made of what was handed in."""
        if not name.isalnum():
            return []
        found = self._folder().joinpath(f"{name}.made").glob("*")
        return sorted(x for x in found if x.suffix in SHOWN and not x.name.startswith("."))

    def _folder(self) -> Path:
        folder = Path(self._app.settings.media_dir or ".nexus/media")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    async def calculate(self) -> None:
        """Calculate today and this month now, instead of when they are due."""
        today = datetime.now(UTC).date().isoformat()
        await self._app.queues.aqueue_analytics_aggregation(type="daily", date=today)
        await self._app.queues.aqueue_revenue_calculation(type="all")

    def results(self) -> list[Any]:
        """Return what was calculated; nothing without Redis."""
        try:
            return self._app.runtime.analytics.results()
        except NexusError:
            return []

    def _earned(self) -> Iterator[Subscription | Payment]:
        for row in self._academy.memberships():
            yield Subscription(
                customer=row["email"],
                plan="all courses",
                amount=row["cents"],
                currency="EUR",
                started=_moment(row["started"]),
                ended=_moment(row["ended"]) if row["ended"] else None,
            )
        for row in self._academy.sales():
            yield Payment(
                customer=row["email"], amount=row["cents"], currency="EUR", at=_moment(row["at"]), item=row["title"]
            )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
