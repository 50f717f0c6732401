"""The academy's site on Starlette, wrapped by one line at the end."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from nexus_middleware import CacheRule, CacheTTL, Nexus, RateLimits, Rule, StoreError

from . import pages
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


def login_form(request: Request) -> Response:
    return HTMLResponse(pages.login(f"For a try: {DEMO[0]} and {DEMO[1]}", *DEMO))


async def login(request: Request) -> Response:
    given = await _fields(request, "email", "password")
    if not await run_in_threadpool(academy.knows, given["email"], given["password"]):
        return HTMLResponse(pages.login("That is not right.", given["email"]), 401)
    answer = RedirectResponse("/account", 303)
    answer.set_cookie("academy", _signed(given["email"]), path="/account", httponly=True, samesite="lax")
    return answer


def account(request: Request) -> Response:
    email, _, _ = request.cookies.get("academy", "").rpartition("|")
    if not hmac.compare_digest(_signed(email), request.cookies.get("academy", "")):
        return RedirectResponse("/login", 303)
    return HTMLResponse(pages.account(email, academy.bought(email)), headers={"cache-control": "private, no-store"})


def checkout_form(request: Request) -> Response:
    return HTMLResponse(pages.checkout(academy.courses(), request.query_params.get("course", "")))


async def checkout(request: Request) -> Response:
    given = await _fields(request, "email", "course_id")
    number = int(given["course_id"]) if given["course_id"].isascii() and given["course_id"].isdigit() else 0
    found = await run_in_threadpool(academy.course, number)
    if found is None or "@" not in given["email"]:
        raise HTTPException(422, "An e-mail address and the number of a course are needed.")
    order = await run_in_threadpool(academy.buy, given["email"], number)
    told = await _welcome_mail(given["email"], found["title"], order)
    if _is_json(request):
        return JSONResponse({"order": order, "course": found["title"], "mail": told}, 201)
    return HTMLResponse(pages.bought(order, told), 201)


async def _welcome_mail(email: str, title: str, order: int) -> str:
    """Have the worker send the mail; the order stands even if nobody can."""
    try:
        await app.runtime.queues.aqueue_email(
            to=email,
            subject=f"Welcome to {title}",
            html=f"<p>Welcome! Your first lesson of <b>{title}</b> is waiting.</p>",
            text=f"Welcome! Your first lesson of {title} is waiting.",
            key=f"order-{order}",
        )
    except (ValueError, StoreError) as error:  # no such address, no queues, or no Redis now
        return f"No mail: {error}"
    return "A mail is on its way."


def mail(request: Request) -> Response:
    return JSONResponse(academy.mail())


def mail_page(request: Request) -> Response:
    return HTMLResponse(pages.mail(academy.mail()))


def upload_form(request: Request) -> Response:
    return HTMLResponse(pages.upload())


async def upload(request: Request) -> Response:
    digest, size = hashlib.sha256(), 0
    async for chunk in request.stream():
        digest.update(chunk)
        size += len(chunk)
    return HTMLResponse(pages.upload(f"{size} bytes, SHA-256 {digest.hexdigest()[:16]}…"))


def report(request: Request) -> Response:
    return HTMLResponse(pages.report(academy.report()))


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


def _signed(email: str) -> str:
    return f"{email}|{hmac.digest(SECRET, email.encode(), 'sha256').hex()}"


site = Starlette(
    routes=[
        Route("/", welcome),
        Route("/courses", courses),
        Route("/courses/{number:int}", course),
        Route("/login", login_form),
        Route("/login", login, methods=["POST"]),
        Route("/account", account),
        Route("/checkout", checkout_form),
        Route("/checkout", checkout, methods=["POST"]),
        Route("/mail", mail),
        Route("/mail/read", mail_page),
        Route("/upload", upload_form),
        Route("/upload", upload, methods=["POST"]),
        Route("/report", report),
        Route("/try", tries),
        Route("/broken", broken),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ],
    exception_handlers={404: missing},
)

app = Nexus(
    site,
    rules=[Rule(RateLimits.AUTH, path="/login", methods=("POST",), name="auth")],
    cache_rules=[CacheRule("/courses/*", ttl=CacheTTL.SHORT), CacheRule("/static/*", ttl=CacheTTL.LONG)],
)
