"""`limit` and `allow` in views of Django, sync, async and in classes, under both doors and on both stores."""

from __future__ import annotations

import asyncio
import json
import warnings

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View

from nexus_middleware import RateLimit, RequestID, allow, allow_now, limit
from tests.djangos import configured


@limit("2/minute")
def sync_view(request):
    return HttpResponse("ok")


@limit("2/minute")
async def async_view(request):
    return HttpResponse("ok")


class ClassView(View):
    @limit("2/minute", name="handler")
    def get(self, request):
        return HttpResponse("ok")


@method_decorator(limit("2/minute"), name="dispatch")
class DecoratedView(View):
    def get(self, request):
        return HttpResponse("ok")


def asks_now(request):
    return HttpResponse(f"{allow_now(request, '1/minute').allowed}")


async def asks(request):
    return HttpResponse(f"{(await allow(request, '1/minute')).allowed}")


urlpatterns = [
    path("sync", sync_view),
    path("async", async_view),
    path("class", ClassView.as_view()),
    path("decorated", DecoratedView.as_view()),
    path("asks-now", asks_now),
    path("asks", asks),
]


@pytest.fixture(autouse=True)
def _django():
    configured(__name__)


async def _next(rest):
    return rest.pop() if rest else await asyncio.Event().wait()


@pytest.fixture
def get(door, any_store):
    app = ASGIHandler() if door.name == "asgi" else WSGIHandler()
    layers = RequestID(RateLimit(app, "100/minute", store=any_store))

    async def patient(scope, receive, send):
        """Let nobody leave, as the door does once the body is read: Django stops at that."""
        rest = [await receive()]
        await layers(scope, lambda: _next(rest), send)

    if door.name == "asgi":
        patient.chain = layers.chain
        layers_of_door = patient
    else:
        layers_of_door = layers

    def get(path):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # Django's own loop of an async view under WSGI
            return door.get(layers_of_door, path)

    return get


@pytest.mark.parametrize("view", ["sync", "async", "class", "decorated"])
def test_a_view_s_limit_refuses_whoever_calls_it_too_often(get, view):
    answers = [get(f"/{view}") for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 429]
    headers = {name.lower(): value for name, value in answers[2].pairs}
    assert headers["content-type"] == "application/problem+json"
    assert 0 < int(headers["retry-after"]) <= 60
    assert json.loads(answers[2].body)["request_id"] == headers["x-request-id"]


@pytest.mark.parametrize("view", ["asks-now", "asks"])
def test_a_view_may_ask_whether_one_more_call_is_allowed(get, view):
    assert [get(f"/{view}").body for _ in range(2)] == [b"True", b"False"]
