"""One small app in each ASGI framework, written as its users write it; none knows what will stand around it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.matrix.gates import PAGE, chunks, later

EVENTS = "text/event-stream"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@asynccontextmanager
async def life(app):
    yield {"started": "yes"}


def starlette() -> Any:
    from starlette.applications import Starlette
    from starlette.background import BackgroundTask
    from starlette.responses import FileResponse, PlainTextResponse, StreamingResponse
    from starlette.routing import Route, WebSocketRoute

    async def hello(request):
        return PlainTextResponse("hello")

    async def stream(request):
        return StreamingResponse(chunks(request.path_params["gate"]), media_type=EVENTS)

    async def upload(request):
        async with request.form() as form:
            return PlainTextResponse(digest(await form["file"].read()))

    async def file(request):
        return FileResponse(PAGE)

    async def background(request):
        return PlainTextResponse("accepted", background=BackgroundTask(later, request.path_params["gate"]))

    async def state(request):
        return PlainTextResponse(request.state.started)

    async def echo(websocket):
        await websocket.accept()
        await websocket.send_text((await websocket.receive_text()).upper())
        await websocket.close()

    return Starlette(
        lifespan=life,
        routes=[
            Route("/hello", hello),
            Route("/limited", hello),
            Route("/stream/{gate}", stream),
            Route("/upload", upload, methods=["POST"]),
            Route("/file", file),
            Route("/background/{gate}", background),
            Route("/state", state),
            WebSocketRoute("/ws", echo),
        ],
    )


def fastapi() -> Any:
    from fastapi import BackgroundTasks, FastAPI, Request, UploadFile, WebSocket
    from fastapi.responses import FileResponse, PlainTextResponse, StreamingResponse

    app = FastAPI(lifespan=life, default_response_class=PlainTextResponse)

    @app.get("/hello")
    @app.get("/limited")
    async def hello():
        return "hello"

    @app.get("/stream/{gate}")
    async def stream(gate: str):
        return StreamingResponse(chunks(gate), media_type=EVENTS)

    async def upload(file: UploadFile):
        return digest(await file.read())

    upload.__annotations__["file"] = UploadFile  # this module's annotations are texts, and the class is local
    app.post("/upload")(upload)

    @app.get("/file")
    async def file():
        return FileResponse(PAGE)

    async def background(gate: str, tasks: BackgroundTasks):
        tasks.add_task(later, gate)
        return "accepted"

    background.__annotations__["tasks"] = BackgroundTasks
    app.get("/background/{gate}")(background)

    async def state(request: Request):
        return request.state.started

    state.__annotations__["request"] = Request
    app.get("/state")(state)

    async def echo(websocket: WebSocket):
        await websocket.accept()
        await websocket.send_text((await websocket.receive_text()).upper())
        await websocket.close()

    echo.__annotations__["websocket"] = WebSocket
    app.websocket("/ws")(echo)
    return app


def quart() -> Any:
    from quart import Quart, Response, request, send_file, websocket

    app = Quart(__name__)

    @app.before_serving
    async def start():
        app.config["STARTED"] = "yes"

    @app.get("/hello")
    @app.get("/limited")
    async def hello():
        return "hello"

    @app.get("/stream/<gate>")
    async def stream(gate):
        return Response(chunks(gate), content_type=EVENTS)

    @app.post("/upload")
    async def upload():
        return digest((await request.files)["file"].read())

    @app.get("/file")
    async def file():
        return await send_file(PAGE)

    @app.get("/background/<gate>")
    async def background(gate):
        app.add_background_task(later, gate)
        return "accepted"

    @app.get("/state")
    async def state():
        return app.config["STARTED"]

    @app.websocket("/ws")
    async def echo():
        await websocket.send((await websocket.receive()).upper())

    return app


def _tools() -> Any:
    from fastmcp import FastMCP

    mcp = FastMCP("shop")

    @mcp.tool
    def add(left: int, right: int) -> int:
        """Add two numbers."""
        return left + right

    return mcp


def fastmcp() -> Any:
    return _tools().http_app(path="/mcp", stateless_http=True)  # any of several workers may answer


def fastmcp_sse() -> Any:
    return _tools().http_app(path="/mcp", transport="sse")


def apps() -> dict[str, Callable[[], Any]]:
    from tests.matrix import more_apps

    here = (starlette, fastapi, quart, fastmcp, fastmcp_sse)
    return {make.__name__: make for make in (*here, more_apps.litestar, more_apps.falcon, more_apps.django_asgi)}
