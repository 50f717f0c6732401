"""One request's dealings with the cache."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeAlias

from ...http import Reply
from ...rules.caching.entry import Entry
from ...stores.commands import Command
from .flights import Landing
from .options import CacheRule, Rules
from .replies import Wants
from .strict import Seen

Steps: TypeAlias = "Generator[Any, Any, Reply | None]"


class Fetch:
    """What was found, whether the app is run for others too, and the copy that is taken of its answer."""

    entry: Entry | None = None  # what there is, fresh or not
    rule: CacheRule | None = None
    names: tuple[bytes, ...] = ()  # the headers by which the page varies, as far as is known
    steps: Steps | None = None  # what is left to do before the app may run
    alone = False  # nobody waits for this request, and it waits for nobody
    fills = False  # this request runs the app, and its answer may be kept
    wanted: Wants | None = None  # what the client asked, where the app is asked whether `entry` still holds
    watched: Seen | None = None  # whether the app has looked at credentials
    sent = 0.0  # when the app was asked
    known = era = 0  # the newest purge that was known then, and how often the store had come back
    leased = 0.0  # when this worker took the lease that lets it run the app for all workers; 0 for never
    draft: Entry | None = None  # set while a copy is taken
    parts: list[bytes]
    size = 0
    renewed: Command[None] | None = None  # what stores the entry that a 304 has renewed
    reason = ""  # why it was not kept
    landing: Landing | None = None  # made when somebody waits
    landed = False
    result: Entry | None = None

    def __init__(self, key: str, flight: str, rules: Rules) -> None:
        self.key, self.flight, self.rules = key, flight, rules  # what is kept; and who waits for one another for it
