"""Small apps of four frameworks as their users write them, each wrapped in one line; run by real servers."""

from nexus_middleware import CacheRule, Nexus, Settings

SETTINGS = Settings(rate_limit="10/minute", admin_token="a long secret", log_level="error")
RULES = [CacheRule("/courses/*", ttl=60)]
RUNS = {"handlers": 0}


def course(number):
    RUNS["handlers"] += 1
    return f"course {number}, made by handler run {RUNS['handlers']}"


def fastapi():
    from fastapi import FastAPI
    from fastapi.responses import PlainTextResponse

    app = FastAPI()

    @app.get("/courses/{number}", response_class=PlainTextResponse)
    async def read(number: int):
        return course(number)

    @app.get("/fails")
    async def fails():
        raise RuntimeError("on purpose")

    return Nexus(app, SETTINGS, cache_rules=RULES)


def starlette():
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def read(request):
        return PlainTextResponse(course(request.path_params["number"]))

    async def fails(request):
        raise RuntimeError("on purpose")

    return Nexus(
        Starlette(routes=[Route("/courses/{number:int}", read), Route("/fails", fails)]), SETTINGS, cache_rules=RULES
    )


def flask():
    from flask import Flask

    app = Flask(__name__)

    @app.get("/courses/<int:number>")
    def read(number):
        return course(number)

    @app.get("/fails")
    def fails():
        raise RuntimeError("on purpose")

    app.wsgi_app = Nexus(app.wsgi_app, SETTINGS, cache_rules=RULES).wsgi
    return app


def _django():
    import sys

    import django
    from django.conf import settings
    from django.http import HttpResponse
    from django.urls import path

    def read(request, number):
        return HttpResponse(course(number), content_type="text/plain")

    def fails(request):
        raise RuntimeError("on purpose")

    sys.modules["tests_urls"] = type(sys)("tests_urls")
    sys.modules["tests_urls"].urlpatterns = [path("courses/<int:number>", read), path("fails", fails)]
    settings.configure(ROOT_URLCONF="tests_urls", ALLOWED_HOSTS=["*"], SECRET_KEY="for a test", LOGGING_CONFIG=None)
    django.setup()


def django_asgi():
    _django()
    from django.core.asgi import get_asgi_application

    return Nexus(get_asgi_application(), SETTINGS, cache_rules=RULES)


def django_wsgi():
    _django()
    from django.core.wsgi import get_wsgi_application

    return Nexus(get_wsgi_application(), SETTINGS, cache_rules=RULES).wsgi
