"""The app that is soaked: pages, cached ones, limits, jobs, uploads, a websocket, a stream of events."""

from __future__ import annotations

import asyncio
import gc
import os
from pathlib import Path

from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse, StreamingResponse

from nexus_middleware import CacheRule, Nexus, Rule, Settings, by_header
from nexus_middleware.errors import StoreError

api = FastAPI()


@api.get("/page/{number}")
async def page(number: int) -> str:
    return f"page {number}"


@api.get("/hit/{number}")
async def hit(number: int) -> str:
    return f"cached {number}" * 50


@api.get("/limited")
async def limited() -> str:
    return "yours"


@api.post("/jobs/{number}")
async def jobs(number: int) -> JSONResponse:
    try:
        return JSONResponse(await nexus.queues.aenqueue("note", number=number))
    except StoreError:
        return JSONResponse("try again", 503)


@api.post("/upload")
async def upload(request: Request) -> int:
    return sum([len(chunk) async for chunk in request.stream()])


@api.get("/events")
async def events() -> StreamingResponse:
    async def told():
        for n in range(20):
            yield f"data: {n}\n\n"
            await asyncio.sleep(0.02)

    return StreamingResponse(told(), media_type="text/event-stream")


@api.websocket("/echo")
async def echo(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        return


@api.get("/inside")
async def inside() -> dict[str, int]:
    gc.collect()
    return {"tasks": len(asyncio.all_tasks()), "objects": len(gc.get_objects())}


settings = Settings(
    store=os.environ["STORE"],
    rate_limit="",
    log_level="error",
    input_guard="enforce",
    admin_token=os.environ["TOKEN"],
)
app = nexus = Nexus(
    api,
    settings,
    rules=[Rule(f"{os.environ['LIMIT']}/hour", path="/limited", key=by_header("x-caller"))],
    cache_rules=[CacheRule("/hit/*", ttl=2)],
)


@nexus.queues.job("note", queue="notes-queue")
def note(number: int) -> None:
    with Path(os.environ["NOTES"]).open("a") as file:
        file.write(f"{number}\n")
