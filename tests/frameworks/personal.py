"""Apps of seven frameworks that say who asks, in thirty shapes of answers: what a cache must keep apart."""

from __future__ import annotations

import asyncio
import sys
import types
from email.utils import formatdate

from tests.djangos import configured

FAR = formatdate(4_000_000_000, usegmt=True)
PAST = formatdate(1_500_000_000, usegmt=True)
# name: status, headers, number of chunks
SHAPES = {
    "says nothing": (200, {}, 1),
    "max-age": (200, {"cache-control": "max-age=60"}, 1),
    "max-age in two chunks": (200, {"cache-control": "max-age=60"}, 2),
    "public": (200, {"cache-control": "public, max-age=60"}, 1),
    "s-maxage": (200, {"cache-control": "s-maxage=60"}, 1),
    "must-revalidate": (200, {"cache-control": "max-age=60, must-revalidate"}, 1),
    "private": (200, {"cache-control": "private, max-age=60"}, 1),
    "no-store": (200, {"cache-control": "no-store"}, 1),
    "no-cache": (200, {"cache-control": "no-cache"}, 1),
    "no-cache with a tag": (200, {"cache-control": "no-cache", "etag": '"1"'}, 1),
    "max-age=0": (200, {"cache-control": "max-age=0", "etag": '"1"'}, 1),
    "immutable": (200, {"cache-control": "max-age=60, immutable"}, 1),
    "stale-while-revalidate": (200, {"cache-control": "max-age=0, stale-while-revalidate=60"}, 1),
    "stale-if-error": (200, {"cache-control": "max-age=0, stale-if-error=60"}, 1),
    "expires": (200, {"expires": FAR}, 1),
    "expired": (200, {"expires": PAST, "etag": '"1"'}, 1),
    "a tag": (200, {"etag": '"1"'}, 1),
    "a date": (200, {"last-modified": PAST}, 1),
    "a weak tag": (200, {"etag": 'W/"1"', "cache-control": "max-age=60"}, 1),
    "sets a cookie": (200, {"cache-control": "max-age=60", "set-cookie": "seen=1"}, 1),
    "varies by cookie": (200, {"cache-control": "max-age=60", "vary": "Cookie"}, 1),
    "varies by authorization": (200, {"cache-control": "max-age=60", "vary": "Authorization"}, 1),
    "varies by all": (200, {"cache-control": "max-age=60", "vary": "*"}, 1),
    "for content networks": (200, {"cdn-cache-control": "max-age=60"}, 1),
    "a redirect": (302, {"cache-control": "max-age=60", "location": "/elsewhere"}, 1),
    "moved for good": (301, {"location": "/elsewhere", "cache-control": "max-age=60"}, 1),
    "not found": (404, {"cache-control": "max-age=60"}, 1),
    "forbidden": (403, {"cache-control": "max-age=60"}, 1),
    "an error": (500, {"cache-control": "max-age=60"}, 1),
    "a tag for purges": (200, {"cache-control": "max-age=60", "cache-tag": "page"}, 1),
    "a large body": (200, {"cache-control": "max-age=60"}, 40),
}
NAMES = [*SHAPES]
FOR_ALL = {"public", "s-maxage", "must-revalidate"}  # with Authorization, they say that whoever asks may have it


def page(number, cookie, authorization, key):
    """Return status, headers and chunks of an answer that says who asked."""
    who = next((text.rpartition("=")[2].rpartition(" ")[2] for text in (cookie, authorization, key) if text), "nobody")
    status, headers, chunks = SHAPES[NAMES[number]]
    parts = [f"page {i} of {who}; ".encode() * (1 if chunks < 9 else 2_000) for i in range(chunks)]
    return status, {"content-type": "text/plain", "x-owner": who, **headers}, parts


def fastapi():
    from fastapi import FastAPI, Request
    from fastapi.responses import StreamingResponse

    app = FastAPI()

    async def read(number: int, request: Request):
        get = request.headers.get
        status, headers, parts = page(number, get("cookie"), get("authorization"), get("x-api-key"))
        return StreamingResponse(iter(parts), status, headers)

    read.__annotations__ = {"number": int, "request": Request}  # known here alone
    app.get("/{number}")(read)
    return app


def starlette():
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    async def read(request):
        get = request.headers.get
        number = request.path_params["number"]
        status, headers, parts = page(number, get("cookie"), get("authorization"), get("x-api-key"))
        return Response(b"".join(parts), status, headers)

    return Starlette(routes=[Route("/{number:int}", read)])


def litestar():
    from litestar import Litestar, Request, Response, get

    async def read(request: Request) -> Response[bytes]:
        ask = request.headers.get
        status, headers, parts = page(
            request.path_params["number"], ask("cookie"), ask("authorization"), ask("x-api-key")
        )
        return Response(b"".join(parts), status_code=status, headers=headers, media_type="text/plain")

    read.__annotations__ = {"request": Request, "return": Response[bytes]}
    return Litestar([get("/{number:int}")(read)], openapi_config=None, logging_config=None)


def quart():
    from quart import Quart, Response, request

    app = Quart(__name__)

    @app.get("/<int:number>")
    async def read(number):
        get = request.headers.get
        status, headers, parts = page(number, get("cookie"), get("authorization"), get("x-api-key"))
        return Response(b"".join(parts), status, headers)

    return connected(app)


def falcon_asgi():
    import falcon.asgi

    class Page:
        async def on_get(self, request, response, number):
            get = request.get_header
            status, headers, parts = page(number, get("cookie"), get("authorization"), get("x-api-key"))
            response.status = status
            _set(response, headers)
            response.data = b"".join(parts)

    app = falcon.asgi.App()
    app.add_route("/{number:int}", Page())
    return app


def falcon_wsgi():
    import falcon

    class Page:
        def on_get(self, request, response, number):
            get = request.get_header
            status, headers, parts = page(number, get("cookie"), get("authorization"), get("x-api-key"))
            response.status = status
            _set(response, headers)
            response.stream = iter(parts)

    app = falcon.App()
    app.add_route("/{number:int}", Page())
    return app


def _set(response, headers):
    for name, value in headers.items():
        if name == "set-cookie":
            response.append_header(name, value)
        else:
            response.set_header(name, value)


def flask():
    from flask import Flask, Response, request

    app = Flask(__name__)

    @app.get("/<int:number>")
    def read(number):
        get = request.headers.get
        status, headers, parts = page(number, get("cookie"), get("authorization"), get("x-api-key"))
        return Response(iter(parts), status, headers)

    return app.wsgi_app


def django_wsgi():
    _django()
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def django_asgi():
    _django()
    from django.core.asgi import get_asgi_application

    return connected(get_asgi_application())


def connected(app):
    """Keep the client there until it has its answer, as these two watch for its leaving."""

    async def served(scope, receive, send):
        told = []

        async def once():
            if told:
                await asyncio.Event().wait()
            told.append(await receive())
            return told[0]

        await app(scope, once, send)

    return served


def _django():
    from django.http import HttpResponse
    from django.urls import path

    def read(request, number):
        get = request.headers.get
        status, headers, parts = page(number, get("cookie"), get("authorization"), get("x-api-key"))
        return HttpResponse(b"".join(parts), status=status, headers=headers)

    module = sys.modules["tests_personal_urls"] = types.ModuleType("tests_personal_urls")
    module.urlpatterns = [path("<int:number>", read)]
    configured("tests_personal_urls")


ASGI = [fastapi, starlette, litestar, quart, falcon_asgi, django_asgi]
WSGI = [flask, falcon_wsgi, django_wsgi]
