"""The academy's site on Starlette, wrapped by one line at the end."""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from nexus_middleware import CacheRule, CacheTTL, Nexus, NexusError, RateLimits, Rule, Settings
from nexus_middleware.services.monitor import instruments

from . import pages
from .after import After
from .data import DEMO, Academy

HERE = Path(__file__).parent
academy = Academy(Path(os.environ.get("ACADEMY_DB", ".nexus/academy.db")))
SECRET = secrets.token_bytes(32)  # signs who is signed in; a restart signs everybody out


def welcome(request: Request) -> Response:
    return HTMLResponse(pages.welcome())


def courses(request: Request) -> Response:
    return HTMLResponse(pages.courses(academy.courses()))


def course(request: Request) -> Response:
    found = academy.course(request.path_params["number"])
    if found is None:
        raise HTTPException(404)
    return HTMLResponse(pages.course(found))


async def lesson(request: Request) -> Response:
    found = await run_in_threadpool(academy.lesson, request.path_params["number"], request.path_params["lesson"])
    if found is None:
        raise HTTPException(404)
    await after.saw("lesson.viewed", _user(request))
    return HTMLResponse(pages.lesson(found), headers={"cache-control": "private, no-store"})


def login_form(request: Request) -> Response:
    return HTMLResponse(pages.login(f"For a try: {DEMO[0]} and {DEMO[1]}", *DEMO))


async def login(request: Request) -> Response:
    given = await _fields(request, "email", "password")
    if not await run_in_threadpool(academy.knows, given["email"], given["password"]):
        return HTMLResponse(pages.login("That is not right.", given["email"]), 401)
    answer = RedirectResponse("/account", 303)
    answer.set_cookie("academy", _signed(given["email"]), path="/", httponly=True, samesite="lax")
    return answer


async def account(request: Request) -> Response:
    email = _signed_in(request)
    if not email:
        return RedirectResponse("/login", 303)
    bought, member = await run_in_threadpool(lambda: (academy.bought(email), academy.member(email)))
    page = pages.account(email, bought, await after.inbox(email), member=member)
    return HTMLResponse(page, headers={"cache-control": "private, no-store"})


def membership(request: Request) -> Response:
    email = _signed_in(request)
    if not email:
        return RedirectResponse("/login", 303)
    (academy.leave if academy.member(email) else academy.join)(email)
    return RedirectResponse("/account", 303)


async def checkout_form(request: Request) -> Response:
    await after.saw("checkout.opened", _user(request))
    return HTMLResponse(pages.checkout(academy.courses(), request.query_params.get("course", "")))


async def checkout(request: Request) -> Response:
    given = await _fields(request, "email", "course_id")
    number = int(given["course_id"]) if given["course_id"].isascii() and given["course_id"].isdigit() else 0
    found = await run_in_threadpool(academy.course, number)
    if found is None or "@" not in given["email"]:
        raise HTTPException(422, "An e-mail address and the number of a course are needed.")
    order = await run_in_threadpool(academy.buy, given["email"], number)
    told = await after.welcome(given["email"], found["title"], order, number)
    await after.saw("paid", _user(request), key=f"order-{order}", amount=found["cents"], currency="EUR")
    if _is_json(request):
        return JSONResponse({"order": order, "course": found["title"], "mail": told}, 201)
    return HTMLResponse(pages.bought(order, told), 201)


def mail(request: Request) -> Response:
    return JSONResponse(academy.mail())


def mail_page(request: Request) -> Response:
    return HTMLResponse(pages.mail(academy.mail()))


def upload_form(request: Request) -> Response:
    return HTMLResponse(pages.upload())


async def upload(request: Request) -> Response:
    async with request.form() as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise HTTPException(422, "Wanted: file")
        try:
            name = await after.hand_in(file.content_type or "", _chunks(file))
        except (ValueError, NexusError) as error:  # no such kind of file, or no worker to look at it
            return HTMLResponse(pages.upload(str(error)), 422)
    return RedirectResponse(f"/upload/{name}", 303)


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(64 * 1024):
        yield chunk


def uploaded(request: Request) -> Response:
    name = request.path_params["name"]
    return HTMLResponse(pages.uploaded(name, [x.name for x in after.made(name)]), headers={"cache-control": "no-store"})


def made(request: Request) -> Response:
    wanted = request.path_params["file"]
    found = next((x for x in after.made(request.path_params["name"]) if x.name == wanted), None)
    if found is None:
        raise HTTPException(404)
    return FileResponse(found)


def report(request: Request) -> Response:
    return HTMLResponse(pages.report(academy.report(), after.results()))


async def calculate(request: Request) -> Response:
    try:
        await after.calculate()
    except NexusError as error:  # no Redis
        raise HTTPException(503, str(error)) from error
    return RedirectResponse("/report", 303)


def tries(request: Request) -> Response:
    return HTMLResponse(pages.tries())


def broken(request: Request) -> Response:
    raise RuntimeError("this page is broken on purpose")


def missing(request: Request, error: Exception) -> Response:
    return HTMLResponse(pages.missing(), 404)


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip() == "application/json"


async def _fields(request: Request, *names: str) -> dict[str, str]:
    """Return what a form or a JSON object gives for `names`."""
    try:
        given: Any = await request.json() if _is_json(request) else await request.form()
        return {name: str(given[name]) for name in names}
    except (ValueError, KeyError, TypeError) as error:
        raise HTTPException(422, f"Wanted: {', '.join(names)}") from error


def _signed_in(request: Request) -> str:
    """Return who is signed in, "" for nobody."""
    email, _, _ = request.cookies.get("academy", "").rpartition("|")
    return email if hmac.compare_digest(_signed(email), request.cookies.get("academy", "")) else ""


def _user(request: Request) -> str:
    """Return by what a visitor is counted."""
    return _signed_in(request) or request.state.nexus.client or "somebody"


def _signed(email: str) -> str:
    return f"{email}|{hmac.digest(SECRET, email.encode(), 'sha256').hex()}"


site = Starlette(
    routes=[
        Route("/", welcome),
        Route("/courses", courses),
        Route("/courses/{number:int}", course),
        Route("/courses/{number:int}/lessons/{lesson:int}", lesson),
        Route("/login", login_form),
        Route("/login", login, methods=["POST"]),
        Route("/account", account),
        Route("/membership", membership, methods=["POST"]),
        Route("/checkout", checkout_form),
        Route("/checkout", checkout, methods=["POST"]),
        Route("/mail", mail),
        Route("/mail/read", mail_page),
        Route("/upload", upload_form),
        Route("/upload", upload, methods=["POST"]),
        Route("/upload/{name}", uploaded),
        Route("/upload/{name}/{file}", made),
        Route("/report", report),
        Route("/report", calculate, methods=["POST"]),
        Route("/try", tries),
        Route("/broken", broken),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ],
    exception_handlers={404: missing},
)

app = Nexus(
    site,
    Settings.from_env({"NEXUS_INPUT_GUARD": "enforce", **os.environ}),
    rules=[Rule(RateLimits.AUTH, path="/login", methods=("POST",), name="auth")],
    cache_rules=[CacheRule("/courses/*", ttl=CacheTTL.SHORT), CacheRule("/static/*", ttl=CacheTTL.LONG)],
)
after = After(app, academy)
academy.connection = instruments.sqlite3(app.monitor)
