"""GET /openapi.json: the API described for programs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from ..answers import API, JSON, Answer
from ..described import Handler, says
from ..exchange import Exchange
from ..openapi import document
from ..resource import Resource


def of(resources: Mapping[str, Resource]) -> Handler:
    """Return the handler that describes `resources`, itself among them."""

    @cache
    def body() -> bytes:
        return msgspec.json.encode(document(resources))

    @says(dict[str, Any])
    async def read(_exchange: Exchange) -> Answer:
        """Describe the API in OpenAPI 3.1."""
        return Answer(200, body(), (JSON, *API))

    return read
