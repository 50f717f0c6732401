"""`nexus conform`: it says which part of a stack breaks what, and does not take an unasked app for a good one."""

import json

import pytest

from nexus_middleware.__main__ import main
from nexus_middleware.commands.probes import PROBES

SHOP = """
from flask import Flask
from quart import Quart
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware

from nexus_middleware import APIKey, Nexus, RateLimit, RequestID, Settings

SETTINGS = Settings(log_level="error", rate_limit="1/hour")


class Slow(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await call_next(request)


class Gathers:
    "Sends a response when it is whole."

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        held = []

        async def hold(message):
            held.append(message)

        await self.app(scope, receive, hold if scope["type"] == "http" else send)
        for message in held:
            await send(message)


class Swallows:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        try:
            await self.app(scope, receive, send)
        except LookupError:
            return


good = Nexus(Starlette(middleware=[Middleware(CORSMiddleware, allow_origins=["*"])]), SETTINGS)
slow = Nexus(Starlette(middleware=[Middleware(Slow), Middleware(RequestID)]), SETTINGS)
gathers = RequestID(Gathers(RateLimit(Starlette(), "1/hour")))
swallows = RequestID(Swallows(Starlette()))
locked = APIKey(Starlette(), ["a key"], paths="*")
quart = Quart("shop")
quart.asgi_app = RequestID(Gathers(quart.asgi_app))
flask = Flask("shop")
flask.wsgi_app = RequestID(flask.wsgi_app).wsgi
layer = RequestID(flask).wsgi
"""


@pytest.fixture(scope="module", autouse=True)
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("conform")
    (folder / "conformed_shop.py").write_text(SHOP)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield


def conform(capsys, name, *words):
    code = main(["conform", f"conformed_shop:{name}", "--patience", "2", "--json", *words])
    said = capsys.readouterr()
    return code, json.loads(said.out) if said.out else said.err


def broken(outcomes):
    return {outcome["probe"]: outcome["by"] for outcome in outcomes if not outcome["holds"]}


def test_a_stack_that_breaks_nothing_is_told_so_and_its_limit_counts_no_probe(capsys):
    code, outcomes = conform(capsys, "good")
    assert (code, broken(outcomes), len(outcomes)) == (0, {}, len(PROBES))


def test_a_base_http_middleware_is_named_for_what_it_breaks(capsys):
    code, outcomes = conform(capsys, "slow")
    assert code == 1
    assert {*broken(outcomes).values()} == {"Slow"}
    assert {"trailers pass", "context variables pass both ways"} <= {*broken(outcomes)}


@pytest.mark.parametrize("name", ["gathers", "quart"])
def test_what_gathers_a_response_is_named_for_the_streams_it_holds_back(capsys, name):
    code, outcomes = conform(capsys, name)
    assert code == 1
    assert broken(outcomes)["a stream flushes chunk by chunk"] == "Gathers"
    assert "websockets work" not in broken(outcomes)


def test_what_swallows_an_exception_is_named(capsys):
    code, outcomes = conform(capsys, "swallows")
    assert (code, broken(outcomes)) == (1, {"the app's own exception reaches the server": "Swallows"})


def test_a_stack_that_refuses_the_probes_is_not_called_good_and_a_header_lets_them_in(capsys):
    code, outcomes = conform(capsys, "locked")
    assert code == 2
    assert not any(outcome["holds"] or outcome["reached"] for outcome in outcomes)
    assert "answered 401 itself" in {outcome["why"] for outcome in outcomes}
    assert conform(capsys, "locked", "--header", "X-API-Key: a key")[0] == 0


@pytest.mark.parametrize("name", ["flask", "layer"])
def test_a_wsgi_app_is_told_what_would_do(capsys, name):
    code, told = conform(capsys, name)
    assert (code, "give the ASGI app" in told) == (2, True)


def test_a_header_that_is_none_is_wrong_use(capsys):
    code, told = conform(capsys, "good", "--header", "nonsense")
    assert (code, "must be NAME: VALUE" in told) == (2, True)


def test_people_read_the_stack_and_a_line_for_each_probe(capsys):
    assert main(["conform", "conformed_shop:swallows"]) == 1
    told = capsys.readouterr().out
    assert told.startswith("RequestID > Swallows > Starlette\nok       a stream flushes chunk by chunk\n")
    assert "BROKEN   the app's own exception reaches the server\n         Swallows: it was swallowed\n" in told
