"""An app whose answers take as long as their path says, for several workers."""

from __future__ import annotations

import asyncio
import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from nexus_middleware import Nexus, Settings


async def wait(request: Request) -> PlainTextResponse:
    await asyncio.sleep(int(request.path_params["ms"]) / 1000)
    return PlainTextResponse(str(os.getpid()))


app = Nexus(
    Starlette(routes=[Route("/wait/{ms:int}", wait)]),
    Settings(store=os.environ["FLEET_STORE"], rate_limit="", admin_token="the fleet's token", log_level="error"),
)
