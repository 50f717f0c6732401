"""Give each request an id that its log lines, its jobs and its answer carry."""

from __future__ import annotations

import os
import re

from ..http import CURRENT, App, Head, Request
from .layer import Layer

HEADER = b"x-request-id"
GIVEN = re.compile(rb"[A-Za-z0-9._-]{1,64}").fullmatch
EACH = re.compile("[0-9a-f]{32}").findall
DRAWN: list[str] = []  # ids not yet given: 128 are drawn at a time, for the call to the system is dear
os.register_at_fork(after_in_child=DRAWN.clear)  # or both processes would give the same ones


class RequestID(Layer[None]):
    """Name the request by the client's X-Request-ID if it is a plain one, else by a random id, and say so in the answer.

    The id is `request.request_id` for other layers and `request.state.nexus.request_id` for the app. An id of other
    than up to 64 letters, digits, `.`, `_` and `-` is replaced: it would reach logs.
    """

    def __init__(self, app: App) -> None:
        super().__init__(app)

    def before(self, request: Request, answer: None) -> None:
        given = request.header(HEADER)
        request.notes["id"] = given.decode() if given and GIVEN(given) else random_id()
        CURRENT.set(request)  # for the jobs that it queues

    def after(self, request: Request, head: Head) -> None:
        head.set(HEADER, request.notes["id"].encode())


def random_id() -> str:
    """Return 32 hexadecimal digits, which nobody can guess."""
    try:
        return DRAWN.pop()  # in one step, so no two threads get the same
    except IndexError:
        digits = os.urandom(128 * 16).hex()
        first: str
        first, *others = EACH(digits)
        DRAWN.extend(others)
        return first
