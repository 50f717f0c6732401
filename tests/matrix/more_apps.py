"""The same small app in Litestar, Falcon and Django."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from tests.matrix.asgi_apps import EVENTS, digest
from tests.matrix.gates import PAGE, chunks, chunks_now, later


def litestar() -> Any:
    from litestar import Litestar, MediaType, Response, get, post, websocket
    from litestar.background_tasks import BackgroundTask
    from litestar.datastructures import UploadFile
    from litestar.enums import RequestEncodingType
    from litestar.params import Body
    from litestar.response import File, Stream

    async def start(app):
        app.state.started = "yes"

    async def hello() -> str:
        return "hello"

    async def stream(gate: str):
        return Stream(chunks(gate), media_type=EVENTS)

    async def upload(data):
        return digest(await data["file"].read())

    async def file():
        return File(PAGE)

    async def background(gate: str):
        return Response("accepted", media_type=MediaType.TEXT, background=BackgroundTask(later, gate))

    async def state(state):
        return state.started

    async def echo(socket):
        await socket.accept()
        await socket.send_text((await socket.receive_text()).upper())
        await socket.close()

    from typing import Annotated

    from litestar import WebSocket
    from litestar.datastructures import State

    stream.__annotations__["return"] = Stream
    form = Annotated[dict[str, UploadFile], Body(media_type=RequestEncodingType.MULTI_PART)]
    upload.__annotations__ |= {"data": form, "return": str}
    file.__annotations__["return"] = File
    background.__annotations__["return"] = Response[str]
    state.__annotations__ |= {"state": State, "return": str}
    echo.__annotations__ |= {"socket": WebSocket, "return": None}
    text = MediaType.TEXT
    return Litestar(
        on_startup=[start],
        route_handlers=[
            get(["/hello", "/limited"], media_type=text)(hello),
            get("/stream/{gate:str}")(stream),
            post("/upload", media_type=text, status_code=200)(upload),
            get("/file")(file),
            get("/background/{gate:str}")(background),
            get("/state", media_type=text)(state),
            websocket("/ws")(echo),
        ],
    )


class _Started:
    """Falcon tells middleware of the lifespan."""

    started = "no"

    async def process_startup(self, scope, event):
        type(self).started = "yes"


class _Falcon:
    async def on_get(self, req, resp):
        resp.text = "hello"

    async def on_get_stream(self, req, resp, gate):
        resp.content_type, resp.stream = EVENTS, chunks(gate)

    async def on_post(self, req, resp):
        async for part in await req.get_media():
            resp.text = digest(await part.stream.read())

    async def on_get_background(self, req, resp, gate):
        async def work():
            await later(gate)

        resp.text = "accepted"
        resp.schedule(work)

    async def on_get_state(self, req, resp):
        resp.text = _Started.started

    async def on_websocket(self, req, ws):
        await ws.accept()
        await ws.send_text((await ws.receive_text()).upper())
        await ws.close()


def falcon() -> Any:
    import falcon.asgi

    app, shop = falcon.asgi.App(middleware=[_Started()]), _Falcon()
    for path in ("/hello", "/limited", "/upload", "/ws"):
        app.add_route(path, shop)
    app.add_route("/stream/{gate}", shop, suffix="stream")
    app.add_route("/background/{gate}", shop, suffix="background")
    app.add_route("/state", shop, suffix="state")
    app.add_static_route("/file", str(PAGE.parent), fallback_filename=PAGE.name)
    return app


class _FalconWSGI:
    def on_get(self, req, resp):
        resp.text = "hello"

    def on_get_stream(self, req, resp, gate):
        resp.content_type, resp.stream = EVENTS, chunks_now(gate)

    def on_post(self, req, resp):
        for part in req.get_media():
            resp.text = digest(part.stream.read())


def falcon_wsgi() -> Any:
    import falcon

    app, shop = falcon.App(), _FalconWSGI()
    for path in ("/hello", "/limited", "/upload"):
        app.add_route(path, shop)
    app.add_route("/stream/{gate}", shop, suffix="stream")
    app.add_static_route("/file", str(PAGE.parent), fallback_filename=PAGE.name)
    return app


def _django(chunks: Any) -> None:
    import django
    from django.conf import settings
    from django.http import FileResponse, HttpResponse, StreamingHttpResponse
    from django.urls import path

    def hello(request):
        return HttpResponse("hello", content_type="text/plain")

    def stream(request, gate):
        return StreamingHttpResponse(chunks(gate), content_type=EVENTS)

    def upload(request):
        return HttpResponse(digest(request.FILES["file"].read()))

    def file(request):
        return FileResponse(PAGE.open("rb"))

    urls: Any = ModuleType("matrix_urls")
    urls.urlpatterns = [
        path("hello", hello),
        path("limited", hello),
        path("stream/<gate>", stream),
        path("upload", upload),
        path("file", file),
    ]
    sys.modules["matrix_urls"] = urls
    settings.configure(ROOT_URLCONF="matrix_urls", ALLOWED_HOSTS=["*"], SECRET_KEY="a test's", LOGGING_CONFIG=None)
    django.setup()


def django_asgi() -> Any:
    from django.core.asgi import get_asgi_application

    _django(chunks)
    return get_asgi_application()


def django_wsgi() -> Any:
    from django.core.wsgi import get_wsgi_application

    _django(chunks_now)
    return get_wsgi_application()


def flask() -> Any:
    from flask import Flask, Response, request, send_file

    from tests.matrix.gates import later_now

    app = Flask(__name__)

    @app.get("/hello")
    @app.get("/limited")
    def hello():
        return "hello"

    @app.get("/stream/<gate>")
    def stream(gate):
        return Response(chunks_now(gate), content_type=EVENTS)

    @app.post("/upload")
    def upload():
        return digest(request.files["file"].read())

    @app.get("/file")
    def file():
        return send_file(PAGE)

    @app.get("/background/<gate>")
    def background(gate):
        response = Response("accepted")
        response.call_on_close(lambda: later_now(gate))
        return response

    return app
