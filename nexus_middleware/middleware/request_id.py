"""Give each request an id that its log lines, its jobs and its answer carry."""

from __future__ import annotations

import os
import re

from ..http import App, Head, Request
from .layer import Layer

HEADER = b"x-request-id"
GIVEN = re.compile(rb"[A-Za-z0-9._-]{1,64}").fullmatch


class RequestID(Layer[None]):
    """Name the request by the client's X-Request-ID if it is a plain one, else by a random id, and say so in the answer.

    The id is `request.request_id` for other layers and `request.state.nexus.request_id` for the app. An id of other
    than up to 64 letters, digits, `.`, `_` and `-` is replaced: it would reach logs.
    """

    def __init__(self, app: App) -> None:
        super().__init__(app)

    def before(self, request: Request, answer: None) -> None:
        given = request.header(HEADER)
        request.notes["id"] = given.decode() if given and GIVEN(given) else os.urandom(16).hex()

    def after(self, request: Request, head: Head) -> None:
        head.set(HEADER, request.notes["id"].encode())
